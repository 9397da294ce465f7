import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type BackendCount, decideStep, type ErrorLimit, measureShares } from './decide.ts';

const onePercent: ErrorLimit = { kind: 'share', percent: 1 };
const count = (requests: number, errors: number): BackendCount => ({ service: 'catalog-v2', requests, errors });

for (const [name, canary, elapsedMs, limit, expected] of [
  ['waits while the step runs and nothing fails', count(500, 0), 4000, onePercent, 'wait'],
  ['goes on when the step is over', count(500, 5), 10_000, onePercent, 'next'],
  ['goes on without traffic when the step is over', count(0, 0), 10_000, onePercent, 'next'],
  ['goes back in the middle of a step', count(100, 2), 1000, onePercent, 'abort'],
  ['does not judge a share by a handful of requests', count(5, 1), 1000, onePercent, 'wait'],
  ['judges by a handful when no more came in the whole step', count(5, 1), 10_000, onePercent, 'abort'],
  ['counts errors when the limit is a number', count(5, 3), 1000, { kind: 'count', errors: 2 }, 'abort'],
  ['allows exactly the limit', count(1000, 10), 10_000, onePercent, 'next'],
] as const) {
  test(`a canary's step ${name}`, () => {
    assert.equal(decideStep({ canary, elapsedMs, everyMs: 10_000, limit }).kind, expected);
  });
}

test('a canary with more errors than allowed never goes on to the next step', () => {
  fc.assert(
    fc.property(fc.nat(10_000), fc.nat(10_000), fc.nat(20_000), fc.nat(100), (requests, errors, elapsedMs, percent) => {
      fc.pre(errors <= requests && requests > 0 && (errors / requests) * 100 > percent);
      const decision = decideStep({
        canary: count(requests, errors),
        elapsedMs,
        everyMs: 10_000,
        limit: { kind: 'share', percent },
      });
      assert.notEqual(decision.kind, 'next');
    }),
  );
});

test('shares are of what was counted between two readings, over all proxies', () => {
  const reading = (stable: number, canary: number) =>
    new Map([
      ['catalog', { service: 'catalog', requests: stable, errors: 0 }],
      ['catalog-v2', { service: 'catalog-v2', requests: canary, errors: 1 }],
    ]);
  const shares = measureShares(
    new Map([
      ['catalog', 90],
      ['catalog-v2', 10],
    ]),
    new Map([['a', reading(1000, 10)]]),
    new Map([
      ['a', reading(1080, 20)],
      ['b', reading(10, 0)],
    ]),
  );
  assert.deepEqual(
    shares.map(({ requests, share }) => [requests, share]),
    [
      [90, 90],
      [10, 10],
    ],
  );
});

test('a proxy that began anew between two readings counts from zero, never below', () => {
  const shares = measureShares(
    new Map([['catalog', 100]]),
    new Map([['a', new Map([['catalog', count(500, 5)]])]]),
    new Map([['a', new Map([['catalog', count(20, 0)]])]]),
  );
  assert.deepEqual(shares, [{ service: 'catalog', weight: 100, requests: 20, errors: 0, share: 100 }]);
});

test('without traffic there is no share', () => {
  assert.equal(measureShares(new Map([['a', 100]]), new Map(), new Map())[0]?.share, undefined);
});
