import type { Filter } from '../candidate.ts';
import { tolerates } from '../tolerations.ts';

const TAINT = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const;

/** A node that is cordoned takes no new pods (plugins/nodeunschedulable). */
export const unschedulable: Filter = {
  name: 'NodeUnschedulable',
  check: ({ pod }, { node }) =>
    node.spec.unschedulable === true && !tolerates(pod, TAINT) ? ['node(s) were unschedulable'] : [],
};
