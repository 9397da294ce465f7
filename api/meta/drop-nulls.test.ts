import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dropNulls } from './drop-nulls.ts';

test('null fields are dropped at every depth, null items stay', () => {
  assert.deepEqual(dropNulls({ a: null, b: { c: null, d: [{ e: null, f: 1 }, null] } }), {
    b: { d: [{ f: 1 }, null] },
  });
});

test('without nulls the value itself comes back', () => {
  const value = { a: { b: [1, 'x', { c: true }] } };
  assert.equal(dropNulls(value), value);
  assert.equal(dropNulls('text'), 'text');
});
