import { sentProxyProtocol } from '../../../api/kinds/proxy-protocol.ts';
import { BALANCING, meshServerName } from '../../../api/meta/well-known.ts';
import {
  Cluster,
  ClusterDiscoveryType,
  type ClusterInput,
  ClusterLbPolicy,
  ClusterLoadAssignment,
  type ClusterLoadAssignmentInput,
  DynamicForwardProxyCluster,
  type EndpointInput,
  HealthStatus,
  type TransportSocketInput,
  UpstreamHttpOptions,
  type UpstreamHttpOptionsInput,
} from '../../../xds/messages.js';
import { makeResource, mortal, type Resource } from '../resource.ts';
import { durationOf, packAny } from './any.ts';
import type { Memo } from './memo.ts';
import { endpointsKey, type MeshPort } from './mesh-service.ts';
import { carriedPod, inboundName, PASSTHROUGH_CLUSTER, UNAVAILABLE_CLUSTER } from './names.ts';
import { outlierDetectionOf } from './outlier-detection.ts';
import { meshClientTls, proxyProtocolTransport } from './transport.ts';

// linkerd2-proxy's outbound connect timeout; Envoy's 5 s is for the open network.
const MESH_CONNECT_TIMEOUT_MS = 1000;
// Envoy: Cluster.connect_timeout.
const OUTSIDE_CONNECT_TIMEOUT_MS = 5000;
// linkerd2-proxy's pool idle time: shorter than the 5 s after which a Node server closes an idle connection.
const POOL_IDLE_MS = 3000;
// nginx' keepalive_time: new endpoints get their share of long-lived connections, and none outlives what is known of its peer.
const CONNECTION_AGE_MS = 3_600_000;
// Envoy: CircuitBreakers.Thresholds.max_requests and its siblings.
const MAX_REQUESTS = 1024;

/** What canary shares, metrics and load reports call the cluster: Envoy's alt_stat_name. */
export function serviceClusterResource(port: MeshPort): Resource {
  const policy = port.service.metadata.annotations?.[BALANCING];
  return makeResource('cluster', Cluster, {
    ...httpCluster(port.cluster, MESH_CONNECT_TIMEOUT_MS, port.http2 ? HTTP2 : HTTP1),
    altStatName: `${port.serviceName}.${port.namespace}`,
    type: ClusterDiscoveryType.EDS,
    edsClusterConfig: { edsConfig: { ads: {}, resourceApiVersion: 2 }, serviceName: port.cluster },
    lbPolicy: policy === 'least-request' ? ClusterLbPolicy.LEAST_REQUEST : ClusterLbPolicy.ROUND_ROBIN,
    ...transportOf(port),
    ...outlierDetectionOf(port.service),
  });
}

/** mTLS to a sidecar, and around it what the app is to be told. */
function transportOf(port: MeshPort): { readonly transportSocket?: TransportSocketInput } {
  const { meshed, containerPort, spiffeIds, service } = port;
  const secure = meshed ? meshClientTls(meshServerName(containerPort), spiffeIds) : undefined;
  const version = sentProxyProtocol(service);
  const transportSocket = version === undefined ? secure : proxyProtocolTransport(version, secure);
  return transportSocket === undefined ? {} : { transportSocket };
}

function serviceEndpointsResource(port: MeshPort): Resource {
  const carries = port.endpoints.flatMap(({ pod }) => (pod === undefined ? [] : carriedPod(pod)));
  const message: ClusterLoadAssignmentInput = loadAssignment(port.cluster, port.endpoints);
  const resource = makeResource('endpoints', ClusterLoadAssignment, { ...message, clusterName: port.cluster }, carries);
  return port.ttlMs === undefined ? resource : mortal(resource, port.ttlMs);
}

/** The same for all who may reach the port; empty when it cannot be told. */
export function endpointsOf(port: MeshPort, memo: Memo): readonly Resource[] {
  const inputs = [endpointsKey(port), port.ttlMs];
  const made = memo.attempt(`endpoints ${port.cluster}`, inputs, () => serviceEndpointsResource(port), undefined);
  return made === undefined ? [] : [made];
}

