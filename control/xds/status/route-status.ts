import type { RouteParentStatus } from '../../../api/kinds/gateway-shapes.ts';
import type { HttpRoute } from '../../../api/kinds/http-route.ts';
import type { ServicePort } from '../../../api/kinds/service.ts';
import { type Condition, setCondition } from '../../../api/meta/condition.ts';
import { CONVERGED, GATEWAY_CONTROLLER } from '../../../api/meta/well-known.ts';
import { type Census, convergenceOf } from '../convergence.ts';
import {
  attachByteRoute,
  attachToGateway,
  type ByteRoute,
  isGatewayRef,
  isServiceRef,
} from '../translate/attachment.ts';
import { resolveBackend } from '../translate/backend.ts';
import { type SpokenProtocol, spokenOn } from '../translate/mesh-service.ts';
import { carriedObject } from '../translate/names.ts';
import { unsupportedRoute, unsupportedRules } from '../translate/unsupported-rules.ts';
import { refsOf } from '../translate/view.ts';
import type { World } from '../translate/world.ts';
import { convergedCondition, type StatusMoment } from './converged.ts';

type Draft = Omit<Condition, 'lastTransitionTime'>;

/**
 * What the parents say of a route: one entry for each parent that is ours, those of other controllers as they are. The
 * route must be the one that the proxies' snapshots were made of.
 */
export function routeParents(
  route: HttpRoute,
  world: World,
  census: Census,
  moment: StatusMoment,
): readonly RouteParentStatus[] {
  return parentsOf(route, moment, (parentRef) => {
    const accepted = acceptance(route, parentRef, world);
    if (accepted === undefined) return undefined;
    const spoken = spokenAt(parentRef, route, world);
    const refs = refsOf(route);
    const where = isGatewayRef(parentRef) ? 'ingress' : 'mesh';
    return [
      accepted,
      resolution(refs, route, spoken, world),
      ...partlyInvalid(route, accepted),
      converged(accepted, carriedObject('HTTPRoute', route), where, census, moment),
    ];
  });
}

/** The same for a TLSRoute or TCPRoute, whose parents are Gateways alone. */
export function byteRouteParents(
  route: ByteRoute,
  world: World,
  census: Census,
  moment: StatusMoment,
): readonly RouteParentStatus[] {
  return parentsOf(route, moment, (parentRef) => {
    if (!isGatewayRef(parentRef)) return undefined;
    const result = attachByteRoute(route, parentRef, world);
    if (result === undefined) return undefined;
    const accepted = result.ok ? ACCEPTED : notAccepted(result);
    const refs = route.spec.rules.flatMap(({ backendRefs }) => backendRefs);
    return [
      accepted,
      resolution(refs, route, new Set(['tcp']), world),
      converged(accepted, carriedObject(route.kind, route), 'ingress', census, moment),
    ];
  });
}

interface StoredRoute {
  readonly metadata: { readonly generation?: number | undefined; readonly namespace?: string | undefined };
  readonly spec: { readonly parentRefs?: readonly RouteParentStatus['parentRef'][] | undefined };
  readonly status?: { readonly parents: readonly RouteParentStatus[] } | undefined;
}

/** `draftsOf` gives nothing for a parent of another controller. */
function parentsOf(
  route: StoredRoute,
  moment: StatusMoment,
  draftsOf: (parentRef: RouteParentStatus['parentRef']) => readonly Draft[] | undefined,
): readonly RouteParentStatus[] {
  const before = route.status?.parents ?? [];
  const foreign = before.filter(({ controllerName }) => controllerName !== GATEWAY_CONTROLLER);
  const ours = (route.spec.parentRefs ?? []).flatMap((parentRef): readonly RouteParentStatus[] => {
    const drafts = draftsOf(parentRef);
    if (drafts === undefined) return [];
    const old = before.find((one) => one.controllerName === GATEWAY_CONTROLLER && sameRef(one.parentRef, parentRef));
    const conditions = withConditions(old?.conditions, drafts, route, moment);
    return [{ parentRef, controllerName: GATEWAY_CONTROLLER, conditions }];
  });
  return [...foreign, ...ours];
}

function converged(
  accepted: Draft,
  carried: string,
  where: 'ingress' | 'mesh',
  census: Census,
  moment: StatusMoment,
): Draft {
  if (accepted.status === 'True') {
    return convergedCondition(convergenceOf(carried, where, census), moment);
  }
  return { type: CONVERGED, status: 'False', reason: 'NotAccepted', message: 'No proxy carries the route' };
}

const ACCEPTED: Draft = { type: 'Accepted', status: 'True', reason: 'Accepted', message: 'The route is accepted' };

