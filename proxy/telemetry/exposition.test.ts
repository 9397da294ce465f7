import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Family } from './exposition.ts';

test('a label may hold what the format gives a meaning', () => {
  const family = new Family('a_total', 'counter', 'help with \\ and\na line');
  family.add({ path: 'C:\\dir "quoted"\nnext' }, 1);
  assert.equal(
    String(family),
    '# HELP a_total help with \\\\ and\\na line\n# TYPE a_total counter\na_total{path="C:\\\\dir \\"quoted\\"\\nnext"} 1\n',
  );
});

test('values are written as the format wants them', () => {
  const family = new Family('a', 'gauge', 'help');
  for (const value of [0.5, 1e21, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN])
    family.add({}, value);
  assert.deepEqual(String(family).split('\n').slice(2), ['a 0.5', 'a 1e+21', 'a +Inf', 'a -Inf', 'a NaN', '']);
});
