import { counts, type ProxyView } from './proxy-view.ts';
import type { Resource, ResourceKind } from './resource.ts';
import { carriersOf } from './resource-difference.ts';

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

// Clusters and endpoints come before what points to them, so a route's yes implies theirs.
const KINDS: readonly ResourceKind[] = ['listener', 'route'];

/**
 * Counts the proxies whose configuration is made of the object (`HTTPRoute/shop/catalog`): those at the edge, or in the mesh sidecars and
 * those of gRPC's clients that have asked for it.
 */
export function convergenceOf(
  carried: string,
  where: 'mesh' | 'ingress',
  proxies: readonly ProxyView[],
  nowMs: number,
): Convergence {
  let all = 0;
  let acked = 0;
  const refused: Refusal[] = [];
  for (const proxy of proxies) {
    if (proxy.nodeId.startsWith('ingress/') !== (where === 'ingress') || !counts(proxy, nowMs)) continue;
    const carrying = carryingOf(carried, proxy);
    if (carrying.length === 0) continue;
    all += 1;
    const missing = carrying.filter(
      ({ kind, name, version }) => proxy.kinds[kind].acked.get(name)?.version !== version,
    );
    if (missing.length === 0 && proxy.disconnectedAtMs === undefined) acked += 1;
    const [error] = missing.flatMap(({ kind, name }) => refusalOf(proxy, kind, name));
    if (error !== undefined) refused.push({ nodeId: proxy.nodeId, error });
  }
  return { proxies: all, acked, refused };
}

/** A proxy that is ours takes all of it; gRPC's client what it asks for, and when it is gone nothing is expected of it. */
function carryingOf(carried: string, { nodeId, target, kinds, disconnectedAtMs }: ProxyView): readonly Resource[] {
  const all = target === undefined ? [] : KINDS.flatMap((kind) => carriersOf(carried, target[kind]));
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
