import assert from 'node:assert/strict';
import { StoreClosedError, type Transaction } from '../store.ts';
import { MAX_KEY_LENGTH, MAX_VALUE_BYTES, MAX_WRITES } from '../transaction.ts';
import { type Conforms, NOTHING, put } from './subject.ts';

export function limitsAndClosing(conforms: Conforms): void {
  conforms('a transaction outside the limits is refused and writes nothing', async ({ store }) => {
    const refused: Record<string, Transaction> = {
      'empty key': { ...NOTHING, put: [{ key: '', value: 'v' }] },
      'key that is not ASCII': { ...NOTHING, put: [{ key: 'ü', value: 'v' }] },
      'key with NUL': { ...NOTHING, delete: ['a\0b'] },
      'long key': { ...NOTHING, compare: [{ key: 'k'.repeat(MAX_KEY_LENGTH + 1), revision: 0 }] },
      'key put twice': {
        ...NOTHING,
        put: [
          { key: 'a', value: '1' },
          { key: 'a', value: '2' },
        ],
      },
      'key put and deleted': { ...NOTHING, put: [{ key: 'a', value: '1' }], delete: ['a'] },
      'value too large': { ...NOTHING, put: [{ key: 'a', value: `${'x'.repeat(MAX_VALUE_BYTES)}x` }] },
      'value too large in bytes': { ...NOTHING, put: [{ key: 'a', value: 'ü'.repeat(MAX_VALUE_BYTES / 2 + 1) }] },
      'lone surrogate': { ...NOTHING, put: [{ key: 'a', value: '\ud800' }] },
      'too many writes': { ...NOTHING, delete: Array.from({ length: MAX_WRITES + 1 }, (_, index) => `${index}`) },
    };
    for (const [name, transaction] of Object.entries(refused)) {
      await assert.rejects(store.transact(transaction), TypeError, name);
    }
    assert.equal(await store.revision(), 0);
  });

  conforms(
    'closing ends watches without an error and refuses what comes after, and may come twice',
    async ({ store }) => {
      await put(store, '/a', '1');
      const signal = new AbortController().signal;
      const watch = store.watch('/', { after: 0, signal })[Symbol.asyncIterator]();
      await watch.next();
      const waiting = watch.next();
      const writing = put(store, '/a', '2').catch((error: unknown) => error);
      await Promise.all([store.close(), store.close()]);
      let end = await waiting;
      while (end.done !== true) end = await watch.next();
      const outcome = await writing;
      assert.ok(outcome === 2 || outcome instanceof StoreClosedError, 'a write under way is done or refused');
      await assert.rejects(store.get('/a'), StoreClosedError);
      await assert.rejects(put(store, '/a', '3'), StoreClosedError);
      await assert.rejects(store.list('/'), StoreClosedError);
      await assert.rejects(store.leases.acquire('leader', 'one', 1000), StoreClosedError);
    },
  );
}
