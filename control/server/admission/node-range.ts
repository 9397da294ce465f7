import type { KubeObject } from '../../../api/kinds/kind.ts';
import type { Node } from '../../../api/kinds/node.ts';
import type { AdmissionRequest, AdmissionTools } from './admission.ts';
import { podRanges } from './pool.ts';

/** Gives a node the range that the addresses of its pods come from; an update keeps it. */
export async function admitNode(request: AdmissionRequest, { allocator }: AdmissionTools): Promise<KubeObject> {
  const { kind, object, old } = request as AdmissionRequest<Node>;
  if (kind.group !== '' || kind.kind !== 'Node') return object;
  const range = object.spec.podCIDR ?? old?.spec.podCIDR ?? (await allocator.free(podRanges, 1))[0];
  if (range === undefined) return object;
  const admitted: Node = { ...object, spec: { ...object.spec, podCIDR: range, podCIDRs: [range] } };
  return admitted;
}
