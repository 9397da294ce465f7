import { counts, type ProxyView } from './proxy-view.ts';
import type { Resource, ResourceKind } from './resource.ts';
import { type Carriers, carriersIn } from './resource-difference.ts';

/** How far a change of one object has come. */
export interface Convergence {
  /** Proxies that are to carry it. */
  readonly proxies: number;
  /** Those of them that have said yes to all of it. */
  readonly acked: number;
  readonly refused: readonly Refusal[];
}

interface Refusal {
  readonly nodeId: string;
  readonly error: string;
}

/** Where an object is carried: at the edge, or by sidecars and gRPC's clients. */
type Where = 'mesh' | 'ingress';

/** Proxies that are to have the same and have not said yes to the same: for any object they count alike. */
interface Cohort {
  readonly where: Where;
  /** Those that are gone for a moment have said yes to nothing. */
  readonly connected: boolean;
  readonly listeners: Carriers;
  readonly routes: Carriers;
  /** What is made of objects and not said yes to. */
  readonly missing: readonly Resource[];
  size: number;
}

/** All proxies at one moment, so that what counts for an object is found by looking at a few cohorts instead of hundreds of proxies. */
export interface Census {
  readonly cohorts: readonly Cohort[];
  /** Those that have refused something, and gRPC's clients, which take what they ask for: each by itself. */
  readonly singles: readonly ProxyView[];
}

export function takeCensus(proxies: readonly ProxyView[], nowMs: number): Census {
  // Of those that share their routes there are few.
  const byRoutes = new Map<Carriers, Cohort[]>();
  const singles: ProxyView[] = [];
  for (const proxy of proxies) {
    const { nodeId, target, kinds } = proxy;
    if (target === undefined || !counts(proxy, nowMs)) continue;
    if (kinds.listener.error !== undefined || kinds.route.error !== undefined || nodeId.startsWith('grpc/')) {
      singles.push(proxy);
      continue;
    }
    const routes = carriersIn(target.route);
    const cohorts = byRoutes.get(routes) ?? [];
    if (cohorts.length === 0) byRoutes.set(routes, cohorts);
    join(cohorts, proxy, carriersIn(target.listener), routes);
  }
  return { cohorts: [...byRoutes.values()].flat(), singles };
}

function join(cohorts: Cohort[], proxy: ProxyView, listeners: Carriers, routes: Carriers): void {
  const where = whereOf(proxy);
  const connected = proxy.disconnectedAtMs === undefined;
  const missing: Resource[] = [];
  for (const resource of listeners.all) if (isMissing(resource, proxy)) missing.push(resource);
  for (const resource of routes.all) if (isMissing(resource, proxy)) missing.push(resource);
  for (const cohort of cohorts) {
    const alike = cohort.where === where && cohort.connected === connected && cohort.listeners === listeners;
    if (alike && sameMembers(cohort.missing, missing)) {
      cohort.size += 1;
      return;
    }
  }
  cohorts.push({ where, connected, listeners, routes, missing, size: 1 });
}

function sameMembers(left: readonly Resource[], right: readonly Resource[]): boolean {
  if (left.length !== right.length) return false;
  for (let at = 0; at < left.length; at++) if (left[at] !== right[at]) return false;
  return true;
}

/** Counts the proxies whose configuration is made of the object (`HTTPRoute/shop/catalog`). */
export function convergenceOf(carried: string, where: Where, { cohorts, singles }: Census): Convergence {
  let proxies = 0;
  let acked = 0;
  for (const cohort of cohorts) {
    if (cohort.where !== where) continue;
    const carrying = madeOf(carried, cohort);
    if (carrying.length === 0) continue;
    proxies += cohort.size;
    if (cohort.connected && !carrying.some((resource) => cohort.missing.includes(resource))) acked += cohort.size;
  }
  const refused: Refusal[] = [];
  for (const proxy of singles) {
    const carrying = whereOf(proxy) === where ? carryingOf(carried, proxy) : [];
    if (carrying.length === 0) continue;
    proxies += 1;
    const missing = carrying.filter((resource) => isMissing(resource, proxy));
    if (missing.length === 0 && proxy.disconnectedAtMs === undefined) acked += 1;
    const [error] = missing.flatMap(({ kind, name }) => refusalOf(proxy, kind, name));
    if (error !== undefined) refused.push({ nodeId: proxy.nodeId, error });
  }
  return { proxies, acked, refused };
}

function whereOf({ nodeId }: ProxyView): Where {
  return nodeId.startsWith('ingress/') ? 'ingress' : 'mesh';
}

function isMissing({ kind, name, version }: Resource, { kinds }: ProxyView): boolean {
  return kinds[kind].acked.get(name)?.version !== version;
}

// Clusters and endpoints come before what points to them, so a route's yes implies theirs.
function madeOf(carried: string, { listeners, routes }: Pick<Cohort, 'listeners' | 'routes'>): readonly Resource[] {
  return [...(listeners.byObject.get(carried) ?? []), ...(routes.byObject.get(carried) ?? [])];
}

/** A proxy that is ours takes all of it; gRPC's client what it asks for, and when it is gone nothing is expected of it. */
function carryingOf(carried: string, { nodeId, target, kinds, disconnectedAtMs }: ProxyView): readonly Resource[] {
  if (target === undefined) return [];
  const all = madeOf(carried, { listeners: carriersIn(target.listener), routes: carriersIn(target.route) });
  if (!nodeId.startsWith('grpc/')) return all;
  return disconnectedAtMs === undefined ? all.filter(({ kind, name }) => kinds[kind].wants(name)) : [];
}

/** A NACK is of a whole response. When its words name resources, those that they do not name are not meant. */
function refusalOf(proxy: ProxyView, kind: ResourceKind, name: string): readonly string[] {
  const { error, uncertain } = proxy.kinds[kind];
  if (error === undefined || !uncertain.has(name)) return [];
  const namesOthers = [...uncertain.keys()].some((other) => error.includes(`"${other}"`));
  return namesOthers && !error.includes(`"${name}"`) ? [] : [error];
}
