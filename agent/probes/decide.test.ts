import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  activeProbes,
  afterProbe,
  beginProbes,
  dueProbes,
  EAGER_PERIOD_MS,
  failedProbe,
  isNews,
  isReady,
  isStarted,
  nextDueMs,
  type Outcome,
  type ProbeKind,
  type ProbesState,
  type ProbeTiming,
} from './decide.ts';

const TIMING: ProbeTiming = { initialDelayMs: 0, periodMs: 10_000, successThreshold: 1, failureThreshold: 3 };

/** Runs a probe each time it is due, with an outcome by time, until `untilMs`. */
function play(
  timings: Readonly<Partial<Record<ProbeKind, ProbeTiming>>>,
  outcomeAt: (kind: ProbeKind, atMs: number) => Outcome,
  untilMs: number,
): {
  state: ProbesState;
  ran: { kind: ProbeKind; atMs: number }[];
  failedAtMs: number | undefined;
  readyAtMs: number | undefined;
} {
  let state = beginProbes(timings, { startedAtMs: 0 });
  const ran: { kind: ProbeKind; atMs: number }[] = [];
  let failedAtMs: number | undefined;
  let readyAtMs: number | undefined;
  for (let nowMs = 0; ; ) {
    const dueMs = nextDueMs(state);
    if (dueMs === undefined || dueMs > untilMs) return { state, ran, failedAtMs, readyAtMs };
    nowMs = Math.max(nowMs, dueMs);
    const atMs = nowMs;
    for (const kind of dueProbes(state, atMs)) {
      const [timing, before] = [timings[kind], state[kind]];
      if (timing === undefined || before === undefined) continue;
      ran.push({ kind, atMs });
      state = { ...state, [kind]: afterProbe(timing, kind, before, outcomeAt(kind, atMs), atMs) };
    }
    if (failedProbe(state) !== undefined) failedAtMs ??= atMs;
    if (isReady(state)) readyAtMs ??= atMs;
  }
}

test('without probes a container is started and ready', () => {
  const state = beginProbes({}, { startedAtMs: 0 });
  assert.deepEqual(
    [isStarted(state), isReady(state), failedProbe(state), nextDueMs(state)],
    [true, true, undefined, undefined],
  );
});

test('a readiness probe holds the container back until it first succeeds, and looks often until then', () => {
  const { readyAtMs, ran } = play({ readiness: TIMING }, (_, atMs) => (atMs >= 1000 ? 'success' : 'failure'), 30_000);
  assert.equal(readyAtMs, 1000);
  assert.deepEqual(ran.map(({ atMs }) => atMs).slice(0, 7), [0, 200, 400, 600, 800, 1000, 11_000]);
});

test('a readiness probe takes an app out after failureThreshold failures, and back after successThreshold successes', () => {
  const timing = { ...TIMING, successThreshold: 2 };
  const outcome = (_: ProbeKind, atMs: number): Outcome => (atMs >= 50_000 && atMs < 100_000 ? 'failure' : 'success');
  const at = (untilMs: number): boolean => isReady(play({ readiness: timing }, outcome, untilMs).state);
  assert.deepEqual(
    [at(0), at(10_000), at(60_000), at(70_000), at(100_000), at(110_000)],
    [false, true, true, false, false, true],
  );
});

test('the others wait for the startup probe, and it ends when it has passed', () => {
  const timings = { startup: TIMING, readiness: TIMING, liveness: TIMING };
  const { ran } = play(timings, (_, atMs) => (atMs >= 400 ? 'success' : 'failure'), 20_000);
  const kinds = ran.map(({ kind, atMs }) => `${kind}@${atMs}`);
  assert.deepEqual(kinds.slice(0, 5), ['startup@0', 'startup@200', 'startup@400', 'readiness@400', 'liveness@400']);
  assert.ok(!kinds.slice(3).some((each) => each.startsWith('startup')));
});

test('a startup probe gives the app failureThreshold periods, no less for looking often', () => {
  const { failedAtMs } = play({ startup: { ...TIMING, failureThreshold: 5 } }, () => 'failure', 100_000);
  assert.equal(failedAtMs, 40_000);
});

test('a liveness probe fails the container after failureThreshold failures in a row', () => {
  const { failedAtMs, ran } = play(
    { liveness: TIMING },
    (_, atMs) => (atMs >= 30_000 ? 'failure' : 'success'),
    100_000,
  );
  assert.equal(failedAtMs, 50_000);
  assert.equal(ran.at(-1)?.atMs, 50_000);
});

test('initialDelaySeconds counts from the start of the container', () => {
  const state = beginProbes({ liveness: { ...TIMING, initialDelayMs: 5000 } }, { startedAtMs: 1000 });
  assert.equal(nextDueMs(state), 6000);
});

test('an error of the probe itself changes nothing and is tried again', () => {
  const { state } = play({ liveness: TIMING }, () => 'error', 100_000);
  assert.deepEqual([state.liveness?.verdict, state.liveness?.run], ['success', 0]);
});

test('an adopted container stays what it was until a probe says otherwise', () => {
  const start = { startedAtMs: 0, known: { started: true, ready: true }, phase: 0.5 };
  const state = beginProbes({ startup: TIMING, readiness: TIMING, liveness: TIMING }, start);
  assert.deepEqual([isStarted(state), isReady(state), nextDueMs(state)], [true, true, 5000]);
  assert.deepEqual(activeProbes(state), ['readiness', 'liveness']);
});

test('the first failures of a start are no news; failures after a success are', () => {
  const news: number[] = [];
  let state = beginProbes({ readiness: TIMING }, { startedAtMs: 0 }).readiness;
  for (let atMs = 0; atMs <= 20_000 && state !== undefined; atMs += EAGER_PERIOD_MS) {
    const after = afterProbe(TIMING, 'readiness', state, 'failure', atMs);
    if (isNews(state, after)) news.push(atMs);
    state = after;
  }
  assert.deepEqual(news, [10_000, 20_000]);
  assert.ok(state !== undefined);
  const passed = afterProbe(TIMING, 'readiness', state, 'success', 30_000);
  assert.equal(isNews(passed, afterProbe(TIMING, 'readiness', passed, 'failure', 40_000)), true);
});

const timingArbitrary = fc.record({
  initialDelayMs: fc.integer({ min: 0, max: 5000 }),
  periodMs: fc.integer({ min: 1000, max: 20_000 }),
  successThreshold: fc.constant(1),
  failureThreshold: fc.integer({ min: 1, max: 5 }),
});

test('no container is failed before failureThreshold whole periods of failures have had their time', () => {
  fc.assert(
    fc.property(timingArbitrary, fc.constantFrom<ProbeKind>('startup', 'liveness'), (timing, kind) => {
      const { failedAtMs } = play({ [kind]: timing }, () => 'failure', 1_000_000);
      assert.ok(failedAtMs !== undefined);
      assert.ok(failedAtMs >= timing.initialDelayMs + (timing.failureThreshold - 1) * timing.periodMs);
      assert.ok(failedAtMs < timing.initialDelayMs + timing.failureThreshold * timing.periodMs + EAGER_PERIOD_MS);
    }),
  );
});

test('a container that answers is never failed, and is ready at its first due probe', () => {
  fc.assert(
    fc.property(timingArbitrary, timingArbitrary, (readiness, liveness) => {
      const { failedAtMs, readyAtMs } = play({ readiness, liveness }, () => 'success', 200_000);
      assert.deepEqual([failedAtMs, readyAtMs], [undefined, readiness.initialDelayMs]);
    }),
  );
});
