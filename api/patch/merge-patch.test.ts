import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ApiError } from '../meta/api-error.ts';
import { isObject, type Json, type JsonObject, ownField, sameJson } from './json.ts';
import { applyMergePatch } from './merge-patch.ts';

// RFC 7396, appendix A, whole.
const CASES: readonly (readonly [document: Json, patch: Json, result: Json])[] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

for (const [document, patch, result] of CASES) {
  test(`${JSON.stringify(document)} patched with ${JSON.stringify(patch)} is ${JSON.stringify(result)}`, () => {
    assert.deepEqual(applyMergePatch(document, patch), result);
  });
}

test('a hostile field name is refused', () => {
  const patch = JSON.parse('{"metadata": {"__proto__": {"polluted": 1}}}') as Json;
  assert.throws(
    () => applyMergePatch({}, patch),
    (error) => error instanceof ApiError && error.code === 400,
  );
});

test('a patch nested without end is refused', () => {
  let patch: Json = 1;
  for (let depth = 0; depth < 2000; depth++) patch = { a: patch };
  assert.throws(() => applyMergePatch({}, patch), /nested deeper/);
});

test('what a patch says is so afterwards, and saying it again changes nothing', () => {
  const leaf = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.integer(), { maxLength: 3 }),
  );
  const document = fc.letrec<{ object: JsonObject; value: Json }>((tie) => ({
    value: fc.oneof({ maxDepth: 3 }, leaf, tie('object')),
    object: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), tie('value'), { noNullPrototype: true }),
  })).object;
  const holds = (result: Json | undefined, patch: Json): boolean => {
    if (patch === null) return result === undefined;
    if (!isObject(patch)) return sameJson(result, patch);
    return isObject(result) && Object.entries(patch).every(([name, value]) => holds(ownField(result, name), value));
  };
  fc.assert(
    fc.property(document, document, (before, patch) => {
      const result = applyMergePatch(before, patch);
      assert.ok(holds(result, patch));
      assert.deepEqual(applyMergePatch(result, patch), result);
      const untouched = Object.keys(before).filter((name) => !Object.hasOwn(patch, name));
      for (const name of untouched) assert.deepEqual(ownField(result as JsonObject, name), before[name]);
    }),
  );
});
