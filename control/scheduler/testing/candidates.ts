import type { Node } from '../../../api/kinds/node.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import type { NodeCandidate } from '../candidate.ts';
import { ClusterView } from '../cluster-view.ts';

/** A node with these pods on it, as the scheduler sees it. */
export function candidate(node: Node, pods: readonly Pod[] = []): NodeCandidate {
  const view = new ClusterView();
  view.setNode(node);
  for (const pod of pods) view.setPod(pod);
  const [seen] = view.candidates();
  if (seen === undefined) throw new Error('the view has no node');
  return seen;
}
