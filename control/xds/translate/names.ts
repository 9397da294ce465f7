/** Names of xDS resources: docs/architecture.md, "xDS". */

export const INBOUND_LISTENER = 'inbound';
export const OUTBOUND_PROXY_LISTENER = 'outbound-proxy';
export const OUTBOUND_ROUTES = 'outbound';
export const PASSTHROUGH_CLUSTER = 'passthrough';
/** Takes the share of a split that its backend cannot take. Has no endpoints. */
export const UNAVAILABLE_CLUSTER = 'unavailable';

/**
 * Secrets that a mesh proxy has of itself and never gets over xDS: its own SVID with key, and the trust bundle. An Envoy
 * names them so among its bootstrap's static secrets.
 */
export const MESH_IDENTITY_SECRET = 'mesh-identity';
export const MESH_TRUST_SECRET = 'mesh-trust';

/** Of `inbound/<container port>`: route table and cluster. */
export function inboundName(containerPort: number): string {
  return `inbound/${containerPort}`;
}

/** Cluster and load assignment of a Service's port. */
export function serviceCluster(namespace: string, service: string, port: number): string {
  return `service/${namespace}/${service}/${port}`;
}

/** Listener and route table by which a sidecar serves one port of a Service on an address of its own. */
export function outboundName(namespace: string, service: string, port: number): string {
  return `outbound/${namespace}/${service}/${port}`;
}

export function ingressListener(namespace: string, gateway: string, port: number): string {
  return `ingress/${namespace}/${gateway}/${port}`;
}

/** HTTPS listeners of one port each have their table; HTTP ones share one, called `http`, because only Host tells them apart. */
export function ingressRoutes(namespace: string, gateway: string, port: number, listener: string): string {
  return `${ingressListener(namespace, gateway, port)}/${listener}`;
}

/** What a resource carries of an object, for those who ask which proxies have it. */
export function carriedObject(
  kind: string,
  object: { readonly metadata: { namespace?: string | undefined; name: string } },
): string {
  return `${kind}/${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

export function carriedPod(pod: {
  readonly metadata: { namespace?: string | undefined; name: string; uid: string };
}): string {
  return `Pod/${pod.metadata.namespace ?? ''}/${pod.metadata.name}/${pod.metadata.uid}`;
}
