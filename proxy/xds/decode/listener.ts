import {
  Cors,
  DynamicForwardProxyFilter,
  type FilterChain as FilterChainMessage,
  HttpConnectionManager,
  type HttpConnectionManager as HttpConnectionManagerMessage,
  HttpInspector,
  Listener,
  type Listener as ListenerMessage,
  ProxyProtocol,
  Router,
  TcpProxy,
  type TcpProxy as TcpProxyMessage,
  TlsInspector,
  TrafficDirection,
} from '../../../xds/messages.js';
import type {
  AcceptProxyProtocol,
  FilterChain,
  HttpConnectionConfig,
  ListenerConfig,
  OpeningConfig,
} from '../../listener/listener-config.ts';
import { downstreamTls } from './transport.ts';
import { durationMs, isAny, ResourceError, unpackAny } from './unpack.ts';

// Envoy: HttpProtocolOptions.idle_timeout.
const DEFAULT_IDLE_MS = 3_600_000;
// Envoy has none; its advice for the edge (docs/root/configuration/best_practices/edge.rst) is ours for all.
const DEFAULT_HEADER_TIMEOUT_MS = 60_000;
// What Istio waited (protocolDetectionTimeout). Envoy's listener_filters_timeout is 15 s, for which a server that speaks first would be silent.
const DEFAULT_DETECTION_MS = 100;
// Envoy: Listener.listener_filters_timeout.
const DEFAULT_OPENING_MS = 15_000;

export function decodeListener(bytes: Uint8Array): ListenerConfig {
  const listener = Listener.decode(bytes);
  const { name, address, filterChains, trafficDirection } = listener;
  const socket = address?.socketAddress;
  if (socket?.portValue == null || socket.address === '') throw new ResourceError('address: wanted a socket address');
  if (filterChains.length === 0) throw new ResourceError('filter chains: there are none');
  const chains = filterChains.map(decodeChain);
  if (new Set(chains.map(({ tls }) => tls === undefined)).size > 1) {
    throw new ResourceError('filter chains: some have TLS and some have not');
  }
  const opening = openingOf(listener, chains);
  const acceptProxyProtocol = proxyProtocolOf(listener);
  return {
    name,
    address: socket.address,
    port: socket.portValue,
    direction: directionOf(trafficDirection),
    chains,
    ...(opening === undefined ? {} : { opening }),
    ...(acceptProxyProtocol === undefined ? {} : { acceptProxyProtocol }),
  };
}

/** A filter that is not known may be what keeps someone out. */
function openingOf(listener: ListenerMessage, chains: readonly FilterChain[]): OpeningConfig | undefined {
  const { listenerFilters, listenerFiltersTimeout } = listener;
  const has = (codec: typeof HttpInspector): boolean =>
    listenerFilters.some(({ typedConfig }) => isAny(typedConfig, codec));
  const known = [TlsInspector, HttpInspector, ProxyProtocol];
  const strange = listenerFilters.find(({ typedConfig }) => !known.some((codec) => isAny(typedConfig, codec)));
  if (strange !== undefined) throw new ResourceError(`listener filter "${strange.name}": is not known here`);
  const timeoutMs = durationMs(listenerFiltersTimeout);
  const asksForNames = chains.some(({ tls, serverNames }) => tls === undefined && serverNames.length > 0);
  if (has(HttpInspector)) {
    if (asksForNames) throw new ResourceError('listener filters: HTTP is not looked for beside server names');
    return { look: 'http', timeoutMs: timeoutMs ?? DEFAULT_DETECTION_MS };
  }
  return asksForNames ? { look: 'server-name', timeoutMs: timeoutMs ?? DEFAULT_OPENING_MS } : undefined;
}

