import assert from 'node:assert/strict';
import { type Change, type Changes, type Entry, FutureRevisionError } from '../store.ts';
import { type Conforms, NOTHING, put, remove, take, told, written } from './subject.ts';

export function watches(conforms: Conforms): void {
  conforms('a watch tells what history holds, then what comes, with what was there before', async ({ store }) => {
    await put(store, '/a', '1');
    await put(store, '/other', '1');
    await put(store, '/a', '2');
    const watch = store.watch('/a', { after: 1, signal: new AbortController().signal });
    const reading = take(watch, 3);
    await remove(store, '/a');
    await put(store, '/ab', '5');
    assert.deepEqual(await reading, [
      {
        type: 'put',
        key: '/a',
        revision: 3,
        value: '2',
        previous: { key: '/a', value: '1', revision: 1, created: 1 },
      },
      {
        type: 'delete',
        key: '/a',
        revision: 4,
        value: '2',
        previous: { key: '/a', value: '2', revision: 3, created: 1 },
      },
      { type: 'put', key: '/ab', revision: 5, value: '5', previous: undefined },
    ]);
  });

  conforms('a watch answers at once, even when there is nothing to tell', async ({ store }) => {
    await put(store, '/a', '1');
    const watch = store.watch('/b', { after: 0, signal: new AbortController().signal })[Symbol.asyncIterator]();
    assert.deepEqual(await watch.next(), { done: false, value: { changes: [], revision: 1 } });
    await watch.return?.();
  });

  conforms('a watch that sees nothing of its own is told how far the store has got', async ({ store, advance }) => {
    const watch = store.watch('/b', { after: 0, signal: new AbortController().signal })[Symbol.asyncIterator]();
    await watch.next();
    const next = watch.next();
    await put(store, '/a', '1');
    await put(store, '/a', '2');
    await advance(5000);
    assert.deepEqual(await next, { done: false, value: { changes: [], revision: 2 } });
    await watch.return?.();
  });

  conforms('all changes of one transaction come in one batch', async ({ store }) => {
    const keys = Array.from({ length: 60 }, (_, index) => `/a/${index}`);
    const watch = store.watch('/a/', { after: 0, signal: new AbortController().signal })[Symbol.asyncIterator]();
    await watch.next();
    const next = watch.next();
    await written(store, { ...NOTHING, put: keys.map((key) => ({ key, value: 'v' })) });
    const batch = (await next).value as Changes;
    assert.equal(batch.changes.length, 60);
    assert.equal(batch.revision, 1);
    await watch.return?.();
  });

  conforms(
    'from any revision, with writers at work, each change comes exactly once and in order',
    async ({ store }) => {
      const total = 400;
      for (let write = 0; write < 50; write++) await put(store, `/k/${write % 7}`, `${write}`);
      const starts = [0, 1, 25, 49, 50];
      const readers = starts.map((after) =>
        take(store.watch('/k/', { after, signal: new AbortController().signal }), total - after),
      );
      const writer = async (lane: number): Promise<void> => {
        for (let write = 0; write < 50; write++) await put(store, `/k/${(write + lane) % 7}`, `${lane}-${write}`);
      };
      await Promise.all([0, 1, 2, 3, 4, 5, 6].map(writer));
      assert.equal(await store.revision(), total);
      const whole = (await readers[0]) as Change[];
      assert.deepEqual(
        whole.map(({ revision }) => revision),
        Array.from({ length: total }, (_, index) => index + 1),
      );
      for (const [index, reader] of readers.entries()) {
        assert.deepEqual(told(await reader), told(whole.slice(starts[index])));
      }
      const before = new Map<string, Entry>();
      for (const change of whole) {
        assert.equal(change.previous?.revision, before.get(change.key)?.revision);
        before.set(change.key, { ...change, created: 0 });
      }
    },
  );

  conforms('a watch that reads slowly misses nothing', async ({ store }) => {
    const watch = store.watch('/k/', { after: 0, signal: new AbortController().signal })[Symbol.asyncIterator]();
    await watch.next();
    for (let write = 1; write <= 2500; write += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, index) => put(store, '/k/a', `${write + index}`)));
    }
    const values: number[] = [];
    while (values.length < 2500) {
      const { changes } = (await watch.next()).value as Changes;
      values.push(...changes.map(({ value }) => Number(value)));
    }
    assert.deepEqual(
      values,
      Array.from({ length: 2500 }, (_, index) => index + 1),
    );
    await watch.return?.();
  });

  conforms('an aborted watch ends without an error, waiting or not', async ({ store }) => {
    await put(store, '/a', '1');
    const abort = new AbortController();
    const watch = store.watch('/', { after: 0, signal: abort.signal })[Symbol.asyncIterator]();
    assert.equal((await watch.next()).done, false);
    const waiting = watch.next();
    abort.abort();
    assert.equal((await waiting).done, true);
    const late = store.watch('/', { after: 0, signal: abort.signal })[Symbol.asyncIterator]();
    assert.equal((await late.next()).done, true);
  });

  conforms('a watch from a revision that has not come is refused', async ({ store }) => {
    const watch = store.watch('/', { after: 1, signal: new AbortController().signal })[Symbol.asyncIterator]();
    await assert.rejects(watch.next(), FutureRevisionError);
  });
}
