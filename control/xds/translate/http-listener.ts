import {
  Cors,
  DynamicForwardProxyFilter,
  type FilterInput,
  HttpConnectionManager,
  HttpConnectionManagerForwardClientCertDetails,
  type HttpConnectionManagerInput,
  type HttpFilterInput,
  HttpInspector,
  type ListenerFilterInput,
  type ListenerInput,
  ProxyProtocol,
  Router,
  StdoutAccessLog,
  TcpProxy,
  TlsInspector,
} from '../../../xds/messages.js';
import { durationOf, packAny } from './any.ts';
import { DNS_CACHE } from './cluster.ts';
import { CORS_FILTER } from './cors.ts';

/** How one listener's HTTP differs from another's. */
export interface HttpOptions {
  readonly routeTable: string;
  readonly statPrefix: string;
  /** `inbound` verifies peers and tells the app who called; `edge` believes nothing that clients say of themselves. */
  readonly role: 'inbound' | 'outbound' | 'forward-proxy' | 'edge';
}

// Envoy: HttpProtocolOptions.idle_timeout.
const MESH_IDLE_MS = 3_600_000;
// Envoy's advice for the edge (docs/root/configuration/best_practices/edge.rst).
const EDGE_IDLE_MS = 900_000;
const HEADER_TIMEOUT_MS = 60_000;

export function httpFilter(options: HttpOptions): FilterInput {
  const { routeTable, statPrefix, role } = options;
  const edge = role === 'edge';
  const manager: HttpConnectionManagerInput = {
    statPrefix,
    rds: { routeConfigName: routeTable, configSource: { ads: {}, resourceApiVersion: 2 } },
    httpFilters: [...HTTP_FILTERS[role], ROUTER],
    commonHttpProtocolOptions: { idleTimeout: durationOf(edge ? EDGE_IDLE_MS : MESH_IDLE_MS) },
    requestHeadersTimeout: durationOf(HEADER_TIMEOUT_MS),
    useRemoteAddress: { value: edge },
    accessLog: [{ name: 'envoy.access_loggers.stdout', typedConfig: packAny(StdoutAccessLog, {}) }],
    upgradeConfigs: [{ upgradeType: 'websocket' }, ...(role === 'forward-proxy' ? [{ upgradeType: 'CONNECT' }] : [])],
    ...clientCertificateHeader(role),
  };
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typedConfig: packAny(HttpConnectionManager, manager),
  };
}

/** Reads the server name, by which filter chains are chosen. */
export const TLS_INSPECTOR: ListenerFilterInput = {
  name: 'envoy.filters.listener.tls_inspector',
  typedConfig: packAny(TlsInspector, {}),
};

/** Reads who the client is before anything else. */
export const PROXY_PROTOCOL: ListenerFilterInput = {
  name: 'envoy.filters.listener.proxy_protocol',
  typedConfig: packAny(ProxyProtocol, {}),
};

/** How long a client may be silent before it is taken for one that waits for the server (Istio: protocolDetectionTimeout, once 100 ms). */
const DETECTION_MS = 100;

/** Tells HTTP from other bytes, for ports of which nobody said what they speak. A client that is silent for longer is bytes. */
export const HTTP_DETECTION = {
  listenerFiltersTimeout: durationOf(DETECTION_MS),
  continueOnListenerFiltersTimeout: true,
} satisfies ListenerInput;

export const HTTP_INSPECTOR: ListenerFilterInput = {
  name: 'envoy.filters.listener.http_inspector',
  typedConfig: packAny(HttpInspector, {}),
};

/** What the inspector calls HTTP, for the match of a filter chain. */
export const DETECTED_HTTP: readonly string[] = ['http/1.0', 'http/1.1', 'h2c'];

const ROUTER: HttpFilterInput = { name: 'envoy.filters.http.router', typedConfig: packAny(Router, {}) };

const CORS: HttpFilterInput = { name: CORS_FILTER, typedConfig: packAny(Cors, {}) };

const FORWARD_PROXY: HttpFilterInput = {
  name: 'envoy.filters.http.dynamic_forward_proxy',
  typedConfig: packAny(DynamicForwardProxyFilter, { dnsCacheConfig: DNS_CACHE }),
};

/** Before the router. Into the app no HTTPRoute leads. */
const HTTP_FILTERS: Readonly<Record<HttpOptions['role'], readonly HttpFilterInput[]>> = {
  inbound: [],
  outbound: [CORS],
  'forward-proxy': [CORS, FORWARD_PROXY],
  edge: [CORS],
};

/** Passes bytes on as they are. */
export function tcpFilter(cluster: string, statPrefix: string): FilterInput {
  return { name: 'envoy.filters.network.tcp_proxy', typedConfig: packAny(TcpProxy, { statPrefix, cluster }) };
}

/** The same to several by weight. */
export function weightedTcpFilter(
  targets: readonly { readonly cluster: string; readonly weight: number }[],
  statPrefix: string,
): FilterInput {
  const [only] = targets;
  if (only !== undefined && targets.length === 1) return tcpFilter(only.cluster, statPrefix);
  const clusters = targets.map(({ cluster, weight }) => ({ name: cluster, weight }));
  return {
    name: 'envoy.filters.network.tcp_proxy',
    typedConfig: packAny(TcpProxy, { statPrefix, weightedClusters: { clusters } }),
  };
}

/** x-forwarded-client-cert is written by the callee's sidecar alone; at the edge a client's own is removed. */
function clientCertificateHeader(role: HttpOptions['role']): HttpConnectionManagerInput {
  const { SANITIZE, SANITIZE_SET } = HttpConnectionManagerForwardClientCertDetails;
  if (role !== 'inbound') return { forwardClientCertDetails: SANITIZE };
  return { forwardClientCertDetails: SANITIZE_SET, setCurrentClientCertDetails: { uri: true } };
}
