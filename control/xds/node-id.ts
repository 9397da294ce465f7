import { INGRESS_NAMESPACE, INGRESS_SERVICE_ACCOUNT, workloadSpiffeId } from '../../api/meta/well-known.ts';
import { spiffeIdOf } from './translate/mesh-service.ts';
import type { World } from './translate/world.ts';

/** A proxy by what it stands for: docs/architecture.md, "xDS". */
export interface NodeId {
  readonly mode: 'sidecar' | 'ingress';
  readonly namespace: string;
  /** The pod, or the ingress' name. */
  readonly name: string;
}

export function parseNodeId(text: string): NodeId | undefined {
  const [mode, namespace, name, ...more] = text.split('/');
  if (namespace === undefined || namespace === '' || name === undefined || name === '' || more.length > 0)
    return undefined;
  return mode === 'sidecar' || mode === 'ingress' ? { mode, namespace, name } : undefined;
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
  const pod = world.pods.get(`${node.namespace}/${node.name}`);
  if (pod === undefined) return { kind: 'unknown' };
  const wanted = spiffeIdOf(pod, world.trustDomain);
  return spiffeId === wanted
    ? { kind: 'admitted' }
    : { kind: 'refused', reason: `its identity is ${spiffeId}, wanted ${wanted}` };
}
