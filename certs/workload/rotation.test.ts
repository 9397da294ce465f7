import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { nextRotationMs } from './rotation.ts';

const DAY_MS = 86_400_000;
const fresh = { obtainedMs: 1000, notAfterMs: 1000 + DAY_MS, failures: 0 };

test('a fresh identity is replaced shortly before half of its life is over', () => {
  assert.equal(
    nextRotationMs(fresh, 1000, () => 0),
    DAY_MS / 2,
  );
  assert.ok(Math.abs(nextRotationMs(fresh, 1000, () => 1) - DAY_MS * 0.45) < 1);
  assert.equal(
    nextRotationMs(fresh, 1000 + DAY_MS / 4, () => 0),
    DAY_MS / 4,
  );
  assert.equal(
    nextRotationMs(fresh, 1000 + DAY_MS, () => 0),
    0,
  );
});

const retries: readonly { name: string; failures: number; leftMs: number; waitMs: number }[] = [
  { name: 'the first failure is retried after a second', failures: 1, leftMs: DAY_MS / 2, waitMs: 1000 },
  { name: 'each further one waits twice as long', failures: 4, leftMs: DAY_MS / 2, waitMs: 8000 },
  { name: 'up to five minutes', failures: 60, leftMs: DAY_MS / 2, waitMs: 300_000 },
  { name: 'but never more than a tenth of what is left', failures: 60, leftMs: 60_000, waitMs: 6000 },
  { name: 'and at the very end four times a second', failures: 60, leftMs: 1000, waitMs: 250 },
  { name: 'after the end at least every five seconds', failures: 60, leftMs: -1, waitMs: 5000 },
];
for (const { name, failures, leftMs, waitMs } of retries) {
  test(`rotation: ${name}`, () => {
    assert.equal(
      nextRotationMs({ obtainedMs: 0, notAfterMs: DAY_MS, failures }, DAY_MS - leftMs, () => 0),
      waitMs,
    );
  });
}

test('while an identity lives there is always time for further attempts, and no wait is negative or without end', () => {
  const life = fc.integer({ min: 10_000, max: 7 * DAY_MS });
  fc.assert(
    fc.property(
      life,
      fc.nat(100),
      fc.double({ min: 0, max: 1.5, noNaN: true }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (lifeMs, failures, share, chance) => {
        const nowMs = lifeMs * share;
        const waitMs = nextRotationMs({ obtainedMs: 0, notAfterMs: lifeMs, failures }, nowMs, () => chance);
        assert.ok(waitMs >= 0 && waitMs <= lifeMs / 2 + 300_000);
        const leftMs = lifeMs - nowMs;
        if (failures > 0 && leftMs > 2500) assert.ok(waitMs <= leftMs / 10 + 1e-6);
        if (failures > 0 && leftMs <= 0) assert.ok(waitMs <= 5000);
      },
    ),
  );
});