/**
 * The app behind a sidecar: it listens on loopback, on the port that the agent gave it. It is spoken to as its caller speaks, and a
 * caller's proxy speaks HTTP/2 only where the Service says that the app does.
 */
export function inboundClusterResource(containerPort: number, appPort: number): Resource {
  const name = inboundName(containerPort);
  return makeResource('cluster', Cluster, {
    ...httpCluster(name, MESH_CONNECT_TIMEOUT_MS, AS_CALLER),
    altStatName: 'inbound',
    type: ClusterDiscoveryType.STATIC,
    loadAssignment: loadAssignment(name, [{ address: '127.0.0.1', port: appPort }]),
  });
}

/** Where requests go whose host no Service answers to: out of the mesh, to the address that their authority names. */
export function passthroughClusterResource(): Resource {
  const { name, connectTimeout, circuitBreakers } = httpCluster(PASSTHROUGH_CLUSTER, OUTSIDE_CONNECT_TIMEOUT_MS);
  return makeResource('cluster', Cluster, {
    name: name ?? '',
    ...(connectTimeout === undefined ? {} : { connectTimeout }),
    ...(circuitBreakers === undefined ? {} : { circuitBreakers }),
    altStatName: PASSTHROUGH_CLUSTER,
    lbPolicy: ClusterLbPolicy.CLUSTER_PROVIDED,
    clusterType: {
      name: 'envoy.clusters.dynamic_forward_proxy',
      typedConfig: packAny(DynamicForwardProxyCluster, { dnsCacheConfig: DNS_CACHE }),
    },
  });
}

export function unavailableClusterResource(): Resource {
  return makeResource('cluster', Cluster, {
    ...httpCluster(UNAVAILABLE_CLUSTER, MESH_CONNECT_TIMEOUT_MS),
    altStatName: UNAVAILABLE_CLUSTER,
    type: ClusterDiscoveryType.STATIC,
    loadAssignment: loadAssignment(UNAVAILABLE_CLUSTER, []),
  });
}

/** Envoy wants the same cache in the cluster and in the filter that stands before it. 1 is V4_ONLY. */
export const DNS_CACHE = { name: 'passthrough', dnsLookupFamily: 1 };

/** What of the world a service's cluster is made of, for {@link Memo}. */
export function clusterKey(port: MeshPort): string {
  return `${port.meshed} ${port.containerPort} ${port.spiffeIds.join(' ')}`;
}

const HTTP1: UpstreamHttpOptionsInput = { explicitHttpConfig: { httpProtocolOptions: {} } };
const HTTP2: UpstreamHttpOptionsInput = { explicitHttpConfig: { http2ProtocolOptions: {} } };
const AS_CALLER: UpstreamHttpOptionsInput = {
  useDownstreamProtocolConfig: { httpProtocolOptions: {}, http2ProtocolOptions: {} },
};

function httpCluster(
  name: string,
  connectTimeoutMs: number,
  protocol: UpstreamHttpOptionsInput = HTTP1,
): ClusterInput & { readonly name: string } {
  const limit = { value: MAX_REQUESTS };
  return {
    name,
    connectTimeout: durationOf(connectTimeoutMs),
    circuitBreakers: { thresholds: [{ maxConnections: limit, maxPendingRequests: limit, maxRequests: limit }] },
    typedExtensionProtocolOptions: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': packAny(UpstreamHttpOptions, {
        commonHttpProtocolOptions: {
          idleTimeout: durationOf(POOL_IDLE_MS),
          maxConnectionDuration: durationOf(CONNECTION_AGE_MS),
        },
        ...protocol,
      }),
    },
  };
}

interface Place {
  readonly address: string;
  readonly port: number;
}

/** One locality with a weight: gRPC skips a locality that has none (gRFC A27). */
function loadAssignment(clusterName: string, places: readonly Place[]): ClusterLoadAssignmentInput {
  if (places.length === 0) return { clusterName };
  const lbEndpoints = places.map(({ address, port }) => {
    const endpoint: EndpointInput = { address: { socketAddress: { address, portValue: port } } };
    return { endpoint, healthStatus: HealthStatus.HEALTHY, loadBalancingWeight: { value: 1 } };
  });
  return { clusterName, endpoints: [{ locality: {}, lbEndpoints, loadBalancingWeight: { value: places.length } }] };
}
