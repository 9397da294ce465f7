import type { OutlierDetection } from './outlier-detection.ts';

/** A group of endpoints that serve the same: xDS' Cluster with its ClusterLoadAssignment. Never mutated. */
export interface ClusterConfig {
  readonly name: string;
  /** What metrics and the canary's shares call it: `<service>.<namespace>`. */
  readonly service: string;
  readonly kind: /** Pick among `endpoints`. */
    | 'endpoints'
    /** Dial the request's own authority (resolved by the system): traffic that leaves the mesh. */
    | 'authority';
  readonly policy: 'round-robin' | 'least-request';
  readonly endpoints: readonly Endpoint[];
  readonly connectTimeoutMs: number;
  readonly tls: UpstreamTls | undefined;
  /**
   * Endpoints are told who the client is before its first byte, within the mesh's TLS where there is any (PROXY protocol). It speaks of
   * connections: requests, which share them, go without.
   */
  readonly sendProxyProtocol?: 1 | 2 | undefined;
  /** What endpoints are spoken to in; HTTP/2 over TLS or with prior knowledge. `downstream`: as the client speaks. */
  readonly protocol: 'http1' | 'http2' | 'downstream';
  /** More than this many whole requests at once are refused with 503 (Envoy's circuit breaker; default 1024); as many others may still be coming. */
  readonly maxRequests: number;
  /** An idle pooled connection is closed after this; below what servers wait (linkerd: 3 s; Node's server: 5 s). */
  readonly poolIdleMs: number;
  /** A connection this old carries what it has and no more; up to a tenth less by chance, so that they do not all end at once. 0: no limit. */
  readonly maxConnectionMs: number;
  /** Undefined: no answer keeps requests from an endpoint. */
  readonly outliers: OutlierDetection | undefined;
  /** With a smaller share of the healthy endpoints left, ejections are overlooked (Envoy's healthy_panic_threshold; default 50). */
  readonly panicPercent: number;
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
  /** 1 to 128 in Envoy; a share of the cluster's sum. */
  readonly weight: number;
  readonly healthy: boolean;
}

export interface UpstreamTls {
  readonly serverName: string;
  /** The peer's SVID must carry one of these. */
  readonly spiffeIds: readonly string[];
}
