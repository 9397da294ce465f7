import type { ContainerStatus as ApiStatus, PodPhase } from '../../api/kinds/pod-status.ts';
import type { RestartPolicy } from './restart.ts';

export interface PhaseInput {
  readonly init: 'pending' | 'done' | 'failed';
  readonly containers: readonly ApiStatus[];
  /** Init containers that keep running: the pod is not over before they are. */
  readonly sidecars: readonly ApiStatus[];
  readonly policy: RestartPolicy;
}

/** The summary of a pod (kubelet_pods.go, getPhase). */
export function podPhase({ init, containers, sidecars, policy }: PhaseInput): PodPhase {
  if (init === 'failed') return 'Failed';
  if (init === 'pending') return 'Pending';
  const running = sidecars.filter(({ state }) => state.running !== undefined).length;
  const counts = { waiting: 0, running, stopped: 0, succeeded: 0 };
  for (const { state, lastState } of containers) {
    const ended = state.terminated ?? (state.waiting === undefined ? undefined : lastState.terminated);
    if (state.running !== undefined) counts.running++;
    else if (ended === undefined) counts.waiting++;
    else {
      counts.stopped++;
      if (state.terminated?.exitCode === 0) counts.succeeded++;
    }
  }
  if (counts.waiting > 0) return 'Pending';
  if (counts.running > 0) return 'Running';
  if (policy === 'Always') return 'Running';
  if (counts.succeeded === counts.stopped) return 'Succeeded';
  return policy === 'Never' ? 'Failed' : 'Running';
}
