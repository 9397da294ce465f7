import type { ClusterConfig, Endpoint } from '../cluster/cluster-config.ts';
import type { ListenerConfig } from '../listener/listener-config.ts';
import type { RouteTable } from '../route/route-table.ts';
import type { ProxyTables } from '../tables.ts';
import type { Delivery } from './conversation.ts';
import { type DecodedCluster, decodeCluster, decodeEndpoints } from './decode/cluster.ts';
import { decodeListener } from './decode/listener.ts';
import { decodeRouteTable } from './decode/route.ts';
import { RESOURCE_KINDS, type ResourceKind } from './resource-kind.ts';
import { type Refusal, ResourceStore } from './resource-store.ts';

/** Raw resources by type: what is kept on disk. */
export type RawResources = Readonly<Record<ResourceKind, readonly Uint8Array[]>>;

export interface Assembly {
  readonly tables: ProxyTables;
  /** Types of which something waits for another: a new route for its cluster, a new listener for its routes. */
  readonly warming: ReadonlySet<ResourceKind>;
  /** When to assemble again though nothing came. */
  readonly wakeAtMs: number | undefined;
}

/** In state-of-the-world, and on disk: of clusters and listeners a set is all there is. */
const EXTENT = { cluster: 'whole', endpoints: 'part', listener: 'whole', route: 'part' } as const;

const NO_TABLES: ProxyTables = { listeners: new Map(), routeTables: new Map(), clusters: new Map() };

/**
 * How long something new waits for what it names. Then it goes live as it is: a control plane that never sends a cluster
 * must not hold back everything else that it sends (Envoy: ConfigSource.initial_fetch_timeout, 15 s).
 */
export const WARMING_LIMIT_MS = 5000;

/**
 * What the control plane has sent, and the tables that the engine gets of it. Pure: no I/O and no clock of its own. A route
 * table goes live when its clusters are there, a listener when its route tables are; until then what was live stays.
 */
