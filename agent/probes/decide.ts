/**
 * What probes' outcomes come to, as in the kubelet's prober (pkg/kubelet/prober/worker.go). Pure: times are given, and
 * are of a clock that never goes back.
 *
 * Two things differ from the kubelet, both so that a pod is Ready as soon as it can be: startup and readiness probes run
 * every {@link EAGER_PERIOD_MS} until they first succeed, and a failure counts towards failureThreshold only when a whole
 * period has passed since the one that counted before. So an app has exactly the time to start that Kubernetes gives it.
 */

export type ProbeKind = 'startup' | 'readiness' | 'liveness';
export const PROBE_KINDS: readonly ProbeKind[] = ['startup', 'readiness', 'liveness'];

/** Kubernetes' fields of a probe, in milliseconds. */
export interface ProbeTiming {
  readonly initialDelayMs: number;
  readonly periodMs: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
}

export type Timings = Readonly<Partial<Record<ProbeKind, ProbeTiming>>>;

/** unknown: a startup probe that has not decided yet. */
export type Verdict = 'success' | 'failure' | 'unknown';

/** error: the probe itself could not be made; it says nothing about the container and is made again. */
export type Outcome = 'success' | 'failure' | 'error';

export interface ProbeState {
  readonly verdict: Verdict;
  readonly last: 'success' | 'failure' | undefined;
  /** How many outcomes like the last came in a row, as far as they count. */
  readonly run: number;
  readonly nextAtMs: number;
  /** When a failure last counted. */
  readonly countedAtMs: number | undefined;
  readonly hasSucceeded: boolean;
}

/** The probes of one run of one container. */
export type ProbesState = Readonly<Partial<Record<ProbeKind, ProbeState>>>;

export const EAGER_PERIOD_MS = 200;

/** Before any outcome: live, not ready, not known to have started (worker.go, newWorker's initialValue). */
const INITIAL: Readonly<Record<ProbeKind, Verdict>> = { startup: 'unknown', readiness: 'failure', liveness: 'success' };

export interface ProbesStart {
  readonly startedAtMs: number;
  /** What was known of a container that was adopted: it stays true until a probe says otherwise. */
  readonly known?: { readonly started: boolean; readonly ready: boolean };
  /** In [0, 1): spreads the first probes of adopted containers over their periods, as the kubelet does after a restart. */
  readonly phase?: number;
}

export function beginProbes(timings: Timings, start: ProbesStart): ProbesState {
  const state: Partial<Record<ProbeKind, ProbeState>> = {};
  for (const kind of PROBE_KINDS) {
    const timing = timings[kind];
    if (timing === undefined) continue;
    const hasSucceeded =
      kind === 'startup' ? start.known?.started === true : kind === 'readiness' && start.known?.ready === true;
    state[kind] = {
      verdict: hasSucceeded ? 'success' : INITIAL[kind],
      last: undefined,
      run: 0,
      nextAtMs: start.startedAtMs + timing.initialDelayMs + (start.phase ?? 0) * timing.periodMs,
      countedAtMs: undefined,
      hasSucceeded,
    };
  }
  return state;
}

/** Whether the startup probe, if there is one, has passed. */
export function isStarted(state: ProbesState): boolean {
  return state.startup === undefined || state.startup.verdict === 'success';
}

export function isReady(state: ProbesState): boolean {
  return isStarted(state) && (state.readiness === undefined || state.readiness.verdict === 'success');
}

/** The probe for which the container must be stopped and, by its restart policy, started again. */
export function failedProbe(state: ProbesState): 'startup' | 'liveness' | undefined {
  if (state.startup?.verdict === 'failure') return 'startup';
  return isStarted(state) && state.liveness?.verdict === 'failure' ? 'liveness' : undefined;
}

/** Probes that may run at all: startup alone until it has passed, then the others without it. */
export function activeProbes(state: ProbesState): readonly ProbeKind[] {
  if (failedProbe(state) !== undefined) return [];
  return PROBE_KINDS.filter((kind) => state[kind] !== undefined && (kind === 'startup') !== isStarted(state));
}

export function dueProbes(state: ProbesState, nowMs: number): readonly ProbeKind[] {
  return activeProbes(state).filter((kind) => (state[kind]?.nextAtMs ?? 0) <= nowMs);
}

/** When to look again; undefined when no probe will run. */
export function nextDueMs(state: ProbesState): number | undefined {
  const times = activeProbes(state).map((kind) => state[kind]?.nextAtMs ?? 0);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** The state after an outcome of a probe that began at `beganAtMs`. */
export function afterProbe(
  timing: ProbeTiming,
  kind: ProbeKind,
  state: ProbeState,
  outcome: Outcome,
  beganAtMs: number,
): ProbeState {
  if (outcome === 'error') return { ...state, nextAtMs: beganAtMs + timing.periodMs };
  const counts =
    outcome === 'success' || state.countedAtMs === undefined || beganAtMs - state.countedAtMs >= timing.periodMs;
  const run = outcome === state.last ? state.run + (counts ? 1 : 0) : 1;
  const threshold = outcome === 'success' ? timing.successThreshold : timing.failureThreshold;
  const verdict = run >= threshold ? outcome : state.verdict;
  const hasSucceeded = state.hasSucceeded || verdict === 'success';
  const isEager = kind !== 'liveness' && !hasSucceeded && outcome === 'failure';
  return {
    verdict,
    last: outcome,
    run,
    nextAtMs: beganAtMs + (isEager ? Math.min(EAGER_PERIOD_MS, timing.periodMs) : timing.periodMs),
    countedAtMs: outcome === 'success' ? undefined : counts ? beganAtMs : state.countedAtMs,
    hasSucceeded,
  };
}

/**
 * Whether a failure is worth an event. That nothing answers in the first moments of an app is its start, not news; from
 * the second failure that counts, or after a success, it is.
 */
export function isNews(before: ProbeState, after: ProbeState): boolean {
  if (after.last !== 'failure') return false;
  const counted = after.countedAtMs !== before.countedAtMs;
  return counted && (before.hasSucceeded || after.run > 1 || after.verdict !== before.verdict);
}
