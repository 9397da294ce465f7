import type { KubeObject } from '../../../api/kinds/kind.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { nodeOf } from '../authn/user.ts';
import type { AdmissionRequest } from './admission.ts';

/**
 * An agent writes its own Node, its own Lease and the pods bound to its node, and no other
 * (plugin/pkg/admission/noderestriction). Authorization by kind is done before; this knows the object.
 */
export function refuseForeignNode({ kind, object, old, user }: AdmissionRequest): KubeObject {
  const node = nodeOf(user);
  if (node === undefined) return object;
  const why = refusal(kind.kind, node, object, old);
  if (why === undefined) return object;
  throw ApiError.forbidden(kind, object.metadata.name, why);
}

function refusal(kind: string, node: string, object: KubeObject, old: KubeObject | undefined): string | undefined {
  switch (kind) {
    case 'Node':
    case 'Lease':
      return object.metadata.name === node
        ? undefined
        : `node "${node}" is not allowed to modify ${kind.toLowerCase()} "${object.metadata.name}"`;
    case 'Pod': {
      const bound = ((old ?? object) as Pod).spec.nodeName;
      return bound === node ? undefined : `node "${node}" can only write pods with spec.nodeName set to itself`;
    }
    default:
      return undefined;
  }
}
