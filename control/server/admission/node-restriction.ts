import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../../api/kinds/kind.ts';
import type { Node } from '../../../api/kinds/node.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { APP_PORTS, MESH_ADDRESS, NODE_CERTIFICATES } from '../../../api/meta/well-known.ts';
import { nodeOf } from '../authn/user.ts';
import type { AdmissionRequest } from './admission.ts';

const LEASE_NAMESPACE = 'kube-node-lease';

/** What an agent says of a pod beside its status (docs/architecture.md, "A pod under the process driver"). */
const POD_ANNOTATIONS: readonly string[] = [MESH_ADDRESS, APP_PORTS];

/** Labels of Kubernetes' own domains that say what a machine is (kubeletapis.KubeletLabels); others say what it may have. */
const NODE_LABELS =
  /^(?:kubernetes\.io\/(?:hostname|arch|os)|beta\.kubernetes\.io\/(?:arch|os|instance-type)|topology\.kubernetes\.io\/(?:region|zone)|node\.kubernetes\.io\/.*|kubelet\.kubernetes\.io\/.*)$/;
const KUBERNETES_DOMAIN = /^(?:[^/]*\.)?(?:kubernetes|k8s)\.io\//;

/**
 * An agent writes its own Node, its own Lease and the pods bound to its node, and no other; and of these only what it knows
 * better than anyone (plugin/pkg/admission/noderestriction). Authorization by kind is done before; this knows the object.
 */
export function refuseForeignNode({ kind, object, old, user }: AdmissionRequest): KubeObject {
  const node = nodeOf(user);
  if (node === undefined) return object;
  const why = refusal(kind.kind, node, object, old);
  if (why === undefined) return object;
  throw ApiError.forbidden(kind, object.metadata.name, why);
}

function refusal(kind: string, node: string, object: KubeObject, old: KubeObject | undefined): string | undefined {
  const { name, namespace } = object.metadata;
  switch (kind) {
    case 'Node':
      if (name !== node) return `node "${node}" is not allowed to modify node "${name}"`;
      return nodeRefusal(node, object as Node, old as Node | undefined);
    case 'Lease':
      if (name !== node) return `node "${node}" is not allowed to modify lease "${name}"`;
      return namespace === LEASE_NAMESPACE
        ? undefined
        : `node "${node}" can only access leases in the "${LEASE_NAMESPACE}" namespace`;
    case 'Pod':
      if (old === undefined) return `node "${node}" can only read, update and delete pods, not create them`;
      return podRefusal(node, object as Pod, old as Pod);
    default:
      return undefined;
  }
}

/** Where pods may go and which credentials are good, others decide. */
function nodeRefusal(node: string, object: Node, old: Node | undefined): string | undefined {
  const mine = object.metadata.annotations?.[NODE_CERTIFICATES];
  if (mine !== old?.metadata.annotations?.[NODE_CERTIFICATES])
    return `node "${node}" is not allowed to modify annotation "${NODE_CERTIFICATES}"`;
  const label = changedKeys(old?.metadata.labels, object.metadata.labels).find(
    (key) => KUBERNETES_DOMAIN.test(key) && !NODE_LABELS.test(key),
  );
  if (label !== undefined) return `node "${node}" is not allowed to modify label "${label}"`;
  if (old === undefined) return undefined;
  if (!isDeepStrictEqual(object.spec.taints ?? [], old.spec.taints ?? []))
    return `node "${node}" is not allowed to modify taints`;
  return (object.spec.unschedulable ?? false) === (old.spec.unschedulable ?? false)
    ? undefined
    : `node "${node}" is not allowed to modify spec.unschedulable`;
}

function podRefusal(node: string, object: Pod, old: Pod): string | undefined {
  if (old.spec.nodeName !== node) return `node "${node}" can only write pods with spec.nodeName set to itself`;
  if (!isDeepStrictEqual(object.spec, old.spec)) return `node "${node}" is not allowed to modify the spec of a pod`;
  const { annotations: _before, ...before } = old.metadata;
  const { annotations: _after, ...after } = object.metadata;
  if (!isDeepStrictEqual(fixed(after), fixed(before)))
    return `node "${node}" is not allowed to modify the metadata of a pod`;
  const annotation = changedKeys(old.metadata.annotations, object.metadata.annotations).find(
    (key) => !POD_ANNOTATIONS.includes(key),
  );
  return annotation === undefined
    ? undefined
    : `node "${node}" is not allowed to modify annotation "${annotation}" of a pod`;
}

/** What of the metadata means something to others; its version and who manages it are the server's. */
function fixed({ labels, finalizers, ownerReferences }: Partial<Pod['metadata']>): object {
  return { labels: labels ?? {}, finalizers: finalizers ?? [], ownerReferences: ownerReferences ?? [] };
}

type Texts = Readonly<Record<string, string>>;

function changedKeys(before: Texts = {}, after: Texts = {}): readonly string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => before[key] !== after[key]);
}
