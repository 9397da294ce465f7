import type { Container } from '../../api/kinds/container.ts';
import type { ContainerState as ApiState, ContainerStatus as ApiStatus } from '../../api/kinds/pod-status.ts';
import { timestamp } from '../../kit/clock.ts';
import type { ContainerStatus } from '../runtime/runtime.ts';
import { backOffMs } from './back-off.ts';
import type { ContainerFacts } from './container-plan.ts';
import type { RestartPolicy } from './restart.ts';

export interface ContainerStatusInput {
  readonly container: Container;
  readonly facts: ContainerFacts;
  readonly policy: RestartPolicy;
  /** `name_namespace(uid)`, as the kubelet names pods in messages. */
  readonly podText: string;
  /** Init containers have not all ended: the others wait for them. */
  readonly isInitializing: boolean;
  /** Nothing is started any more. */
  readonly isEnding: boolean;
  /** What the run left as its termination message. */
  readonly messageOf: (run: ContainerStatus) => string | undefined;
  readonly nowMs: number;
}

/** A container as `kubectl get` and `describe` expect it (kubelet_pods.go, convertToAPIContainerStatuses). */
export function containerStatus(input: ContainerStatusInput): ApiStatus {
  const { container, facts } = input;
  const { run } = facts;
  const isRunning = run?.state.type === 'running';
  const state = presentState(input);
  return {
    name: container.name,
    state,
    lastState: lastState(input, state),
    ready: isRunning ? facts.ready : facts.role === 'init' && state.terminated?.exitCode === 0,
    restartCount: run?.key.attempt ?? 0,
    image: container.image ?? '',
    imageID: run?.imageId ?? '',
    ...(run === undefined || run.state.type === 'created' ? {} : { containerID: run.id }),
    started: isRunning && facts.started,
  };
}

function presentState(input: ContainerStatusInput): ApiState {
  const { facts, isInitializing } = input;
  const { run, refusal, role } = facts;
  if (run?.state.type === 'running') return { running: { startedAt: timestamp(run.state.startedAtMs) } };
  const ended = run?.state.type === 'exited' ? run : undefined;
  if (refusal !== undefined && !input.isEnding) {
    return { waiting: { reason: refusal.reason, message: refusal.message } };
  }
  if (ended === undefined) {
    return { waiting: { reason: isInitializing && role === 'app' ? 'PodInitializing' : 'ContainerCreating' } };
  }
  return backingOff(input) ?? terminated(input, ended);
}

/** While a container waits for its next start it shows why; before that, how it ended. */
function backingOff({
  facts,
  policy,
  isEnding,
  container,
  podText,
  nowMs,
}: ContainerStatusInput): ApiState | undefined {
  const delayMs = isEnding ? 0 : backOffMs(facts, policy, nowMs);
  if (delayMs === 0) return undefined;
  const message = `back-off ${delayMs / 1000}s restarting failed container=${container.name} pod=${podText}`;
  return { waiting: { reason: 'CrashLoopBackOff', message } };
}

function lastState(input: ContainerStatusInput, present: ApiState): ApiState {
  const { run, previous } = input.facts;
  if (present.terminated !== undefined) return previous === undefined ? {} : terminated(input, previous);
  const last = run?.state.type === 'exited' ? run : previous;
  return last === undefined ? {} : terminated(input, last);
}

function terminated({ messageOf }: ContainerStatusInput, run: ContainerStatus): ApiState {
  const { state } = run;
  if (state.type !== 'exited') return {};
  const message = messageOf(run) ?? state.message;
  return {
    terminated: {
      exitCode: state.exitCode,
      ...(state.signal === undefined ? {} : { signal: state.signal }),
      reason: state.isOutOfMemory === true ? 'OOMKilled' : state.exitCode === 0 ? 'Completed' : 'Error',
      ...(message === undefined || message === '' ? {} : { message }),
      startedAt: timestamp(state.startedAtMs),
      finishedAt: timestamp(state.finishedAtMs),
      containerID: run.id,
    },
  };
}
