import { RE2JS } from 're2js';
import type { HttpRoute, HttpRouteRule } from '../../../api/kinds/http-route.ts';
import { connectProblem, isConnectRule } from './connect-rule.ts';

/** A rule that no proxy could take, and why. */
export interface UnsupportedRule {
  readonly rule: HttpRouteRule;
  readonly message: string;
}

const known = new WeakMap<HttpRoute, readonly UnsupportedRule[]>();

/**
 * Rules that ask of CONNECT what it has not, and those with an expression that is none in RE2, Envoy's dialect and our proxy's. A proxy that got one would refuse the whole table that it
 * stands in, with everybody else's routes: so it never gets one.
 */
export function unsupportedRules(route: HttpRoute): readonly UnsupportedRule[] {
  const present = known.get(route) ?? findUnsupported(route);
  known.set(route, present);
  return present;
}

/** Why the route as a whole cannot be taken: none of its rules can. Undefined when one can. */
export function unsupportedRoute(route: HttpRoute): string | undefined {
  const [first, ...more] = unsupportedRules(route);
  return first !== undefined && more.length + 1 === route.spec.rules.length ? first.message : undefined;
}

function findUnsupported({ spec }: HttpRoute): readonly UnsupportedRule[] {
  return spec.rules.flatMap((rule, index) => {
    const expression = expressionsOf(rule)
      .map(problemOf)
      .find((problem) => problem !== undefined);
    const message = expression ?? (isConnectRule(rule) ? connectProblem(rule) : undefined);
    return message === undefined ? [] : [{ rule, message: `rule ${rule.name ?? index}: ${message}` }];
  });
}

function expressionsOf({ matches }: HttpRouteRule): readonly string[] {
  return matches
    .flatMap(({ path, headers = [], queryParams = [] }) => [path, ...headers, ...queryParams])
    .filter(({ type }) => type === 'RegularExpression')
    .map(({ value }) => value);
}

function problemOf(expression: string): string | undefined {
  try {
    RE2JS.compile(expression);
    return undefined;
  } catch (error) {
    return `"${expression}" is no regular expression of RE2: ${(error as Error).message}`;
  }
}
