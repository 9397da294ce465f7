import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseQuantity, quantityMilliValue, quantitySchema, quantityValue } from './quantity.ts';

// Forms and values from quantity_test.go of k8s.io/apimachinery.
const CANONICAL: readonly (readonly [written: string, canonical: string])[] = [
  ['0', '0'],
  ['0n', '0'],
  ['0Ki', '0'],
  ['1', '1'],
  ['1000', '1k'],
  ['1000m', '1'],
  ['1500m', '1500m'],
  ['0.5', '500m'],
  ['.5', '500m'],
  ['100m', '100m'],
  ['0.001', '1m'],
  ['0.0001', '100u'],
  ['0.000000001', '1n'],
  ['0.0000000001', '1n'],
  ['-0.5', '-500m'],
  ['1Ki', '1Ki'],
  ['1024Ki', '1Mi'],
  ['1.5Gi', '1536Mi'],
  ['0.5Mi', '512Ki'],
  ['1000Ki', '1000Ki'],
  ['1Ei', '1Ei'],
  ['0.5Ki', '512'],
  ['1e3', '1e3'],
  ['1E3', '1e3'],
  ['1000e0', '1e3'],
  ['1e-3', '1e-3'],
  ['12E', '9223372036854775807'],
  ['128Mi', '128Mi'],
  ['129e6', '129e6'],
  ['129M', '129M'],
  ['128974848000m', '128974848'],
  ['123Mi', '123Mi'],
];

for (const [written, canonical] of CANONICAL) {
  test(`the quantity ${written} is ${canonical} in canonical form`, () => {
    assert.equal(quantitySchema.parse(written), canonical);
  });
}

test('what is no quantity is refused with the rule', () => {
  for (const text of ['', '1.1.1', 'a', '1 Mi', '1MiB', '1mm', '++1', '1e', '.', '0x10']) {
    assert.equal(parseQuantity(text), undefined, text);
    assert.match(quantitySchema.safeParse(text).error?.message ?? '', /regular expression/);
  }
});

test('values are whole numbers, rounded up', () => {
  assert.equal(quantityValue('128Mi'), 134_217_728);
  assert.equal(quantityValue('1500m'), 2);
  assert.equal(quantityMilliValue('0.5'), 500);
  assert.equal(quantityMilliValue('100u'), 1);
  assert.equal(quantityMilliValue('2'), 2000);
  assert.throws(() => quantityValue('many'), /quantity "many"/);
});

test('the schema takes numbers as YAML gives them', () => {
  assert.equal(quantitySchema.parse(2), '2');
  assert.equal(quantitySchema.parse(0.5), '500m');
});

test('reading the canonical form gives the same quantity back', () => {
  const suffix = fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'G', 'T', 'Ki', 'Mi', 'Gi', 'Ti', 'e3', 'e-6', 'E2');
  fc.assert(
    fc.property(
      fc.integer({ min: -1_000_000, max: 1_000_000 }),
      fc.integer({ min: 0, max: 999 }),
      suffix,
      (whole, part, unit) => {
        const written = `${whole}.${String(part).padStart(3, '0')}${unit}`;
        const canonical = quantitySchema.parse(written);
        assert.equal(parseQuantity(canonical)?.nanos, parseQuantity(written)?.nanos);
        assert.equal(quantitySchema.parse(canonical), canonical);
      },
    ),
  );
});
