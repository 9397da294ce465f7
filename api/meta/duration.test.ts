import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationMs, durationSchema } from './duration.ts';

// The examples of GEP-2257.
const CASES: readonly (readonly [text: string, ms: number | undefined])[] = [
  ['0s', 0],
  ['1h', 3_600_000],
  ['30m', 1_800_000],
  ['10s', 10_000],
  ['500ms', 500],
  ['2h30m', 9_000_000],
  ['1h1m1s1ms', 3_661_001],
  ['10s30m1h', 5_410_000],
  ['1', undefined],
  ['1d', undefined],
  ['1us', undefined],
  ['-1h', undefined],
  ['1.5h', undefined],
  ['100000s', undefined],
  ['1h 1m', undefined],
  ['1h1m1s1ms1h', undefined],
  ['', undefined],
];

for (const [text, ms] of CASES) {
  test(`the duration '${text}' ${ms === undefined ? 'is refused' : `is ${ms} ms`}`, () => {
    assert.equal(durationSchema.safeParse(text).success, ms !== undefined);
    if (ms !== undefined) assert.equal(durationMs(text), ms);
  });
}
