import type { ReplicaSet } from '../../../api/kinds/replica-set.ts';

/* Sums over a Deployment's ReplicaSets. "Wanted" is what they are told, the rest is what they report. */

export function wanted(replicaSets: readonly ReplicaSet[]): number {
  return sum(replicaSets, ({ spec }) => spec.replicas);
}

export function actual(replicaSets: readonly ReplicaSet[]): number {
  return sum(replicaSets, ({ status }) => status.replicas);
}

export function ready(replicaSets: readonly ReplicaSet[]): number {
  return sum(replicaSets, ({ status }) => status.readyReplicas ?? 0);
}

/**
 * Pods that will still be available when every ReplicaSet has come down to what it is told. Reports may be older than
 * the last scaling; without this bound, pods that are about to go would be counted as a reason to let others go.
 */
export function lastingAvailable(replicaSets: readonly ReplicaSet[]): number {
  return sum(replicaSets, ({ spec, status }) => Math.min(spec.replicas, status.availableReplicas ?? 0));
}

export function available(replicaSets: readonly ReplicaSet[]): number {
  return sum(replicaSets, ({ status }) => status.availableReplicas ?? 0);
}

/** Those that are to have pods (controller.FilterActiveReplicaSets). */
export function active(replicaSets: readonly ReplicaSet[]): readonly ReplicaSet[] {
  return replicaSets.filter(({ spec }) => spec.replicas > 0);
}

/** Oldest first; the name decides between those of one second. */
export function byAge(left: ReplicaSet, right: ReplicaSet): number {
  const [older, newer] = [left.metadata.creationTimestamp, right.metadata.creationTimestamp];
  if (older !== newer) return older < newer ? -1 : 1;
  return left.metadata.name < right.metadata.name ? -1 : 1;
}

function sum(replicaSets: readonly ReplicaSet[], count: (replicaSet: ReplicaSet) => number): number {
  return replicaSets.reduce((total, replicaSet) => total + count(replicaSet), 0);
}
