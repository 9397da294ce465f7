import type { Node } from '../../../api/kinds/node.ts';
import type { Taint } from '../../../api/kinds/scheduling.ts';
import { findCondition } from '../../../api/meta/condition.ts';
import type { Filter } from '../candidate.ts';
import { tolerates } from '../tolerations.ts';

/**
 * A pod keeps off nodes with taints that it does not tolerate (plugins/tainttoleration). A node that is not ready, or
 * silent, counts as if it had the taint that Kubernetes' node lifecycle controller would give it.
 */
export const taints: Filter = {
  name: 'TaintToleration',
  check: ({ pod }, { node }) => {
    const repelling = [...readinessTaints(node), ...(node.spec.taints ?? [])].find(
      (taint) => taint.effect !== 'PreferNoSchedule' && !tolerates(pod, taint),
    );
    return repelling === undefined
      ? []
      : [`node(s) had untolerated taint {${repelling.key}: ${repelling.value ?? ''}}`];
  },
};

function readinessTaints({ status }: Node): readonly Taint[] {
  const ready = findCondition(status.conditions, 'Ready')?.status;
  if (ready === 'True') return [];
  const key = ready === 'Unknown' ? 'node.kubernetes.io/unreachable' : 'node.kubernetes.io/not-ready';
  return [{ key, effect: 'NoSchedule' }];
}
