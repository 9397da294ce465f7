import type { Pod } from '../../../api/kinds/pod.ts';
import type { ReplicaSet } from '../../../api/kinds/replica-set.ts';
import { isAvailable, isReady } from '../pod-state.ts';

export type ReplicaSetStatus = ReplicaSet['status'];

/** What went wrong while pods were made or deleted. */
export interface Failure {
  readonly reason: 'FailedCreate' | 'FailedDelete';
  readonly message: string;
}

export interface Observation {
  readonly replicaSet: ReplicaSet;
  /** Its active pods. */
  readonly active: readonly Pod[];
  readonly failure: Failure | undefined;
  readonly nowMs: number;
  readonly now: string;
}

/** What the ReplicaSet is (calculateStatus in replica_set_utils.go). Zeroes but `replicas` are left out. */
export function observedStatus({ replicaSet, active, failure, nowMs, now }: Observation): ReplicaSetStatus {
  const { minReadySeconds = 0, template } = replicaSet.spec;
  const templateLabels = Object.entries(template.metadata.labels ?? {});
  const conditions = withFailure(replicaSet.status.conditions ?? [], failure, now);
  return {
    replicas: active.length,
    ...nonZero({
      fullyLabeledReplicas: active.filter(({ metadata }) =>
        templateLabels.every(([key, value]) => metadata.labels?.[key] === value),
      ).length,
      readyReplicas: active.filter(isReady).length,
      availableReplicas: active.filter((pod) => isAvailable(pod, minReadySeconds, nowMs)).length,
    }),
    observedGeneration: replicaSet.metadata.generation ?? 0,
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}

type Conditions = NonNullable<ReplicaSetStatus['conditions']>;

function withFailure(conditions: Conditions, failure: Failure | undefined, now: string): Conditions {
  const others = conditions.filter(({ type }) => type !== 'ReplicaFailure');
  if (failure === undefined) return others;
  const old = conditions.find(({ type }) => type === 'ReplicaFailure');
  if (old?.status === 'True' && old.reason === failure.reason) return conditions;
  return [...others, { type: 'ReplicaFailure', status: 'True', lastTransitionTime: now, ...failure }];
}

function nonZero<Field extends string>(counts: Readonly<Record<Field, number>>): Partial<Record<Field, number>> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0)) as Partial<
    Record<Field, number>
  >;
}
