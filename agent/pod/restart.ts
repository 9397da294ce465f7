import type { Pod } from '../../api/kinds/pod.ts';

/** init: runs to completion before the others. sidecar: an init container that keeps running. app: all others. */
export type ContainerRole = 'init' | 'sidecar' | 'app';

export type RestartPolicy = Pod['spec']['restartPolicy'];

// Kubernetes waits 10 s to 300 s (pkg/kubelet, initialNodeBackoff and MaxContainerBackOff); here 1 s to 60 s.
const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 60_000;

/** A run of this length makes the next crash the first again (kubernetes.io/docs "Pod Lifecycle": ten minutes). */
export const STABLE_AFTER_MS = 600_000;

/** Whether a container that ended so starts again. Init containers that succeeded are done, whatever the pod's policy. */
export function restarts(role: ContainerRole, policy: RestartPolicy, exitCode: number): boolean {
  if (role === 'sidecar') return true;
  if (policy === 'Never') return false;
  return exitCode !== 0 || (role === 'app' && policy === 'Always');
}

/** How long a container waits after its `crashes`th end in a row: not at all after the first, then 1 s, 2 s, … 60 s. */
export function restartDelayMs(crashes: number): number {
  if (crashes <= 1) return 0;
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(crashes - 2, 30));
}

/** The count of ends in a row, after a run of that length. */
export function crashesAfter(crashes: number, ranMs: number): number {
  return ranMs >= STABLE_AFTER_MS ? 1 : crashes + 1;
}

/** How long an image or a configuration that could not be had is left alone, after so many failures. */
export function refusalDelayMs(failures: number): number {
  return restartDelayMs(failures + 1);
}
