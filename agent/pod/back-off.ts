import type { ContainerFacts } from './container-plan.ts';
import { type RestartPolicy, restartDelayMs, restarts } from './restart.ts';

/** How long a container that has ended is left alone before it starts again, while it is; 0 when it is not left alone. */
export function backOffMs({ role, run, crashes }: ContainerFacts, policy: RestartPolicy, nowMs: number): number {
  const state = run?.state;
  if (state?.type !== 'exited' || !restarts(role, policy, state.exitCode)) return 0;
  const delayMs = restartDelayMs(crashes);
  return state.finishedAtMs + delayMs <= nowMs ? 0 : delayMs;
}
