import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../kit/fake-clock.ts';
import { MovementWatch } from './movement.ts';

const IDLE_MS = 60_000;

test('an exchange moves as long as some byte goes either way within the idle time', () => {
  const watch = new MovementWatch(new FakeClock(), IDLE_MS);
  watch.begin();
  const look = (progress: number, nowMs: number) => watch.look({ bytesIn: 0, progress }, 'come', nowMs);
  assert.deepEqual(look(0, 1000), { kind: 'moves', dueMs: 61_000 });
  assert.deepEqual(look(1, 61_000), { kind: 'moves', dueMs: 121_000 });
  assert.deepEqual(look(1, 120_999), { kind: 'moves', dueMs: 121_000 });
  assert.deepEqual(look(1, 121_000), { kind: 'stands-still' });
  watch.begin();
  assert.deepEqual(look(1, 121_000), { kind: 'moves', dueMs: 181_000 }, 'another exchange, which nobody has looked at');
});

test('a body that is watched has 20 s, and one more for each 500 bytes; what the client was not read is not its time', async () => {
  const clock = new FakeClock();
  const watch = new MovementWatch(clock, IDLE_MS);
  watch.begin();
  assert.equal(watch.isOnBody, false);
  assert.equal(watch.watchBody(0, 'may-send'), 20_000);
  assert.equal(watch.isOnBody, true);
  const look = (bytes: number, body: 'coming' | 'come', nowMs: number) =>
    watch.look({ bytesIn: bytes, progress: bytes }, body, nowMs);
  assert.deepEqual(look(500, 'coming', 20_000), { kind: 'moves', dueMs: 21_000 });
  assert.deepEqual(look(500, 'coming', 21_000), { kind: 'trickles' });
  assert.equal(look(500, 'come', 21_000).kind, 'moves', 'whole, so that its rate is of no matter');
  await clock.advance(20_000);
  watch.hold();
  await clock.advance(5000);
  watch.release();
  assert.deepEqual(look(500, 'coming', 25_000), { kind: 'moves', dueMs: 26_000 });
});

test('the body of a client that may not send yet is given all of that time', async () => {
  const clock = new FakeClock();
  const watch = new MovementWatch(clock, IDLE_MS);
  watch.begin();
  watch.watchBody(0, 'is-held');
  await clock.advance(30_000);
  watch.release();
  assert.deepEqual(watch.look({ bytesIn: 0, progress: 0 }, 'coming', 30_000), { kind: 'moves', dueMs: 50_000 });
});
