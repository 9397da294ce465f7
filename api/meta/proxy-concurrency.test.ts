import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readProxyConcurrency } from './proxy-concurrency.ts';

test('a sidecar’s workers are a number or auto, and anything else is told', () => {
  for (const [text, workers] of [
    ['0', 1],
    ['1', 1],
    ['4', 4],
    ['256', 256],
    ['auto', 'auto'],
  ] as const) {
    assert.deepEqual(readProxyConcurrency(text), { workers }, text);
  }
  assert.equal(readProxyConcurrency(undefined), undefined);
  for (const text of ['', '-1', '257', '1.5', ' 2', 'two', '1000']) {
    const read = readProxyConcurrency(text);
    assert.ok(read !== undefined && 'problem' in read, text);
    assert.match(read.problem, /^".*": wanted "auto", or a number of workers from 0 to 256$/);
  }
});
