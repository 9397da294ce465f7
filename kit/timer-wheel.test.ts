import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FakeClock } from './fake-clock.ts';
import { Alarm, TimerWheel } from './timer-wheel.ts';

test('an alarm rings within a tick of its time, never before it, and only once', async () => {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock);
  const rang: number[] = [];
  const alarm = new Alarm(() => rang.push(clock.monotonic()));
  wheel.set(alarm, clock.monotonic(), 1005);
  await clock.advance(1004);
  assert.deepEqual(rang, []);
  await clock.advance(100);
  assert.equal(rang.length, 1);
  assert.ok((rang[0] ?? 0) >= 1005 && (rang[0] ?? 0) <= 1025, `rang at ${rang[0]}`);
  await clock.advance(60_000);
  assert.equal(rang.length, 1);
  assert.equal(clock.pendingTimers, 0);
});

test('an alarm that is moved, sooner or later, rings at its last time', async () => {
  for (const [first, second] of [
    [100, 5000],
    [5000, 100],
    [100, 60_000],
    [60_000, 40],
  ] as const) {
    const clock = new FakeClock();
    const wheel = new TimerWheel(clock);
    let rangAt = -1;
    const alarm = new Alarm(() => void (rangAt = clock.monotonic()));
    wheel.set(alarm, clock.monotonic(), first);
    wheel.set(alarm, clock.monotonic(), second);
    await clock.advance(70_000);
    assert.ok(rangAt >= second && rangAt <= second + 20, `moved from ${first} to ${second}: rang at ${rangAt}`);
  }
});

test('cleared and removed alarms are silent, and the wheel ends up empty', async () => {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock);
  const cleared = new Alarm(() => assert.fail('cleared'));
  const removed = new Alarm(() => assert.fail('removed'));
  wheel.set(cleared, clock.monotonic(), 50);
  wheel.set(removed, clock.monotonic(), 50);
  wheel.clear(cleared);
  wheel.remove(removed);
  assert.equal(wheel.size, 1);
  await clock.advance(1000);
  assert.equal(wheel.size, 0);
  assert.equal(clock.pendingTimers, 0);
});

test('an alarm may set itself and others while it rings', async () => {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock);
  let rings = 0;
  const other = new Alarm(() => assert.fail('cleared by the first'));
  const alarm = new Alarm(() => {
    rings++;
    wheel.clear(other);
    if (rings < 5) wheel.set(alarm, clock.monotonic(), 100);
  });
  wheel.set(alarm, clock.monotonic(), 100);
  wheel.set(other, clock.monotonic(), 400);
  await clock.advance(2000);
  assert.equal(rings, 5);
});

test('whatever is done to alarms, each rings when its last setting says', async () => {
  const operation = fc.tuple(
    fc.nat({ max: 4 }),
    fc.constantFrom('set', 'clear', 'remove'),
    fc.nat({ max: 30_000 }),
    fc.nat({ max: 3000 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 30 }), async (operations) => {
      const clock = new FakeClock();
      const wheel = new TimerWheel(clock);
      const due = [Infinity, Infinity, Infinity, Infinity, Infinity];
      const alarms = due.map(
        (_, index) =>
          new Alarm(() => {
            const late = clock.monotonic() - (due[index] ?? 0);
            assert.ok(late >= 0 && late <= 20, `alarm ${index}: ${late} ms late`);
            due[index] = Infinity;
          }),
      );
      for (const [index, what, delay, wait] of operations) {
        const alarm = alarms[index] as Alarm;
        if (what === 'set') wheel.set(alarm, clock.monotonic(), delay);
        else wheel[what](alarm);
        due[index] = what === 'set' ? clock.monotonic() + delay : Infinity;
        await clock.advance(wait);
      }
      await clock.advance(40_000);
      assert.deepEqual(due, [Infinity, Infinity, Infinity, Infinity, Infinity]);
    }),
    { numRuns: 60 },
  );
});
