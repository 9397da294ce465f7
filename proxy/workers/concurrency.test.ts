import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedCounts } from '../cluster/shared-counts.ts';
import { cluster, listener, routeTable, tables } from '../test-support/tables.ts';
import { readConcurrency } from './concurrency.ts';
import { changeBetween, changed, NO_TABLES } from './tables-change.ts';

test('--concurrency is read as Envoy reads it, and auto is one worker a core', () => {
  assert.deepEqual(
    ['1', '4', '0', 'auto'].map((text) => readConcurrency(text, 8)),
    [1, 4, 1, 8],
  );
  for (const text of ['-1', '1.5', 'two', '', '257']) {
    assert.throws(() => readConcurrency(text, 8), /--concurrency .* wanted "auto", or a number/);
  }
});

test('a thread that is told changes has the tables of the moment, and the objects that it had of what did not change', () => {
  const [first, second] = [listener('a', 't'), listener('b', 't')];
  const [shared, more] = [SharedCounts.memory(2), SharedCounts.memory(2)];
  const before = {
    ...tables([first, second], [routeTable('t', [])], [cluster('c', [1])]),
    counts: new Map([['c', shared]]),
  };
  const after = {
    ...before,
    listeners: new Map([['a', first]]),
    clusters: new Map([['d', cluster('d', [2])]]),
    counts: new Map([['d', more]]),
  };
  const had = changed(NO_TABLES, structuredClone(changeBetween(NO_TABLES, before)));
  assert.deepEqual(had, before);
  const has = changed(had, structuredClone(changeBetween(before, after)));
  assert.deepEqual(has, after);
  assert.equal(has.listeners.get('a'), had.listeners.get('a'));
  assert.equal(has.routeTables.get('t'), had.routeTables.get('t'));
});
