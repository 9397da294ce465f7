import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ListeningSocket } from '../engine.ts';
import { boundAnew, dealSockets } from './deal-sockets.ts';

const MAX_WORKERS = 12;

/** So many workers with so many sockets each, on each of the addresses; descriptors are numbers of their own. */
function sockets(workers: number, each: number, keys: readonly string[]): ListeningSocket[] {
  let fd = 10;
  return keys.flatMap((key) =>
    Array.from({ length: workers * each }, (_, at) => ({ worker: at % workers, key, fd: fd++ })),
  );
}

const byNumber = (left: number, right: number): number => left - right;

const before = fc
  .record({
    workers: fc.integer({ min: 1, max: MAX_WORKERS }),
    each: fc.integer({ min: 1, max: 3 }),
    keys: fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 4 }),
  })
  .map(({ workers, each, keys }) => sockets(workers, each, keys));

test('property: every socket is exactly one worker’s, every worker has as many of an address, and few are bound anew', () => {
  fc.assert(
    fc.property(before, fc.integer({ min: 1, max: MAX_WORKERS }), (taken, workers) => {
      const shares = dealSockets(taken, workers);
      assert.equal(shares.length, workers);
      const dealt = shares.flatMap((share) => [...share.values()].flatMap(({ descriptors }) => descriptors));
      assert.deepEqual(dealt.toSorted(byNumber), taken.map(({ fd }) => fd).toSorted(byNumber));
      for (const [key, of] of Map.groupBy(taken, (socket) => socket.key)) {
        const each = shares.map((share) => share.get(key) ?? { descriptors: [], fresh: 0 });
        const counts = each.map(({ descriptors, fresh }) => descriptors.length + fresh);
        assert.deepEqual(new Set(counts), new Set([Math.ceil(of.length / workers)]));
        assert.ok(each.reduce((sum, { fresh }) => sum + fresh, 0) < workers);
      }
    }),
  );
});

test('property: with as many workers as before each has the sockets that it had, and none is bound anew', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: MAX_WORKERS }), (workers) => {
      const taken = sockets(workers, 1, ['a', 'b']);
      dealSockets(taken, workers).forEach((share, worker) => {
        for (const [key, { descriptors, fresh }] of share) {
          assert.deepEqual(
            descriptors,
            taken.filter((socket) => socket.worker === worker && socket.key === key).map(({ fd }) => fd),
          );
          assert.equal(fresh, 0);
        }
      });
    }),
  );
});

for (const [from, to, sizes] of [
  [1, 2, ['1+0', '0+1']],
  [2, 1, ['2+0']],
  [3, 2, ['2+0', '1+1']],
  [2, 3, ['1+0', '1+0', '0+1']],
  [4, 2, ['2+0', '2+0']],
] as const) {
  test(`the sockets of ${from} workers for ${to}: ${sizes.join(', ')} (taken + bound anew)`, () => {
    const shares = dealSockets(sockets(from, 1, ['a']), to);
    assert.deepEqual(
      shares.map((share) => `${share.get('a')?.descriptors.length}+${share.get('a')?.fresh}`),
      sizes,
    );
  });
}

test('a worker that is started again binds as many as it had', () => {
  const share = new Map([['a', { descriptors: [7, 8], fresh: 1 }]]);
  assert.deepEqual(boundAnew(share), new Map([['a', { descriptors: [], fresh: 3 }]]));
});
