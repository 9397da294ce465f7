/** Names of labels, annotations, conditions and addresses that more than one process reads. */

/** On a Pod: `host:port` of its sidecar's mesh port. Written by the agent. */
export const MESH_ADDRESS = 'tutti.dev/mesh-address';

/** On a Pod: JSON, container port to the port that the process got. Written by the agent. */
export const APP_PORTS = 'tutti.dev/app-ports';

/** On a Service: JSON, port name (or number) to the port that sidecars listen on for it. Written by the API server. */
export const OUTBOUND_PORTS = 'tutti.dev/outbound-ports';

/** On a Service: `*` (the default), `.` for its own namespace, or namespaces with commas between: who may reach it. */
export const EXPORT_TO = 'tutti.dev/export-to';

/** On a Service: `round-robin` (the default) or `least-request`: how callers' proxies pick among its endpoints. */
export const BALANCING = 'tutti.dev/balancing';

/**
 * On a Service: `off`, or how callers' proxies judge its endpoints by their answers: `consecutive5xxErrors=5,baseEjectionTime=10s`, by
 * the names of Istio's OutlierDetection (docs/traffic.md). What is not said stays as it is by default.
 */
export const OUTLIER_DETECTION = 'tutti.dev/outlier-detection';

/**
 * On a Service: how long a proxy that has lost the control plane may go on with the endpoints that it knows (`30s`; at least
 * `1s`). Without it, for ever. Only proxies that can forget are told (Envoy can).
 */
export const ENDPOINT_TTL = 'tutti.dev/endpoint-ttl';

/**
 * On a Gateway: connections begin with a PROXY protocol header (version 1 or 2) that says who the client is. The value is who may connect at
 * all: addresses and networks with commas between, or `*` for anybody (docs/protocols.md).
 */
export const ACCEPT_PROXY_PROTOCOL = 'tutti.dev/accept-proxy-protocol';

/** On a Service: `v1` or `v2`: its app is sent a PROXY protocol header before a connection's first byte; its ports are bytes then. */
export const SEND_PROXY_PROTOCOL = 'tutti.dev/send-proxy-protocol';

/** In the metadata of an endpoint that a proxy has ejected, in its load reports: why, and until when (ms since the epoch). */
export const EJECTED = 'tutti.dev/ejected';
export const EJECTED_UNTIL = 'tutti.dev/ejected-until';

/** On a Pod: `false` when it has no sidecar; callers' proxies then speak plain text to it. */
export const INJECT = 'tutti.dev/inject';

/** On a Pod: worker threads of its sidecar: a number, or `auto` for one on each core; 1 without it (Istio's `concurrency`). */
export const PROXY_CONCURRENCY = 'tutti.dev/concurrency';

/**
 * On a Pod: `true` when its containers call Services by gRPC's own xDS client (`xds:///NAME`): the agent then gives them a bootstrap, in
 * GRPC_XDS_BOOTSTRAP, and the pod's certificates as files (docs/grpc.md).
 */
export const PROXYLESS_GRPC = 'tutti.dev/proxyless-grpc';

/** What a gRPC client's bootstrap calls the pod's own certificates and the trust bundle; the name that Istio gave it. */
export const GRPC_CERTIFICATE_PROVIDER = 'default';

/**
 * On a Node that joined: SHA-256 of the certificates that its agent may show, in hex, commas between. Written by the API server;
 * a certificate that is not among them is worth nothing, so that a Node that is deleted takes its credentials with it.
 */
export const NODE_CERTIFICATES = 'tutti.dev/node-certificates';

/** Join tokens are Kubernetes' bootstrap tokens (k8s.io/cluster-bootstrap/token/api): Secrets of this type, place and name. */
export const JOIN_TOKEN_TYPE = 'bootstrap.kubernetes.io/token';
export const JOIN_TOKEN_NAMESPACE = 'kube-system';
export const JOIN_TOKEN_PREFIX = 'bootstrap-token-';

/** On a bootstrap token's Secret: the node that joined with it, when, and the hash of its key. Written by the API server. */
export const TOKEN_USED_BY = 'tutti.dev/used-by';
export const TOKEN_USED_AT = 'tutti.dev/used-at';
export const TOKEN_USED_KEY = 'tutti.dev/used-key';

/** The ConfigMap in kube-public from which who joins learns where the cluster is and what its CA is (as kubeadm's). */
export const CLUSTER_INFO = 'cluster-info';

/** Pod condition: no proxy routes to this pod any more. Written by the control plane's xDS controller. */
export const UNROUTED = 'tutti.dev/Unrouted';

/** HTTPRoute and Gateway condition: how many of the proxies that carry it have ACKed the present generation. */
export const CONVERGED = 'tutti.dev/Converged';

/** The port on a pod's own address where its sidecar speaks HTTP proxy. */
export const OUTBOUND_PROXY_PORT = 15001;

/** The controller name in GatewayClass that Tutti answers for. */
export const GATEWAY_CONTROLLER = 'tutti.dev/gateway-controller';

/** The GatewayClass of that controller that every cluster has. */
export const GATEWAY_CLASS = 'tutti';

/** Who an ingress proxy is: node id `ingress/tutti-system/<node>`. Only it is told of Gateways' listeners and certificates. */
export const INGRESS_NAMESPACE = 'tutti-system';
export const INGRESS_SERVICE_ACCOUNT = 'ingress';

export const CLUSTER_DOMAIN = 'cluster.local';
export const DEFAULT_TRUST_DOMAIN = 'tutti.local';

/** TLS server name by which a caller's sidecar tells the callee's which container port it wants. */
export function meshServerName(containerPort: number): string {
  return `${containerPort}.port.tutti.internal`;
}

/**
 * What a caller's sidecar asks for (ALPN) where it passes bytes on as they are: the callee's then does so too. HTTP is `http/1.1` or `h2`
 * between them as anywhere.
 */
export const MESH_BYTES_PROTOCOL = 'tutti-tcp';

/**
 * What a caller's sidecar asks for (ALPN) when it has HTTP/1.1 to carry: HTTP/2 between the two proxies, so that many requests share a
 * connection and its TLS records, and HTTP/1.1 again to the app. A callee that does not know it is spoken to in `http/1.1`.
 */
export const MESH_HTTP1_PROTOCOL = 'tutti-http1';

export function workloadSpiffeId(trustDomain: string, namespace: string, serviceAccount: string): string {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}

/** The control plane's own. */
export function controlSpiffeId(trustDomain: string): string {
  return `spiffe://${trustDomain}/tutti/control`;
}

/** The SPIFFE id of a node's agent. */
export function agentSpiffeId(trustDomain: string, node: string): string {
  return `spiffe://${trustDomain}/tutti/agent/${node}`;
}
