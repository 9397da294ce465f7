import { test } from 'node:test';
import * as fc from 'fast-check';
import { PROPERTIES } from './properties.ts';

// 105,000 cases together, the same ones each time; `fuzz.ts` looks at others.
const CASES = 15_000;

for (const { name, property } of PROPERTIES) {
  test(name, () => fc.assert(property, { numRuns: CASES, seed: 20_261_128 }));
}
