import { INGRESS_NAMESPACE, INGRESS_SERVICE_ACCOUNT, workloadSpiffeId } from '../../api/meta/well-known.ts';
import { spiffeIdOf } from './translate/mesh-service.ts';
import type { World } from './translate/world.ts';

/** A proxy by what it stands for: docs/architecture.md, "xDS". */
export interface NodeId {
  readonly mode: ProxyMode;
  readonly namespace: string;
  /** The pod, or the ingress' name. */
  readonly name: string;
  /** `<namespace>/<name>`: made once, for it is looked up with every change. */
  readonly key: string;
}

/** `grpc` is gRPC's own client in a pod; there may be any number of them in one. */
export type ProxyMode = 'sidecar' | 'ingress' | 'grpc';

const MODES: readonly string[] = ['sidecar', 'ingress', 'grpc'] satisfies readonly ProxyMode[];

export function parseNodeId(text: string): NodeId | undefined {
  const [mode = '', namespace, name, ...more] = text.split('/');
  if (namespace === undefined || namespace === '' || name === undefined || name === '' || more.length > 0)
    return undefined;
  return isMode(mode) ? { mode, namespace, name, key: `${namespace}/${name}` } : undefined;
}

function isMode(text: string): text is ProxyMode {
  return MODES.includes(text);
}

/**
 * The name by which a proxy's state is kept over its streams. Of a pod's gRPC clients, which all have the node id of the pod's bootstrap, each
 * stream is its own: what one has said yes to, another may not have heard.
 */
export function recordId(nodeId: string, { mode }: NodeId, stream: number): string {
  return mode === 'grpc' ? `${nodeId}#${stream}` : nodeId;
}

export type Admission =
  | { readonly kind: 'admitted' }
  /** The pod is not known here yet: ask again when it is. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Whether a peer with this SPIFFE id may have what is meant for the node: without it any workload could read another's
 * configuration, and a Gateway's private keys.
 */
export function admit(node: NodeId, spiffeId: string, world: World): Admission {
  if (node.mode === 'ingress') {
    const wanted = workloadSpiffeId(world.trustDomain, INGRESS_NAMESPACE, INGRESS_SERVICE_ACCOUNT);
    if (node.namespace !== INGRESS_NAMESPACE)
      return { kind: 'refused', reason: `an ingress is in ${INGRESS_NAMESPACE}` };
    return spiffeId === wanted
      ? { kind: 'admitted' }
      : { kind: 'refused', reason: `its identity is ${spiffeId}, wanted ${wanted}` };
  }
  const pod = world.pods.get(node.key);
  if (pod === undefined) return { kind: 'unknown' };
  const wanted = spiffeIdOf(pod, world.trustDomain);
  return spiffeId === wanted
    ? { kind: 'admitted' }
    : { kind: 'refused', reason: `its identity is ${spiffeId}, wanted ${wanted}` };
}
