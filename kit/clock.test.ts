import assert from 'node:assert/strict';
import { test } from 'node:test';
import { microTimestamp, systemClock, timestamp } from './clock.ts';
import { FakeClock } from './fake-clock.ts';

test('timers of a fake clock fire in the order of their time, then of their start', async () => {
  const clock = new FakeClock(0);
  const fired: string[] = [];
  clock.timer(20, () => fired.push('late'));
  clock.timer(10, () => fired.push('first'));
  clock.timer(10, () => fired.push('second'));
  const stopped = clock.timer(5, () => fired.push('stopped'));
  stopped.stop();
  await clock.advance(15);
  assert.deepEqual(fired, ['first', 'second']);
  assert.equal(clock.now(), 15);
  await clock.advance(5);
  assert.deepEqual(fired, ['first', 'second', 'late']);
  assert.equal(clock.pendingTimers, 0);
});

test('code that sleeps in a loop keeps up with a fake clock that jumps', async () => {
  const clock = new FakeClock(0);
  const seen: number[] = [];
  const loop = async (): Promise<void> => {
    for (let turn = 0; turn < 3; turn++) {
      await clock.sleep(100);
      seen.push(clock.now());
    }
  };
  const done = loop();
  await clock.advance(1000);
  await done;
  assert.deepEqual(seen, [100, 200, 300]);
});

for (const [name, clock] of [
  ['system', systemClock()],
  ['fake', new FakeClock()],
] as const) {
  test(`an aborted sleep of the ${name} clock rejects with the reason and leaves no timer`, async () => {
    const abort = new AbortController();
    const sleeping = clock.sleep(60_000, abort.signal);
    abort.abort(new Error('enough'));
    await assert.rejects(sleeping, /enough/);
    await assert.rejects(clock.sleep(60_000, abort.signal), /enough/);
    if (clock instanceof FakeClock) assert.equal(clock.pendingTimers, 0);
  });
}

test('timestamps have the forms of metav1.Time and metav1.MicroTime', () => {
  const at = Date.UTC(2030, 1, 3, 4, 5, 6, 789);
  assert.equal(timestamp(at), '2030-02-03T04:05:06Z');
  assert.equal(microTimestamp(at), '2030-02-03T04:05:06.789000Z');
});