function notAccepted({ reason, message }: { readonly reason: string; readonly message: string }): Draft {
  return { ...ACCEPTED, status: 'False', reason, message };
}

/** Conditions of this generation, each with the time of its last change. */
export function withConditions(
  before: readonly Condition[] | undefined,
  drafts: readonly Draft[],
  { metadata }: { readonly metadata: { readonly generation?: number | undefined } },
  { now }: StatusMoment,
): Condition[] {
  const observed = drafts.map((draft) => ({ ...draft, observedGeneration: metadata.generation ?? 0 }));
  const types = new Set(observed.map(({ type }) => type));
  const kept = (before ?? []).filter(({ type }) => types.has(type));
  return observed.reduce<Condition[]>((conditions, draft) => setCondition(conditions, draft, now), kept);
}

/** Undefined for a parent of another controller. */
function acceptance(route: HttpRoute, ref: RouteParentStatus['parentRef'], world: World): Draft | undefined {
  if (isGatewayRef(ref)) {
    const result = attachToGateway(route, ref, world);
    if (result === undefined || result.ok) return result && ACCEPTED;
    return notAccepted(result);
  }
  if (!isServiceRef(ref)) return undefined;
  const unsupported = unsupportedRoute(route);
  if (unsupported !== undefined) {
    return notAccepted({ reason: 'UnsupportedValue', message: unsupported });
  }
  const ports = portsOf(ref, route, world);
  if (ports !== undefined && ports.length > 0) return ACCEPTED;
  const what = ports === undefined ? 'there is none' : `it has no port ${ref.port ?? ref.sectionName ?? ''}`;
  const message = `service "${serviceKey(ref, route)}": ${what}`;
  return notAccepted({ reason: 'NoMatchingParent', message });
}

function serviceKey(ref: RouteParentStatus['parentRef'], route: HttpRoute): string {
  return `${ref.namespace ?? route.metadata.namespace ?? ''}/${ref.name}`;
}

/** Ports of a parent that is a Service; undefined when there is no such Service. */
function portsOf(
  ref: RouteParentStatus['parentRef'],
  route: HttpRoute,
  world: World,
): readonly ServicePort[] | undefined {
  return world.services
    .get(serviceKey(ref, route))
    ?.spec.ports?.filter(
      ({ port, name }) =>
        (ref.port === undefined || ref.port === port) && (ref.sectionName === undefined || ref.sectionName === name),
    );
}

/** What callers of a parent speak, so that its backends must speak it too. A Gateway's speak HTTP, and so do those of an unknown Service. */
function spokenAt(ref: RouteParentStatus['parentRef'], route: HttpRoute, world: World): ReadonlySet<SpokenProtocol> {
  const service = isServiceRef(ref) ? world.services.get(serviceKey(ref, route)) : undefined;
  const ports = service === undefined ? [] : (portsOf(ref, route, world) ?? []);
  const spoken = new Set(
    ports.flatMap((port) => (service && spokenOn(port, service)) ?? []).filter((protocol) => protocol !== 'tcp'),
  );
  return spoken.size === 0 ? new Set(['http']) : spoken;
}

/** Gateway API: there only while it is true, its message beginning with what was done. */
function partlyInvalid(route: HttpRoute, accepted: Draft): readonly Draft[] {
  const unsupported = unsupportedRules(route);
  if (accepted.status === 'False' || unsupported.length === 0) return [];
  const message = `Dropped Rule: ${unsupported.map((each) => each.message).join('; ')}`;
  return [{ type: 'PartiallyInvalid', status: 'True', reason: 'UnsupportedValue', message }];
}

function resolution(
  refs: readonly (Parameters<typeof resolveBackend>[0] & { readonly wanted?: 'bytes' })[],
  route: StoredRoute,
  spoken: ReadonlySet<SpokenProtocol>,
  world: World,
): Draft {
  const problems = [...spoken]
    .flatMap((wanted) => refs.map((ref) => resolveBackend(ref, route, world, ref.wanted ?? wanted)))
    .filter((backend) => !backend.ok);
  const [first] = problems;
  if (first === undefined) {
    return { type: 'ResolvedRefs', status: 'True', reason: 'ResolvedRefs', message: 'All backends are found' };
  }
  const message = [...new Set(problems.map((problem) => problem.message))].join('; ');
  return { type: 'ResolvedRefs', status: 'False', reason: first.reason, message };
}

function sameRef(left: RouteParentStatus['parentRef'], right: RouteParentStatus['parentRef']): boolean {
  const fields = ['group', 'kind', 'namespace', 'name', 'sectionName', 'port'] as const;
  return fields.every((field) => left[field] === right[field]);
}
