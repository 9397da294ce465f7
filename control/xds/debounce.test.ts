import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../kit/fake-clock.ts';
import { Debounce } from './debounce.ts';

const PLAN = { quietMs: 10, maxMs: 100, busyMs: 500 };

/** Runs at which milliseconds, when it is asked at these. */
async function runs(asked: readonly number[], untilMs: number, busy: (nowMs: number) => boolean): Promise<number[]> {
  const clock = new FakeClock();
  const started = clock.monotonic();
  const now = (): number => clock.monotonic() - started;
  const found: number[] = [];
  const debounce = new Debounce(clock, { ...PLAN, busy: () => busy(now()) }, () => found.push(now()));
  for (let at = 0; at <= untilMs; at++) {
    if (asked.includes(at)) debounce.ask();
    await clock.advance(1);
  }
  debounce.close();
  return found;
}

const every = (stepMs: number, untilMs: number): readonly number[] =>
  Array.from({ length: Math.ceil(untilMs / stepMs) }, (_, at) => at * stepMs);

test('one asking is one run, when it was quiet for long enough', async () => {
  assert.deepEqual(await runs([0], 300, () => false), [10]);
});

test('a burst is one run after it, and askings without end do not put it off for ever', async () => {
  assert.deepEqual(await runs([0, 5, 9, 14], 300, () => false), [24]);
  const [first = 0, second = 0] = await runs(every(5, 250), 250, () => false);
  assert.ok(first <= 101 && second - first <= 110, `${first} ${second}`);
});

test('while it is busy a run waits, and begins soon after; it does not wait for ever', async () => {
  const [late = 0] = await runs([0], 400, (nowMs) => nowMs < 200);
  assert.ok(late >= 200 && late <= 211, String(late));
  const [never = 0] = await runs([0], 800, () => true);
  assert.ok(never >= 500 && never <= 511, String(never));
});

test('what comes meanwhile is part of the run that waits', async () => {
  assert.equal((await runs(every(20, 200), 600, (nowMs) => nowMs < 300)).length, 1);
});
