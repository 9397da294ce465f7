import type { HttpRoute } from '../../api/kinds/http-route.ts';
import { CommandError } from '../output/exit-codes.ts';

/** The two sides of a canary on one HTTPRoute: pure functions over the route as it is stored. */

type Rule = NonNullable<HttpRoute['spec']['rules']>[number];
type Backend = NonNullable<Rule['backendRefs']>[number];

export interface CanaryPlan {
  readonly stable: string;
  readonly canary: string;
  /** The new version's present weight, in percent of both. */
  readonly present: number;
}

/**
 * Who is who. The stable side is the backend named as the route or its parent Service; the other one is the canary,
 * unless `to` names it. Throws CommandError when that is not certain.
 */
export function planCanary(route: HttpRoute, to: string | undefined): CanaryPlan {
  const backends = [...new Set(rulesOf(route).flatMap((rule) => backendsOf(rule).map(({ name }) => name)))];
  const parents = (route.spec.parentRefs ?? []).filter(({ kind }) => kind === 'Service').map(({ name }) => name);
  const named = backends.filter((name) => name === route.metadata.name || parents.includes(name));
  const stable = named[0] ?? backends.find((name) => name !== to);
  const others = backends.filter((name) => name !== stable);
  const canary = to ?? (others.length === 1 ? others[0] : undefined);
  if (stable === undefined) {
    throw new CommandError(`HTTPRoute "${route.metadata.name}": has no backend to move traffic from`);
  }
  if (canary === undefined || canary === stable) {
    throw new CommandError(`canary of "${stable}": the new version's Service is not certain`, {
      exit: 'usage',
      hint: `name it with --to; the route's backends are ${backends.join(', ')}`,
    });
  }
  return { stable, canary, present: presentWeight(route, stable, canary) };
}

function presentWeight(route: HttpRoute, stable: string, canary: string): number {
  for (const rule of rulesOf(route)) {
    const weightOf = (name: string): number => backendsOf(rule).find((backend) => backend.name === name)?.weight ?? 0;
    const sum = weightOf(stable) + weightOf(canary);
    if (sum > 0) return (weightOf(canary) / sum) * 100;
  }
  return 0;
}

/**
 * The route's rules with `weight` percent of the pair's traffic on the canary. Rules that do not name the stable side stay; a
 * canary that a rule does not name yet is added with the stable side's port.
 */
export function withWeight(route: HttpRoute, plan: CanaryPlan, weight: number): Rule[] {
  return rulesOf(route).map((rule) => {
    const stable = backendsOf(rule).find(({ name }) => name === plan.stable);
    if (stable === undefined) return rule;
    const known = backendsOf(rule).some(({ name }) => name === plan.canary);
    const backends = known ? backendsOf(rule) : [...backendsOf(rule), { ...stable, name: plan.canary }];
    return {
      ...rule,
      backendRefs: backends.map((backend) => {
        if (backend.name === plan.stable) return { ...backend, weight: 100 - weight };
        return backend.name === plan.canary ? { ...backend, weight } : backend;
      }),
    };
  });
}

function rulesOf(route: HttpRoute): readonly Rule[] {
  return route.spec.rules ?? [];
}

function backendsOf(rule: Rule): readonly Backend[] {
  return rule.backendRefs ?? [];
}
