import type { ContainerStatus } from '../runtime/runtime.ts';
import { isEnding, type PodStage } from './lifecycle.ts';
import { type ContainerRole, type RestartPolicy, restartDelayMs, restarts } from './restart.ts';

/** Why a container could not be made, and when it is tried again. */
export interface Refusal {
  readonly reason: string;
  readonly message: string;
  readonly failures: number;
  readonly retryAtMs: number;
}

/** What is known of one container of a pod. Times are wall time. */
export interface ContainerFacts {
  readonly name: string;
  readonly role: ContainerRole;
  /** Its newest run. */
  readonly run: ContainerStatus | undefined;
  /** The run before that, when it is still known. */
  readonly previous: ContainerStatus | undefined;
  readonly busy: 'starting' | 'stopping' | undefined;
  /** Its startup probe has passed, if it has one. Of a run that goes on. */
  readonly started: boolean;
  readonly ready: boolean;
  /** A probe wants it stopped. */
  readonly unhealthy: boolean;
  readonly refusal: Refusal | undefined;
  /** How often in a row it has ended. */
  readonly crashes: number;
}

export type ContainerAction =
  | { readonly type: 'start'; readonly container: string; readonly attempt: number }
  | { readonly type: 'stop'; readonly container: string; readonly why: 'unhealthy' | 'leaving' };

export interface ContainerPlan {
  readonly actions: readonly ContainerAction[];
  /** When to look again although nothing happens. */
  readonly wakeAtMs: number | undefined;
}

export type Progress = 'waiting' | 'running' | 'done' | 'failed';

/** Where a container is, for those that wait for it. */
function progressOf(facts: ContainerFacts, policy: RestartPolicy): Progress {
  const state = facts.run?.state;
  if (state?.type === 'running') return 'running';
  if (state?.type !== 'exited' || restarts(facts.role, policy, state.exitCode)) return 'waiting';
  return state.exitCode === 0 ? 'done' : 'failed';
}

/** Init containers one after the other; one that keeps running lets the next begin when it has started. */
export function initProgress(
  containers: readonly ContainerFacts[],
  policy: RestartPolicy,
): 'pending' | 'done' | 'failed' {
  for (const facts of containers) {
    if (facts.role === 'app') continue;
    const progress = progressOf(facts, policy);
    if (progress === 'failed') return 'failed';
    if (!isPast(facts, progress)) return 'pending';
  }
  return 'done';
}

/**
 * The same for what is told of the pod: once a container of its own has run, initialization is behind it, and an init
 * container that keeps running and has just ended does not bring it back (kubelet_pods.go, podHasInitialized).
 */
export function toldInit(
  containers: readonly ContainerFacts[],
  policy: RestartPolicy,
): ReturnType<typeof initProgress> {
  const hasBegun = containers.some(
    ({ role, run }) => role === 'app' && run !== undefined && run.state.type !== 'created',
  );
  return hasBegun ? 'done' : initProgress(containers, policy);
}

/** Whether a container runs, starts or is being stopped. */
export function haveContainers(containers: readonly ContainerFacts[]): boolean {
  return containers.some(({ run, busy }) => run?.state.type === 'running' || busy !== undefined);
}

/** Whether all containers have ended for good. */
export function haveEnded(containers: readonly ContainerFacts[], policy: RestartPolicy): boolean {
  return containers
    .filter(({ role }) => role === 'app')
    .every((facts) => ['done', 'failed'].includes(progressOf(facts, policy)) && facts.busy === undefined);
}

/** What to start and stop now. */
export function planContainers(
  stage: PodStage,
  containers: readonly ContainerFacts[],
  policy: RestartPolicy,
  nowMs: number,
): ContainerPlan {
  if (stage === 'preparing' || stage === 'joining') return { actions: [], wakeAtMs: undefined };
  if (isEnding(stage) || stage === 'finished') return { actions: planStops(stage, containers), wakeAtMs: undefined };
  const plans = wanted(stage, containers, policy).map((facts) => planOne(facts, policy, nowMs));
  const wakes = plans.map(({ wakeAtMs }) => wakeAtMs).filter((at) => at !== undefined);
  return {
    actions: plans.flatMap(({ actions }) => actions),
    wakeAtMs: wakes.length === 0 ? undefined : Math.min(...wakes),
  };
}

/** Which containers are to run at all: in their turn. */
function wanted(
  stage: PodStage,
  containers: readonly ContainerFacts[],
  policy: RestartPolicy,
): readonly ContainerFacts[] {
  if (stage === 'running') return containers.filter(({ role }) => role !== 'init');
  const turn: ContainerFacts[] = [];
  for (const facts of containers) {
    if (facts.role === 'app') continue;
    if (facts.role === 'sidecar') turn.push(facts);
    const progress = progressOf(facts, policy);
    if (isPast(facts, progress)) continue;
    if (facts.role === 'init') turn.push(facts);
    break;
  }
  return turn;
}

function isPast(facts: ContainerFacts, progress: Progress): boolean {
  return facts.role === 'sidecar' ? progress === 'running' && facts.started : progress === 'done';
}

function planOne(facts: ContainerFacts, policy: RestartPolicy, nowMs: number): ContainerPlan {
  const { name, role, run, busy, refusal, crashes, unhealthy } = facts;
  const nothing = { actions: [], wakeAtMs: undefined };
  if (busy !== undefined) return nothing;
  const state = run?.state;
  if (state?.type === 'running') {
    return unhealthy
      ? { actions: [{ type: 'stop', container: name, why: 'unhealthy' }], wakeAtMs: undefined }
      : nothing;
  }
  const start = (attempt: number, atMs: number): ContainerPlan => {
    const notBefore = Math.max(atMs, refusal?.retryAtMs ?? 0);
    if (notBefore > nowMs) return { actions: [], wakeAtMs: notBefore };
    return { actions: [{ type: 'start', container: name, attempt }], wakeAtMs: undefined };
  };
  if (state?.type !== 'exited') return start(run?.key.attempt ?? 0, nowMs);
  if (!restarts(role, policy, state.exitCode)) return nothing;
  return start((run?.key.attempt ?? 0) + 1, state.finishedAtMs + restartDelayMs(crashes));
}

/** Containers first; those that serve them after, in the reverse of their order (KEP-753). */
function planStops(stage: PodStage, containers: readonly ContainerFacts[]): readonly ContainerAction[] {
  if (stage === 'unrouting' || stage === 'draining') return [];
  const alive = containers.filter(({ run, busy }) => run?.state.type === 'running' || busy !== undefined);
  const first = alive.filter(({ role }) => role !== 'sidecar');
  const next = first.length > 0 ? first : alive.slice(-1);
  return next
    .filter(({ busy }) => busy === undefined)
    .map(({ name }) => ({ type: 'stop', container: name, why: 'leaving' }));
}
