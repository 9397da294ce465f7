import type { Pod } from '../../../api/kinds/pod.ts';
import { isAvailable, isReady, readyCondition } from '../pod-state.ts';

/** Lets people say which pod should go first; 0 when missing (KEP-2255). */
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

const PHASE_RANK = { Pending: 0, Unknown: 1, Running: 2, Succeeded: 2, Failed: 2 } as const;

export interface RankContext {
  /** All active pods of the same owner, those of its other ReplicaSets included: they tell how crowded a node is. */
  readonly related: readonly Pod[];
  readonly minReadySeconds: number;
  readonly nowMs: number;
}

/**
 * Which pods go first when there are too many: those that are missed the least (controller.ActivePodsWithRanks in
 * controller_utils.go). In order: not assigned to a node, pending, not ready, not ready for minReadySeconds yet, cheaper
 * to delete, sharing their node with more of their kind, ready for a shorter time, restarted more often, younger.
 * Kubernetes leaves out minReadySeconds (kubernetes#22065) and may thus delete an available pod where another would do.
 */
export function rankForDeletion(
  pods: readonly Pod[],
  { related, minReadySeconds, nowMs }: RankContext,
): readonly Pod[] {
  const crowd = new Map<string, number>();
  for (const { spec } of related) crowd.set(spec.nodeName ?? '', (crowd.get(spec.nodeName ?? '') ?? 0) + 1);
  const ranked = pods.map((pod) => ({
    pod,
    key: [...missed(pod, minReadySeconds, nowMs), ...sortKey(pod, crowd, nowMs)],
  }));
  return ranked.sort((left, right) => compare(left.key, right.key)).map(({ pod }) => pod);
}

type SortKey = readonly (number | string)[];

/** How much the pod would be missed. */
function missed(pod: Pod, minReadySeconds: number, nowMs: number): SortKey {
  return [
    pod.spec.nodeName ? 1 : 0,
    PHASE_RANK[pod.status.phase],
    isReady(pod) ? 1 : 0,
    isAvailable(pod, minReadySeconds, nowMs) ? 1 : 0,
  ];
}

function sortKey(pod: Pod, crowd: ReadonlyMap<string, number>, nowMs: number): SortKey {
  const { metadata, spec } = pod;
  const cost = Number(metadata.annotations?.[DELETION_COST] ?? 0);
  return [
    Number.isSafeInteger(cost) ? cost : 0,
    -(crowd.get(spec.nodeName ?? '') ?? 0),
    ageBucket(readyCondition(pod)?.lastTransitionTime, nowMs),
    -restarts(pod),
    ageBucket(metadata.creationTimestamp, nowMs),
    metadata.uid,
  ];
}

function compare(left: SortKey, right: SortKey): number {
  for (const [index, value] of left.entries()) {
    const other = right[index] ?? 0;
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}

/** Ages in powers of two, so that among pods of about one age the uid decides, which is chance (KEP-2185). */
function ageBucket(since: string | undefined, nowMs: number): number {
  const age = since === undefined ? 0 : Math.max(0, nowMs - Date.parse(since));
  return Math.floor(Math.log2(1 + age / 1000));
}

function restarts({ status }: Pod): number {
  return Math.max(0, ...(status.containerStatuses ?? []).map(({ restartCount }) => restartCount));
}