export class Configuration {
  readonly #clusters = new ResourceStore<DecodedCluster>((bytes) => {
    const cluster = decodeCluster(bytes);
    return [cluster.config.name, cluster];
  });
  readonly #endpoints = new ResourceStore<readonly Endpoint[]>((bytes) => {
    const { name, endpoints } = decodeEndpoints(bytes);
    return [name, endpoints];
  });
  readonly #listeners = new ResourceStore<ListenerConfig>((bytes) => {
    const listener = decodeListener(bytes);
    return [listener.name, listener];
  });
  readonly #routes = new ResourceStore<RouteTable>((bytes) => {
    const table = decodeRouteTable(bytes);
    return [table.name, table];
  });
  #live = NO_TABLES;
  /** Clusters as they were put together, for as long as neither part changes. */
  #composed = new Map<
    string,
    { readonly cluster: DecodedCluster; readonly endpoints: unknown; readonly config: ClusterConfig }
  >();
  readonly #waitingSince = new Map<string, number>();
  readonly #received = new Set<ResourceKind>();

  /** Clusters and listeners have been sent: there is something to begin with. */
  get begun(): boolean {
    return this.#received.has('cluster') && this.#received.has('listener');
  }

  /** Takes a response's resources; gives those that were refused. */
  accept(
    kind: ResourceKind,
    resources: readonly Uint8Array[],
    { extent, removed }: Pick<Delivery, 'extent' | 'removed'> = { extent: EXTENT[kind], removed: [] },
  ): readonly Refusal[] {
    this.#received.add(kind);
    const store = this.#storeOf(kind);
    store.remove(removed);
    return store.take(resources, extent);
  }

  /** Names of all that is in force. */
  names(kind: ResourceKind): readonly string[] {
    return [...this.#storeOf(kind).stored.keys()];
  }

  #storeOf(kind: ResourceKind): Pick<ResourceStore<unknown>, 'take' | 'remove' | 'stored'> {
    switch (kind) {
      case 'cluster':
        return this.#clusters;
      case 'endpoints':
        return this.#endpoints;
      case 'listener':
        return this.#listeners;
      case 'route':
        return this.#routes;
      default:
        return kind satisfies never;
    }
  }

  /** Names to subscribe to: load assignments of the clusters, route tables of the listeners. */
  wanted(kind: 'endpoints' | 'route'): ReadonlySet<string> {
    if (kind === 'endpoints') {
      const clusters = [...this.#clusters.stored.values()];
      return new Set(clusters.flatMap(({ value }) => value.endpointsName ?? []));
    }
    const listeners = [...this.#listeners.stored.values()];
    return new Set(listeners.flatMap(({ value }) => routeTablesOf(value)));
  }

  assemble(nowMs: number): Assembly {
    this.#endpoints.keep(this.wanted('endpoints'));
    this.#routes.keep(new Set([...this.wanted('route'), ...this.#liveRouteNames()]));
    const warming = new Set<ResourceKind>();
    const waiting = new Set<string>();
    const ready = (kind: ResourceKind, name: string, complete: boolean): boolean => {
      const key = `${kind} ${name}`;
      if (complete) return true;
      waiting.add(key);
      const since = this.#waitingSince.get(key) ?? nowMs;
      this.#waitingSince.set(key, since);
      if (nowMs - since >= WARMING_LIMIT_MS) return true;
      warming.add(kind);
      return false;
    };
    const clusters = this.#liveClusters();
    const wanted = this.wanted('route');
    const routeTables = this.#liveRoutes(clusters, ready);
    const listeners = this.#liveListeners(routeTables, ready);
    // Route tables that a listener of before still needs while its successor warms up.
    const used = new Set([...listeners.values()].flatMap(routeTablesOf));
    for (const name of routeTables.keys()) if (!used.has(name) && !wanted.has(name)) routeTables.delete(name);
    for (const key of this.#waitingSince.keys()) if (!waiting.has(key)) this.#waitingSince.delete(key);
    this.#live = unchangedOr(this.#live, { listeners, routeTables, clusters });
    const soonest = Math.min(...[...this.#waitingSince.values()].filter((since) => nowMs - since < WARMING_LIMIT_MS));
    return { tables: this.#live, warming, wakeAtMs: Number.isFinite(soonest) ? soonest + WARMING_LIMIT_MS : undefined };
  }

  /** Everything that is in force, to be kept. */
  raw(): RawResources {
    const bytesOf = (store: ResourceStore<unknown>): readonly Uint8Array[] =>
      [...store.stored.values()].map(({ bytes }) => bytes);
    return {
      cluster: bytesOf(this.#clusters),
      endpoints: bytesOf(this.#endpoints),
      listener: bytesOf(this.#listeners),
      route: bytesOf(this.#routes),
    };
  }

  /** Starts from what was kept. What is not understood any more is left out. */
  restore(raw: RawResources): void {
    for (const kind of RESOURCE_KINDS) this.accept(kind, raw[kind]);
  }

  #liveRouteNames(): readonly string[] {
    return [...this.#live.routeTables.keys()];
  }

  /** A new cluster is live with its endpoints; one whose endpoints were there before keeps them. */
  #liveClusters(): Map<string, ClusterConfig> {
    const live = new Map<string, ClusterConfig>();
    const composed = new Map<string, { cluster: DecodedCluster; endpoints: unknown; config: ClusterConfig }>();
    for (const [name, { value: cluster }] of this.#clusters.stored) {
      const { endpointsName } = cluster;
      const endpoints = endpointsName === undefined ? cluster.config.endpoints : this.#endpoints.get(endpointsName);
      if (endpoints === undefined) continue;
      const before = this.#composed.get(name);
      const same = before?.cluster === cluster && before.endpoints === endpoints;
      const config = same ? before.config : { ...cluster.config, endpoints };
      composed.set(name, { cluster, endpoints, config });
      live.set(name, config);
    }
    this.#composed = composed;
    return live;
  }

  #liveRoutes(clusters: ReadonlyMap<string, unknown>, ready: Ready): Map<string, RouteTable> {
    const live = new Map<string, RouteTable>();
    for (const [name, { value: table }] of this.#routes.stored) {
      const before = this.#live.routeTables.get(name);
      const complete = table === before || clustersOf(table).every((cluster) => clusters.has(cluster));
      if (ready('route', name, complete)) live.set(name, table);
      else if (before !== undefined) live.set(name, before);
    }
    return live;
  }

  #liveListeners(routeTables: ReadonlyMap<string, RouteTable>, ready: Ready): Map<string, ListenerConfig> {
    const live = new Map<string, ListenerConfig>();
    for (const [name, { value: listener }] of this.#listeners.stored) {
      const before = this.#live.listeners.get(name);
      const complete = listener === before || routeTablesOf(listener).every((table) => routeTables.has(table));
      if (ready('listener', name, complete)) live.set(name, listener);
      else if (before !== undefined) live.set(name, before);
    }
    return live;
  }
}

type Ready = (kind: ResourceKind, name: string, complete: boolean) => boolean;

function routeTablesOf({ chains }: ListenerConfig): readonly string[] {
  return chains.flatMap(({ http }) => http?.routeTable ?? []);
}

function clustersOf(table: RouteTable): readonly string[] {
  return table.virtualHosts.flatMap(({ routes }) =>
    routes.flatMap(({ action }) => ('clusters' in action ? action.clusters.map(({ cluster }) => cluster) : [])),
  );
}

/** The very same tables when nothing in them differs, so that the engine is not asked for nothing. */
function unchangedOr(before: ProxyTables, next: ProxyTables): ProxyTables {
  const same =
    sameMap(before.listeners, next.listeners) &&
    sameMap(before.routeTables, next.routeTables) &&
    sameMap(before.clusters, next.clusters);
  return same ? before : next;
}

function sameMap(left: ReadonlyMap<string, unknown>, right: ReadonlyMap<string, unknown>): boolean {
  return left.size === right.size && [...left].every(([key, value]) => right.get(key) === value);
}
