import type { Pod } from '../../api/kinds/pod.ts';

/**
 * Why a pod goes.
 * - deleted: its object has a deletionTimestamp; the agent removes the object when nothing is left.
 * - removed: its object is gone already.
 * - stopped: the agent stops everything; the object stays for the next start.
 */
export interface Leaving {
  readonly kind: 'deleted' | 'removed' | 'stopped';
  /** For its containers to end by themselves, the drain of its sidecar included. */
  readonly graceMs: number;
}

/** The kubelet's least grace, also for a pod deleted by force (pkg/kubelet/kuberuntime, minimumGracePeriodInSeconds). */
export const LEAST_GRACE_MS = 2000;

/** How long the agent waits to hear that no proxy sends the pod requests (docs/architecture.md, "Going away"). */
export const UNROUTED_WITHIN_MS = 10_000;

/** A sidecar may use half of the grace to finish what is in flight: the rest is the app's. */
const DRAIN_SHARE = 0.5;

export function graceOf({ metadata, spec }: Pod): number {
  return (metadata.deletionGracePeriodSeconds ?? spec.terminationGracePeriodSeconds) * 1000;
}

export function drainLimitMs({ graceMs }: Leaving): number {
  return graceMs * DRAIN_SHARE;
}

/** What is left of the grace for a container, after `elapsedMs` of it. */
export function restOfGraceMs({ graceMs }: Leaving, elapsedMs: number): number {
  return Math.max(Math.min(graceMs, LEAST_GRACE_MS), graceMs - elapsedMs);
}
