import type { ClusterConfig, Endpoint } from '../cluster/cluster-config.ts';
import type { OutlierDetection } from '../cluster/outlier-detection.ts';
import type { HttpConnectionConfig, ListenerConfig } from '../listener/listener-config.ts';
import type { HeaderEdits, Route, RouteAction, RouteMatch, RouteTable } from '../route/route-table.ts';
import type { ProxyTables } from '../tables.ts';

/** Small tables for tests, with the defaults that a control plane would fill in. */

export const NO_EDITS: HeaderEdits = { set: [], add: [], remove: [] };
const ANY: RouteMatch = { path: { kind: 'any' }, method: undefined, headers: [], query: [] };

export type ForwardAction = Extract<RouteAction, { readonly kind: 'forward' }>;

export function endpoint(port: number, weight = 1): Endpoint {
  return { address: '127.0.0.1', port, weight, healthy: true };
}

/** Envoy's defaults; by consecutive 5xx alone unless told. */
export function outlierDetection(
  more: Partial<Omit<OutlierDetection, 'enforcing'>> & {
    readonly enforcing?: Partial<OutlierDetection['enforcing']>;
  } = {},
): OutlierDetection {
  const { enforcing, ...rest } = more;
  return {
    consecutive5xx: 5,
    consecutiveGatewayFailure: 5,
    intervalMs: 10_000,
    baseEjectionMs: 30_000,
    maxEjectionMs: 300_000,
    maxEjectionJitterMs: 0,
    maxEjectionPercent: 100,
    alwaysEjectOneHost: false,
    successRate: { minimumHosts: 5, requestVolume: 100, stdevFactor: 1.9 },
    failurePercentage: { threshold: 85, minimumHosts: 5, requestVolume: 50 },
    ...rest,
    enforcing: {
      consecutive_5xx: 100,
      consecutive_gateway_failure: 0,
      success_rate: 0,
      failure_percentage: 0,
      ...enforcing,
    },
  };
}

export function cluster(name: string, ports: readonly number[], more: Partial<ClusterConfig> = {}): ClusterConfig {
  return {
    name,
    service: `${name}.default`,
    kind: 'endpoints',
    policy: 'round-robin',
    endpoints: ports.map((port) => endpoint(port)),
    connectTimeoutMs: 1000,
    tls: undefined,
    protocol: 'http1',
    maxRequests: 1024,
    poolIdleMs: 3000,
    maxConnectionMs: 0,
    outliers: undefined,
    panicPercent: 50,
    ...more,
  };
}

export function forward(
  clusters: string | readonly (readonly [string, number])[],
  more: Partial<ForwardAction> = {},
): ForwardAction {
  const weighted = typeof clusters === 'string' ? ([[clusters, 1]] as const) : clusters;
  return {
    kind: 'forward',
    clusters: weighted.map(([name, weight]) => ({ cluster: name, weight, requestHeaders: NO_EDITS })),
    timeoutMs: 15_000,
    perTryTimeoutMs: 0,
    retry: undefined,
    rewrite: undefined,
    hostRewrite: undefined,
    ...more,
  };
}

export function route(action: RouteAction, match: Partial<RouteMatch> = {}, more: Partial<Route> = {}): Route {
  return {
    name: 'route',
    match: { ...ANY, ...match },
    action,
    requestHeaders: NO_EDITS,
    responseHeaders: NO_EDITS,
    ...more,
  };
}

export function routeTable(name: string, routes: readonly Route[], domains: readonly string[] = ['*']): RouteTable {
  return { name, virtualHosts: [{ name: 'host', domains, routes }] };
}

export function listener(
  name: string,
  table: string,
  more: Partial<ListenerConfig> = {},
  http: Partial<HttpConnectionConfig> = {},
): ListenerConfig {
  return {
    name,
    address: '127.0.0.1',
    port: 0,
    direction: 'ingress',
    chains: [
      {
        name: 'only',
        serverNames: [],
        applicationProtocols: [],
        tls: undefined,
        http: {
          routeTable: table,
          forwardProxy: false,
          cors: true,
          trustForwarded: false,
          idleTimeoutMs: 60_000,
          headerTimeoutMs: 10_000,
          accessLog: true,
          ...http,
        },
      },
    ],
    ...more,
  };
}

export function tables(
  listeners: readonly ListenerConfig[],
  routeTables: readonly RouteTable[],
  clusters: readonly ClusterConfig[],
): ProxyTables {
  const byName = <T extends { readonly name: string }>(items: readonly T[]): ReadonlyMap<string, T> =>
    new Map(items.map((item) => [item.name, item]));
  return { listeners: byName(listeners), routeTables: byName(routeTables), clusters: byName(clusters) };
}
