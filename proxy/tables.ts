import type { ClusterConfig } from './cluster/cluster-config.ts';
import type { ListenerConfig } from './listener/listener-config.ts';
import type { RouteTable } from './route/route-table.ts';

/**
 * Everything the engine acts on at one moment. proxy/xds/ builds a new one for each accepted change and hands it to the
 * engine whole; unchanged parts are the same objects, so that identity tells what changed.
 */
export interface ProxyTables {
  readonly listeners: ReadonlyMap<string, ListenerConfig>;
  readonly routeTables: ReadonlyMap<string, RouteTable>;
  readonly clusters: ReadonlyMap<string, ClusterConfig>;
}
