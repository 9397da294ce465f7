import type { Pod } from '../../api/kinds/pod.ts';
import type { PodCondition } from '../../api/kinds/pod-status.ts';
import { findCondition } from '../../api/meta/condition.ts';

/** Whether it counts as a replica: neither ended nor on its way out (controller.IsPodActive). */
export function isActive(pod: Pod): boolean {
  return !isTerminal(pod) && pod.metadata.deletionTimestamp === undefined;
}

/** Whether all its containers have ended for good. */
export function isTerminal({ status: { phase } }: Pod): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

export function readyCondition(pod: Pod): PodCondition | undefined {
  return findCondition(pod.status.conditions, 'Ready');
}

export function isReady(pod: Pod): boolean {
  return readyCondition(pod)?.status === 'True';
}

/**
 * Milliseconds until a ready pod has been ready for `minReadySeconds`: 0 or less when it is available, undefined when it
 * is not ready (podutil.IsPodAvailable).
 */
export function availableInMs(pod: Pod, minReadySeconds: number, nowMs: number): number | undefined {
  const ready = readyCondition(pod);
  if (ready?.status !== 'True') return undefined;
  if (minReadySeconds === 0) return 0;
  // Without a time of change there is nothing to count from.
  if (ready.lastTransitionTime === undefined) return undefined;
  return Date.parse(ready.lastTransitionTime) + minReadySeconds * 1000 - nowMs;
}

export function isAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  const remaining = availableInMs(pod, minReadySeconds, nowMs);
  return remaining !== undefined && remaining <= 0;
}
