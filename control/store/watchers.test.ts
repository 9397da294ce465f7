import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../kit/fake-clock.ts';
import { takeBatch } from './batch.ts';
import { ChangeHistory } from './change-history.ts';
import { openMemoryStore } from './memory/memory-store.ts';
import type { Change, Changes } from './store.ts';

function change(revision: number, key = '/a', value = 'v'): Change {
  return { type: 'put', key, revision, value, previous: undefined };
}

function run(from: number, to: number): Change[] {
  return Array.from({ length: to - from }, (_, index) => change(from + index));
}

test('a batch ends with a whole revision, however many changes that has', () => {
  const wide = Array.from({ length: 1500 }, (_, index) => change(1, `/k/${index}`));
  const batch = takeBatch([...wide, change(2)], 9);
  assert.deepEqual([batch.changes.length, batch.revision], [1500, 1]);
  assert.deepEqual(takeBatch(run(1, 11), 12), { changes: run(1, 11), revision: 12 });
  const many = takeBatch(run(1, 5000), 5000);
  assert.deepEqual([many.changes.length, many.revision], [1000, 1000]);
});

test('a batch of large values is cut by its length', () => {
  const large = run(1, 40).map(({ revision }) => change(revision, '/a', 'x'.repeat(1024 * 1024)));
  const batch = takeBatch(large, 40);
  assert.deepEqual([batch.changes.length, batch.revision], [16, 16]);
});

test('a bounded history forgets whole revisions from its old end, by count and by length', () => {
  const byCount = new ChangeHistory(5, { maxChanges: 10, maxLength: 1000 });
  for (let revision = 6; revision <= 30; revision++) byCount.append([change(revision), change(revision, '/b')]);
  assert.equal(byCount.from, 25);
  assert.equal([...byCount.since(25, '')].length, 10);
  assert.deepEqual(
    [...byCount.since(28, '/b')].map(({ revision }) => revision),
    [29, 30],
  );
  const byLength = new ChangeHistory(0, { maxChanges: 10, maxLength: 1000 });
  for (let revision = 1; revision <= 5; revision++) byLength.append([change(revision, '/a', 'x'.repeat(400))]);
  assert.equal(byLength.from, 3);
  byLength.append([change(6, '/a', 'x'.repeat(5000))]);
  assert.deepEqual([byLength.from, [...byLength.since(6, '')].length], [6, 0]);
});

test('watches leave no timer and no listener behind when they end', async () => {
  const clock = new FakeClock();
  const store = openMemoryStore({ clock });
  const abort = new AbortController();
  const readers = ['/a', '/b', '/c'].map(async (prefix) => {
    const batches: Changes[] = [];
    for await (const batch of store.watch(prefix, { after: 0, signal: abort.signal })) batches.push(batch);
    return batches;
  });
  await store.transact({ compare: [], put: [{ key: '/a', value: '1' }], delete: [] });
  await clock.advance(1500);
  assert.equal(clock.pendingTimers, 0, 'nothing to tell, no timer');
  await store.transact({ compare: [], put: [{ key: '/a', value: '2' }], delete: [] });
  assert.equal(clock.pendingTimers, 1);
  abort.abort();
  const [a = [], b = []] = await Promise.all(readers);
  assert.equal(clock.pendingTimers, 0);
  assert.deepEqual(
    a.flatMap(({ changes }) => changes.map(({ value }) => value)),
    ['1', '2'],
  );
  assert.deepEqual(
    b.map(({ changes, revision }) => [changes.length, revision]),
    [
      [0, 0],
      [0, 1],
    ],
  );
});
