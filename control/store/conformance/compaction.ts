import assert from 'node:assert/strict';
import { type Changes, CompactedError, FutureRevisionError } from '../store.ts';
import { type Conforms, put, remove, shown, take, told } from './subject.ts';

export function compaction(conforms: Conforms): void {
  conforms('compaction keeps what is current and refuses what was before', async ({ store }) => {
    await put(store, '/a', '1');
    await put(store, '/b', '2');
    await put(store, '/a', '3');
    await remove(store, '/b');
    await put(store, '/c', '5');
    await store.compact(4);
    assert.deepEqual(shown(await store.list('/')), ['/a=3', '/c=5']);
    assert.deepEqual(shown(await store.list('/', { revision: 4 })), ['/a=3']);
    assert.deepEqual(await store.get('/a'), { key: '/a', value: '3', revision: 3, created: 1 });
    await assert.rejects(
      store.list('/', { revision: 3 }),
      (error) => error instanceof CompactedError && error.compacted === 4,
    );
    const tooLate = store.watch('/', { after: 3, signal: new AbortController().signal })[Symbol.asyncIterator]();
    await assert.rejects(tooLate.next(), CompactedError);
    const inTime = store.watch('/', { after: 4, signal: new AbortController().signal });
    assert.deepEqual(told(await take(inTime, 1)), ['5 put /c=5']);
  });

  conforms('a change after compaction still says what was there before it', async ({ store }) => {
    await put(store, '/a', '1');
    await put(store, '/a', '2');
    await store.compact(2);
    await put(store, '/a', '3');
    const watch = store.watch('/', { after: 2, signal: new AbortController().signal });
    assert.deepEqual((await take(watch, 1))[0]?.previous, { key: '/a', value: '2', revision: 2, created: 1 });
  });

  conforms('revisions go on after everything is deleted and compacted', async ({ store }) => {
    await put(store, '/a', '1');
    await remove(store, '/a');
    await store.compact(2);
    assert.equal(await store.revision(), 2);
    assert.equal(await put(store, '/a', '3'), 3);
    assert.equal((await store.get('/a'))?.created, 3);
  });

  conforms('compacting again, or further back, changes nothing; ahead of the store is refused', async ({ store }) => {
    for (const value of ['1', '2', '3']) await put(store, '/a', value);
    await store.compact(2);
    await store.compact(2);
    await store.compact(1);
    await assert.rejects(store.list('/', { revision: 1 }), CompactedError);
    assert.deepEqual(shown(await store.list('/', { revision: 2 })), ['/a=2']);
    await assert.rejects(store.compact(4), FutureRevisionError);
  });

  conforms('a slow watch that compaction overtakes falls out', async ({ store }) => {
    await put(store, '/a', '1');
    const watch = store.watch('/', { after: 0, signal: new AbortController().signal })[Symbol.asyncIterator]();
    await watch.next();
    for (const value of ['2', '3', '4']) await put(store, '/a', value);
    await store.compact(3);
    await assert.rejects(watch.next(), CompactedError);
  });

  conforms('a watch that has caught up outlives compaction', async ({ store }) => {
    const watch = store.watch('/a', { after: 0, signal: new AbortController().signal })[Symbol.asyncIterator]();
    await watch.next();
    const next = watch.next();
    for (const value of ['1', '2', '3']) await put(store, '/b', value);
    await store.compact(3);
    await put(store, '/a', 'seen');
    let batch = (await next).value as Changes;
    while (batch.changes.length === 0) batch = (await watch.next()).value as Changes;
    assert.deepEqual(told(batch.changes), ['4 put /a=seen']);
    await watch.return?.();
  });
}