/** Who may speak for others is said by every chain alike, as the peers that it is for. */
function proxyProtocolOf(listener: ListenerMessage): AcceptProxyProtocol | undefined {
  const { filterChains, listenerFilters, listenerFiltersTimeout } = listener;
  const sources = filterChains.map(({ filterChainMatch }) =>
    (filterChainMatch?.directSourcePrefixRanges ?? []).map(
      ({ addressPrefix, prefixLen }) => `${addressPrefix}/${prefixLen?.value ?? 0}`,
    ),
  );
  const [first = []] = sources;
  if (sources.some((other) => other.join() !== first.join())) {
    throw new ResourceError('filter chains: their direct source ranges differ');
  }
  const filter = listenerFilters.find(({ typedConfig }) => isAny(typedConfig, ProxyProtocol));
  if (filter === undefined) {
    if (first.length > 0) throw new ResourceError('filter chains: direct source ranges without the PROXY protocol');
    return undefined;
  }
  if (unpackAny(filter.typedConfig, ProxyProtocol, filter.name).allowRequestsWithoutProxyProtocol) {
    throw new ResourceError(`listener filter "${filter.name}": a header that may be left away is not known here`);
  }
  return { sources: first, timeoutMs: durationMs(listenerFiltersTimeout) ?? DEFAULT_OPENING_MS };
}

function tcpTarget({ cluster, weightedClusters }: TcpProxyMessage, filter: string): TcpTarget {
  if (cluster != null && cluster !== '') return { cluster };
  const weighted = (weightedClusters?.clusters ?? []).map(({ name, weight }) => ({ cluster: name, weight }));
  if (weighted.length === 0) throw new ResourceError(`filter "${filter}": names no cluster`);
  return { weighted };
}

type TcpTarget = NonNullable<FilterChain['tcp']>;

/** A listener at the edge has no direction in Envoy's sense: it is neither of the two that a sidecar has. */
function directionOf(direction: number): ListenerConfig['direction'] {
  if (direction === TrafficDirection.INBOUND) return 'inbound';
  return direction === TrafficDirection.OUTBOUND ? 'outbound' : 'ingress';
}

function decodeChain({ name, filterChainMatch, filters, transportSocket }: FilterChainMessage): FilterChain {
  const [filter, ...others] = filters;
  if (filter === undefined || others.length > 0) {
    throw new ResourceError(
      `filter chain "${name}": has ${filters.length} filters, wanted the HTTP connection manager or the TCP proxy`,
    );
  }
  const match = {
    name,
    serverNames: filterChainMatch?.serverNames ?? [],
    applicationProtocols: filterChainMatch?.applicationProtocols ?? [],
    tls: downstreamTls(transportSocket),
  };
  if (isAny(filter.typedConfig, TcpProxy)) {
    const proxy = unpackAny(filter.typedConfig, TcpProxy, `filter "${filter.name}"`);
    return { ...match, tcp: tcpTarget(proxy, filter.name) };
  }
  const manager = unpackAny(filter.typedConfig, HttpConnectionManager, `filter "${filter.name}"`);
  return { ...match, http: decodeHttp(manager) };
}

function decodeHttp(manager: HttpConnectionManagerMessage): HttpConnectionConfig {
  const routeTable = manager.rds?.routeConfigName ?? '';
  if (routeTable === '') throw new ResourceError('HTTP connection manager: names no route configuration (RDS)');
  checkFilters(manager);
  return {
    routeTable,
    forwardProxy: manager.upgradeConfigs.some(({ upgradeType }) => upgradeType === 'CONNECT'),
    cors: manager.httpFilters.some(({ typedConfig }) => isAny(typedConfig, Cors)),
    trustForwarded: manager.useRemoteAddress?.value !== true,
    idleTimeoutMs: durationMs(manager.commonHttpProtocolOptions?.idleTimeout ?? null) ?? DEFAULT_IDLE_MS,
    headerTimeoutMs: durationMs(manager.requestHeadersTimeout) ?? DEFAULT_HEADER_TIMEOUT_MS,
    accessLog: manager.accessLog.length > 0,
  };
}

/** A filter that is not known may be what keeps someone out: to leave it away would be worse than to refuse. */
function checkFilters({ httpFilters }: HttpConnectionManagerMessage): void {
  const last = httpFilters.at(-1);
  if (last === undefined || !isAny(last.typedConfig, Router)) {
    throw new ResourceError('HTTP filters: the router is not the last');
  }
  const strange = httpFilters
    .slice(0, -1)
    .find(({ typedConfig }) => !isAny(typedConfig, DynamicForwardProxyFilter) && !isAny(typedConfig, Cors));
  if (strange !== undefined) throw new ResourceError(`HTTP filter "${strange.name}": is not known here`);
}
