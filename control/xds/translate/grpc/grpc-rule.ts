import type { HttpBackendRef, HttpRoute, HttpRouteMatch, HttpRouteRule } from '../../../../api/kinds/http-route.ts';
import { durationMs } from '../../../../api/meta/duration.ts';
import { escapeRegex } from '../../../../api/meta/escape-regex.ts';
import type { HeaderMatcherInput, RouteActionInput, RouteMatchInput } from '../../../../xds/messages.js';
import { durationOf } from '../any.ts';
import { UNAVAILABLE_CLUSTER } from '../names.ts';
import type { BackendOf, RankedRoute } from '../rule.ts';
import { unsupportedRules } from '../unsupported-rules.ts';

/** All calls to one cluster. How long one may take, and whether it is tried again, its caller says. */
export function grpcForwardTo(cluster: string): RankedRoute {
  return {
    match: { path: { type: 'PathPrefix', value: '/' } },
    message: { name: 'default', match: { prefix: '' }, route: { cluster } },
  };
}

/** The rules of a route for gRPC's clients: one Envoy route for each match that a call can meet. */
export function grpcRules(route: HttpRoute, backendOf: BackendOf): readonly RankedRoute[] {
  const prefix = `${route.metadata.namespace ?? ''}/${route.metadata.name}`;
  const unsupported = new Set(unsupportedRules(route).map(({ rule }) => rule));
  return route.spec.rules.flatMap((rule, ruleIndex) =>
    (unsupported.has(rule) ? [] : rule.matches).flatMap((match, matchIndex) =>
      isForCalls(match)
        ? [
            {
              match,
              message: {
                name: `${prefix}/${rule.name ?? ruleIndex}/${matchIndex}`,
                match: { ...pathMatch(match.path), headers: headerMatches(match) },
                route: actionOf(rule, backendOf),
              },
            },
          ]
        : [],
    ),
  );
}

/** A call is a POST without a query (PROTOCOL-HTTP2.md): what asks for something else matches none. */
function isForCalls({ method, queryParams = [] }: HttpRouteMatch): boolean {
  return (method === undefined || method === 'POST') && queryParams.length === 0;
}

/** `path_separated_prefix` is not known to gRPC (gRFC A28): it is told as an expression, which matches whole paths. */
function pathMatch({ type, value }: HttpRouteMatch['path']): RouteMatchInput {
  switch (type) {
    case 'Exact':
      return { path: value };
    case 'RegularExpression':
      return { safeRegex: { regex: value } };
    case 'PathPrefix': {
      const prefix = value.endsWith('/') ? value.slice(0, -1) : value;
      return prefix === '' ? { prefix: '' } : { safeRegex: { regex: `${escapeRegex(prefix)}(/.*)?` } };
    }
    default:
      return type satisfies never;
  }
}

/** In the form that was before `string_match` (gRFC A63), which older clients take for a header that must not be there. */
function headerMatches({ headers = [] }: HttpRouteMatch): readonly HeaderMatcherInput[] {
  return headers.map(({ type, name, value }) => ({
    name: name.toLowerCase(),
    ...(type === 'Exact' ? { exactMatch: value } : { safeRegexMatch: { regex: value } }),
  }));
}

function actionOf(rule: HttpRouteRule, backendOf: BackendOf): RouteActionInput {
  const targets = (rule.backendRefs ?? []).filter(({ weight }) => weight > 0).map((ref) => targetOf(ref, backendOf));
  const [only = NOWHERE, ...more] = targets;
  // No redirect is made here, and none is followed: the call fails.
  const isRedirect = rule.filters?.some(({ type }) => type === 'RequestRedirect') === true;
  if (isRedirect || targets.every(({ name }) => name === UNAVAILABLE_CLUSTER)) return { cluster: UNAVAILABLE_CLUSTER };
  return {
    ...(more.length === 0 ? { cluster: only.name } : { weightedClusters: { clusters: merged(targets) } }),
    ...timeLimit(rule),
    ...retries(rule),
  };
}

interface Target {
  readonly name: string;
  readonly weight: { readonly value: number };
}

const NOWHERE: Target = { name: UNAVAILABLE_CLUSTER, weight: { value: 0 } };

function targetOf(ref: HttpBackendRef, backendOf: BackendOf): Target {
  const backend = backendOf(ref);
  return { name: backend.ok ? backend.cluster : UNAVAILABLE_CLUSTER, weight: { value: ref.weight } };
}

/** A client counts shares by cluster: one that is named twice gets both. */
function merged(targets: readonly Target[]): readonly Target[] {
  const weights = new Map<string, number>();
  for (const { name, weight } of targets) weights.set(name, (weights.get(name) ?? 0) + weight.value);
  return [...weights].map(([name, value]) => ({ name, weight: { value } }));
}

/** gRPC goes by this one, not by `timeout` (gRFC A31); a shorter deadline of the call itself holds. */
function timeLimit({ timeouts }: HttpRouteRule): RouteActionInput {
  const ms = timeouts?.request === undefined ? 0 : durationMs(timeouts.request);
  return ms === 0 ? {} : { maxStreamDuration: { maxStreamDuration: durationOf(ms) } };
}

/** Codes of HTTP say nothing of a call: what is tried again is what did not reach its server (gRFC A44). */
function retries({ retry }: HttpRouteRule): RouteActionInput {
  const attempts = retry?.attempts ?? 0;
  if (attempts < 1) return {};
  const baseMs = retry?.backoff === undefined ? 0 : durationMs(retry.backoff);
  const backOff =
    baseMs === 0 ? {} : { retryBackOff: { baseInterval: durationOf(baseMs), maxInterval: durationOf(10 * baseMs) } };
  return { retryPolicy: { retryOn: 'unavailable', numRetries: { value: attempts }, ...backOff } };
}
