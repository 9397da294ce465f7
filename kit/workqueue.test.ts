import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from './fake-clock.ts';
import { Workqueue, type WorkqueueOptions, type WorkResult } from './workqueue.ts';

interface Harness {
  readonly clock: FakeClock;
  readonly queue: Workqueue;
  readonly runs: string[];
  readonly errors: string[];
}

function harness(
  work: (key: string, signal: AbortSignal) => Promise<WorkResult>,
  options: Partial<WorkqueueOptions> = {},
): Harness {
  const clock = new FakeClock();
  const runs: string[] = [];
  const errors: string[] = [];
  const queue = new Workqueue({
    clock,
    random: () => 0,
    work: async (key, signal) => {
      runs.push(`${key}@${clock.monotonic()}`);
      return await work(key, signal);
    },
    onError: (key, error, attempt) => errors.push(`${key} #${attempt}: ${(error as Error).message}`),
    ...options,
  });
  return { clock, queue, runs, errors };
}

test('a key that waits already is worked once, however often it is added', async () => {
  const gate = Promise.withResolvers<undefined>();
  const { clock, queue, runs } = harness(() => gate.promise);
  queue.add('busy');
  for (let times = 0; times < 10; times++) queue.add('web');
  assert.equal(queue.depth, 2);
  gate.resolve(undefined);
  await clock.advance(0);
  assert.deepEqual(runs, ['busy@0', 'web@0']);
  assert.equal(queue.depth, 0);
});

test('a key that is added while its work runs is worked again after, never at once', async () => {
  let running = 0;
  let most = 0;
  const { clock, queue, runs } = harness(
    async () => {
      most = Math.max(most, ++running);
      await clock.sleep(10);
      running--;
      return undefined;
    },
    { concurrency: 4 },
  );
  queue.add('web');
  await clock.advance(5);
  queue.add('web');
  queue.add('web');
  await clock.advance(100);
  assert.deepEqual(runs, ['web@0', 'web@10']);
  assert.equal(most, 1);
});

test('different keys are worked at once, up to the concurrency', async () => {
  let running = 0;
  let most = 0;
  const { clock, queue, runs } = harness(
    async () => {
      most = Math.max(most, ++running);
      await clock.sleep(10);
      running--;
      return undefined;
    },
    { concurrency: 3 },
  );
  for (const key of ['a', 'b', 'c', 'd', 'e']) queue.add(key);
  await clock.advance(100);
  assert.equal(most, 3);
  assert.equal(runs.length, 5);
});

test('a failing key comes back with growing delay, and begins anew after a success', async () => {
  let failures = 3;
  const { clock, queue, runs, errors } = harness(
    () => (failures-- > 0 ? Promise.reject(new Error('no')) : Promise.resolve(undefined)),
    { backoff: { baseMs: 100, maxMs: 250 } },
  );
  queue.add('web');
  await clock.advance(10_000);
  assert.deepEqual(runs, ['web@0', 'web@100', 'web@300', 'web@550']);
  assert.deepEqual(errors, ['web #0: no', 'web #1: no', 'web #2: no']);
  failures = 1;
  queue.add('web');
  await clock.advance(10_000);
  assert.deepEqual(runs.slice(4), ['web@10000', 'web@10100']);
});

test('work may ask for another look later; the earliest plan for a key wins', async () => {
  let asks: number[] = [500];
  const { clock, queue, runs } = harness(() => {
    const requeueAfterMs = asks.shift();
    return Promise.resolve(requeueAfterMs === undefined ? undefined : { requeueAfterMs });
  });
  queue.add('web');
  await clock.advance(0);
  queue.addAfter('web', 2000);
  queue.addAfter('web', 100);
  queue.addAfter('web', 300);
  await clock.advance(5000);
  assert.deepEqual(runs, ['web@0', 'web@100']);
  asks = [];
  assert.equal(clock.pendingTimers, 0);
});

test('closing aborts what runs, waits for it, drops what waits and leaves no timer', async () => {
  let aborted = false;
  const { clock, queue, runs } = harness(async (_key, signal) => {
    await clock.sleep(60_000, signal).catch(() => {
      aborted = true;
    });
    return undefined;
  });
  queue.add('running');
  queue.add('waiting');
  queue.addAfter('later', 1000);
  await clock.advance(0);
  await queue.close();
  assert.equal(aborted, true);
  queue.add('late');
  await clock.advance(100_000);
  assert.deepEqual(runs, ['running@0']);
  assert.equal(clock.pendingTimers, 0);
  await queue.close();
});
