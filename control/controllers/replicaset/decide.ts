import type { Draft } from '../../../api/client/client.ts';
import { type Pod } from '../../../api/kinds/pod.ts';
import { type ReplicaSet, replicaSetKind } from '../../../api/kinds/replica-set.ts';
import type { Random } from '../../../kit/random.ts';
import { generatedName } from '../generated-name.ts';
import { controllerReference } from '../owner.ts';
import { availableInMs, isActive } from '../pod-state.ts';
import { rankForDeletion } from './deletion-rank.ts';

/** At most so many pods are made or deleted in one step (BurstReplicas in replica_set.go). */
export const BURST_REPLICAS = 500;

export interface ReplicaSetSnapshot {
  readonly replicaSet: ReplicaSet;
  /** The pods that it manages. */
  readonly pods: readonly Pod[];
  /** Active pods of all ReplicaSets of the same owner, its own included. */
  readonly related: readonly Pod[];
  /** Whether the snapshot shows everything that was done before. */
  readonly isCurrent: boolean;
}

/** Pods to make or pods to delete, never both. */
export interface ReplicaSetPlan {
  readonly creates: readonly Draft<Pod>[];
  readonly deletes: readonly Pod[];
  readonly reason: string;
  /** When a pod becomes available that is only ready now. */
  readonly requeueAfterMs: number | undefined;
}

/** Makes missing pods and deletes surplus ones (manageReplicas in replica_set.go). */
export function decideReplicaSet(snapshot: ReplicaSetSnapshot, nowMs: number, random: Random): ReplicaSetPlan {
  const { replicaSet, pods, related, isCurrent } = snapshot;
  const { minReadySeconds = 0 } = replicaSet.spec;
  const active = pods.filter(isActive);
  const requeueAfterMs = nextAvailableInMs(active, minReadySeconds, nowMs);
  const rest = { creates: [], deletes: [], requeueAfterMs };
  if (replicaSet.metadata.deletionTimestamp !== undefined) return { ...rest, reason: 'it is being deleted' };
  if (!isCurrent) return { ...rest, reason: 'what was done before is not seen yet' };
  const missing = replicaSet.spec.replicas - active.length;
  if (missing > 0) {
    const creates = podsToMake(replicaSet, pods, Math.min(missing, BURST_REPLICAS), random);
    return { ...rest, creates, reason: `${missing} of ${replicaSet.spec.replicas} pods are missing` };
  }
  if (missing < 0) {
    const deletes = rankForDeletion(active, { related, minReadySeconds, nowMs }).slice(
      0,
      Math.min(-missing, BURST_REPLICAS),
    );
    return { ...rest, deletes, reason: `${-missing} pods more than the ${replicaSet.spec.replicas} wanted` };
  }
  return { ...rest, reason: 'as many pods as wanted' };
}

/** Names are chosen here, so that what was asked for is known even when no answer comes. */
function podsToMake(
  replicaSet: ReplicaSet,
  pods: readonly Pod[],
  count: number,
  random: Random,
): readonly Draft<Pod>[] {
  const taken = new Set(pods.map(({ metadata }) => metadata.name));
  const generateName = `${replicaSet.metadata.name}-`;
  return Array.from({ length: count }, () => {
    const name = generatedName(generateName, taken, random);
    taken.add(name);
    return podFrom(replicaSet, name, generateName);
  });
}

/** A pod of the template (controller.GetPodFromTemplate). */
function podFrom(replicaSet: ReplicaSet, name: string, generateName: string): Draft<Pod> {
  const { metadata, spec } = replicaSet.spec.template;
  return {
    metadata: {
      name,
      generateName,
      namespace: replicaSet.metadata.namespace ?? '',
      ...(metadata.labels === undefined ? {} : { labels: metadata.labels }),
      ...(metadata.annotations === undefined ? {} : { annotations: metadata.annotations }),
      ...(metadata.finalizers === undefined ? {} : { finalizers: metadata.finalizers }),
      ownerReferences: [controllerReference(replicaSetKind, replicaSet)],
    },
    spec,
    status: { phase: 'Pending' },
  };
}

function nextAvailableInMs(active: readonly Pod[], minReadySeconds: number, nowMs: number): number | undefined {
  const waits = active.flatMap((pod) => availableInMs(pod, minReadySeconds, nowMs) ?? []).filter((wait) => wait > 0);
  return waits.length === 0 ? undefined : Math.min(...waits);
}
