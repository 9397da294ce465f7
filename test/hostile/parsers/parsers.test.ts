import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROPERTIES } from './properties.ts';
import { describeFailure, firstFailure } from './property.ts';

// For each parser, shared by the properties that are about it, and the same ones every time; `fuzz.ts` looks at others.
const CASES = 100_000;
const FIRST_SEED = 20_261_128;

const properties = Map.groupBy(PROPERTIES, ({ of }) => of);

for (const property of PROPERTIES) {
  test(`${property.of}: ${property.name}`, () => {
    const cases = Math.ceil(CASES / (properties.get(property.of)?.length ?? 1));
    const failure = firstFailure(property, FIRST_SEED, cases);
    assert.equal(failure && describeFailure(property, failure), undefined);
  });
}
