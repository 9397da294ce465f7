import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusalOfStep } from './decide.ts';

const waiting = (names: readonly string[]) => ({ total: 9, carried: 9 - names.length, waiting: names });

test('a root is added and identities are renewed at any time; what others must carry first is waited for', () => {
  for (const step of ['add', 'renew'] as const) assert.equal(refusalOfStep(step, waiting(['pod/a/b'])), undefined);
  for (const step of ['switch', 'retire'] as const) {
    assert.equal(refusalOfStep(step, waiting([])), undefined);
    assert.equal(
      refusalOfStep(step, waiting(['pod/a/b'])),
      '8 of 9 agents and proxies carry the present stage; waiting for pod/a/b',
    );
    assert.match(refusalOfStep(step, waiting(['a', 'b', 'c', 'd', 'e'])) ?? '', /waiting for a, b, c and 2 more$/);
  }
});
