import {
  Cluster,
  ClusterDiscoveryType,
  ClusterLbPolicy,
  ClusterLoadAssignment,
  type ClusterLoadAssignment as ClusterLoadAssignmentMessage,
  type Cluster as ClusterMessage,
  DynamicForwardProxyCluster,
  HealthStatus,
  UpstreamHttpOptions,
  type UpstreamHttpOptions as UpstreamHttpOptionsMessage,
} from '../../../xds/messages.js';
import type { ClusterConfig, Endpoint } from '../../cluster/cluster-config.ts';
import { outlierDetection } from './outlier-detection.ts';
import { upstreamTransport } from './transport.ts';
import { durationMs, isAny, ResourceError, unpackAny } from './unpack.ts';

/** A cluster without its endpoints, or with them where it brings them itself. */
export interface DecodedCluster {
  readonly config: ClusterConfig;
  /** The load assignment to ask for; undefined when the endpoints are in `config`. */
  readonly endpointsName: string | undefined;
}

// Envoy: Cluster.connect_timeout; CircuitBreakers.Thresholds.max_requests.
const DEFAULT_CONNECT_MS = 5000;
const DEFAULT_MAX_REQUESTS = 1024;
// linkerd2-proxy's pool idle time. Envoy's is an hour, which meets servers that close after seconds.
const DEFAULT_POOL_IDLE_MS = 3000;
// Envoy: Cluster.CommonLbConfig.healthy_panic_threshold.
const DEFAULT_PANIC_PERCENT = 50;
const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

export function decodeCluster(bytes: Uint8Array): DecodedCluster {
  const cluster = Cluster.decode(bytes);
  const { name, altStatName, connectTimeout, circuitBreakers, transportSocket } = cluster;
  const limits = circuitBreakers?.thresholds.find(({ priority }) => priority === 0);
  const shared = {
    name,
    service: altStatName === '' ? name : altStatName,
    policy: policyOf(cluster),
    connectTimeoutMs: durationMs(connectTimeout) ?? DEFAULT_CONNECT_MS,
    ...upstreamTransport(transportSocket),
    maxRequests: limits?.maxRequests?.value ?? DEFAULT_MAX_REQUESTS,
    outliers: outlierDetection(cluster.outlierDetection),
    panicPercent: cluster.commonLbConfig?.healthyPanicThreshold?.value ?? DEFAULT_PANIC_PERCENT,
    ...httpOptions(cluster),
  };
  if (isAny(cluster.clusterType?.typedConfig ?? null, DynamicForwardProxyCluster)) {
    return { config: { ...shared, kind: 'authority', endpoints: [] }, endpointsName: undefined };
  }
  if (cluster.clusterType !== null)
    throw new ResourceError(`cluster type "${cluster.clusterType.name}": is not known here`);
  switch (cluster.type ?? ClusterDiscoveryType.STATIC) {
    case ClusterDiscoveryType.EDS: {
      const endpointsName = cluster.edsClusterConfig?.serviceName ?? '';
      const config: ClusterConfig = { ...shared, kind: 'endpoints', endpoints: [] };
      return { config, endpointsName: endpointsName === '' ? name : endpointsName };
    }
    case ClusterDiscoveryType.STATIC: {
      const { loadAssignment } = cluster;
      const endpoints = loadAssignment === null ? [] : endpointsOf(loadAssignment);
      return { config: { ...shared, kind: 'endpoints', endpoints }, endpointsName: undefined };
    }
    default:
      throw new ResourceError(`discovery type ${cluster.type}: wanted EDS or STATIC`);
  }
}

export function decodeEndpoints(bytes: Uint8Array): { readonly name: string; readonly endpoints: readonly Endpoint[] } {
  const assignment = ClusterLoadAssignment.decode(bytes);
  return { name: assignment.clusterName, endpoints: endpointsOf(assignment) };
}

function policyOf({ lbPolicy }: ClusterMessage): ClusterConfig['policy'] {
  switch (lbPolicy) {
    case ClusterLbPolicy.LEAST_REQUEST:
      return 'least-request';
    case ClusterLbPolicy.ROUND_ROBIN:
    case ClusterLbPolicy.CLUSTER_PROVIDED:
      return 'round-robin';
    default:
      throw new ResourceError(`load balancing policy ${lbPolicy}: wanted ROUND_ROBIN or LEAST_REQUEST`);
  }
}

function httpOptions({
  typedExtensionProtocolOptions,
}: ClusterMessage): Pick<ClusterConfig, 'poolIdleMs' | 'maxConnectionMs' | 'protocol'> {
  const any = typedExtensionProtocolOptions[HTTP_OPTIONS];
  if (any === undefined) return { poolIdleMs: DEFAULT_POOL_IDLE_MS, maxConnectionMs: 0, protocol: 'http1' };
  const options = unpackAny(any, UpstreamHttpOptions, 'HTTP protocol options');
  return {
    poolIdleMs: durationMs(options.commonHttpProtocolOptions?.idleTimeout ?? null) ?? DEFAULT_POOL_IDLE_MS,
    // Envoy: no limit unless told.
    maxConnectionMs: durationMs(options.commonHttpProtocolOptions?.maxConnectionDuration ?? null) ?? 0,
    protocol: protocolOf(options),
  };
}

function protocolOf({
  explicitHttpConfig,
  useDownstreamProtocolConfig,
}: UpstreamHttpOptionsMessage): ClusterConfig['protocol'] {
  if (useDownstreamProtocolConfig !== null) return 'downstream';
  return explicitHttpConfig !== null && explicitHttpConfig.http2ProtocolOptions !== null ? 'http2' : 'http1';
}

/** Localities are flattened: the weight of an endpoint is its own. Only the first priority is used. */
function endpointsOf({ endpoints }: ClusterLoadAssignmentMessage): readonly Endpoint[] {
  return endpoints
    .filter(({ priority }) => priority === 0)
    .flatMap(({ lbEndpoints }) =>
      lbEndpoints.map(({ endpoint, healthStatus, loadBalancingWeight }) => {
        const socket = endpoint?.address?.socketAddress;
        if (socket?.portValue == null || socket.address === '') {
          throw new ResourceError('endpoint: wanted a socket address');
        }
        // gRFC A27, as Envoy: what is not told healthy or unknown takes no requests.
        const healthy = healthStatus === HealthStatus.UNKNOWN || healthStatus === HealthStatus.HEALTHY;
        return { address: socket.address, port: socket.portValue, weight: loadBalancingWeight?.value ?? 1, healthy };
      }),
    );
}
