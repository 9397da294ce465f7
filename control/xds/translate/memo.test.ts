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

test('what is made of one pod stays, whatever passes go by in which nobody asks for it, until the pod is gone', () => {
  const memo = new Memo();
  let made = 0;
  const ask = (): void => void memo.part('default/web-1').take('listeners', ['10.0.0.1'], () => (made += 1));
  ask();
  for (let pass = 0; pass < 1000; pass++) memo.sweep();
  ask();
  memo.retain((name) => name === 'default/web-1');
  ask();
  assert.equal(made, 1);
  memo.retain(() => false);
  ask();
  assert.equal(made, 2);
});

test('what is not asked for any more is forgotten, but not in the first passes in which nobody does', () => {
  const memo = new Memo();
  let made = 0;
  const ask = (): void => void memo.take('a', [], () => (made += 1));
  ask();
  for (let pass = 0; pass < 10; pass++) memo.sweep();
  ask();
  assert.equal(made, 1);
  for (let pass = 0; pass < 100; pass++) memo.sweep();
  ask();
  assert.equal(made, 2);
});

test('what is made anew and says the same is the one from before', () => {
  const memo = new Memo();
  const ask = (input: number, text: string): { readonly text: string } =>
    memo.take(
      'a',
      [input],
      () => ({ text }),
      (before, after) => before.text === after.text,
    );
  const first = ask(1, 'x');
  assert.equal(ask(2, 'x'), first);
  assert.notEqual(ask(3, 'y'), first);
});
