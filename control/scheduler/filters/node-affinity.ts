import type { Node } from '../../../api/kinds/node.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import { matchesRequirements } from '../../../api/meta/label-selector.ts';
import type { Filter } from '../candidate.ts';

/** nodeSelector, and node affinity where it is required (plugins/nodeaffinity): both must match. */
export const nodeAffinity: Filter = {
  name: 'NodeAffinity',
  check: ({ pod }, { node }) =>
    matchesNodeSelector(pod, node) && matchesAffinity(pod, node)
      ? []
      : ["node(s) didn't match Pod's node affinity/selector"],
};

function matchesNodeSelector({ spec }: Pod, { metadata }: Node): boolean {
  return Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => metadata.labels?.[key] === value);
}

type Affinity = NonNullable<Pod['spec']['affinity']>;
type NodeSelectorTerm = NonNullable<
  NonNullable<Affinity['nodeAffinity']>['requiredDuringSchedulingIgnoredDuringExecution']
>['nodeSelectorTerms'][number];

/** One of the terms must match; a term without requirements matches nothing (nodeaffinity.NewNodeSelector). */
function matchesAffinity({ spec }: Pod, node: Node): boolean {
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || required.nodeSelectorTerms.some((term) => matchesTerm(term, node));
}

function matchesTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, { metadata }: Node): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  const filled = (requirements: typeof matchExpressions) =>
    requirements.map(({ values = [], ...requirement }) => ({ ...requirement, values }));
  // The one field that Kubernetes knows here.
  const fields = { 'metadata.name': metadata.name };
  return (
    matchesRequirements(filled(matchExpressions), metadata.labels) && matchesRequirements(filled(matchFields), fields)
  );
}
