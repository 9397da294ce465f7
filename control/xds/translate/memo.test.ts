import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Memo } from './memo.ts';

test('what cannot be made stays as it was, the failure is told once for the same inputs, and others go on', () => {
  const told: string[] = [];
  const memo = new Memo((key, error) => told.push(`${key}: ${(error as Error).message}`));
  const broken = (): never => {
    throw new Error('no such thing');
  };
  assert.equal(
    memo.attempt('a', [1], () => 'good', 'fallback'),
    'good',
  );
  memo.sweep();
  for (let pass = 0; pass < 3; pass++) {
    assert.equal(memo.attempt('a', [2], broken, 'fallback'), 'good');
    assert.equal(memo.attempt('new', [1], broken, 'fallback'), 'fallback');
    assert.equal(
      memo.take('b', [pass], () => pass),
      pass,
    );
    memo.sweep();
  }
  assert.deepEqual(told, ['a: no such thing', 'new: no such thing']);
  assert.equal(
    memo.attempt('a', [3], () => 'mended', 'fallback'),
    'mended',
  );
});
