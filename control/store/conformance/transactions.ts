import assert from 'node:assert/strict';
import { MAX_VALUE_BYTES } from '../transaction.ts';
import { type Conforms, NOTHING, put, remove, shown, written } from './subject.ts';

export function transactions(conforms: Conforms): void {
  conforms('a new store is empty and at revision 0', async ({ store }) => {
    assert.equal(await store.revision(), 0);
    assert.equal(await store.get('a'), undefined);
    assert.deepEqual(await store.list(''), { entries: [], revision: 0, more: false, remaining: 0 });
  });

  conforms('each transaction that writes takes the next revision, whatever it writes', async ({ store }) => {
    assert.equal(await put(store, 'a', '1'), 1);
    const both = { ...NOTHING, put: [{ key: 'b', value: '2' }], delete: ['a'] };
    assert.equal(await written(store, both), 2);
    assert.equal(await store.revision(), 2);
    assert.deepEqual(shown(await store.list('')), ['b=2']);
  });

  conforms('a transaction that writes nothing takes no revision', async ({ store }) => {
    await put(store, 'a', '1');
    assert.equal(await remove(store, 'absent'), 1);
    assert.equal(await written(store, { ...NOTHING, compare: [{ key: 'a', revision: 1 }] }), 1);
    assert.equal(await store.revision(), 1);
  });

  conforms('an entry keeps the revision that created it until it is deleted and made anew', async ({ store }) => {
    await put(store, 'a', '1');
    await put(store, 'a', '2');
    assert.deepEqual(await store.get('a'), { key: 'a', value: '2', revision: 2, created: 1 });
    await remove(store, 'a');
    await put(store, 'a', '4');
    assert.deepEqual(await store.get('a'), { key: 'a', value: '4', revision: 4, created: 4 });
  });

  conforms('a failed comparison writes nothing and says what is there', async ({ store }) => {
    await put(store, 'a', '1');
    const entry = await store.get('a');
    const cases = [
      { compare: { key: 'a', revision: 0 }, present: entry },
      { compare: { key: 'a', revision: 2 }, present: entry },
      { compare: { key: 'b', revision: 1 }, present: undefined },
    ];
    for (const { compare, present } of cases) {
      const result = await store.transact({
        compare: [{ key: 'a', revision: 1 }, compare],
        put: [{ key: 'a', value: 'lost' }],
        delete: [],
      });
      assert.deepEqual(result, { ok: false, conflict: compare, present });
    }
    assert.deepEqual(await store.get('a'), entry);
    assert.equal(await store.revision(), 1);
  });

  conforms('of many writers that create one key, one succeeds', async ({ store }) => {
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, writer) =>
        store.transact({
          compare: [{ key: 'a', revision: 0 }],
          put: [{ key: 'a', value: `${writer}` }],
          delete: [],
        }),
      ),
    );
    assert.equal(results.filter(({ ok }) => ok).length, 1);
    assert.equal(await store.revision(), 1);
  });

  conforms('writers that compare and retry lose no increment', async ({ store }) => {
    const increment = async (): Promise<void> => {
      for (;;) {
        const present = await store.get('count');
        const result = await store.transact({
          compare: [{ key: 'count', revision: present?.revision ?? 0 }],
          put: [{ key: 'count', value: `${Number(present?.value ?? 0) + 1}` }],
          delete: [],
        });
        if (result.ok) return;
      }
    };
    await Promise.all(Array.from({ length: 25 }, increment));
    assert.deepEqual(await store.get('count'), { key: 'count', value: '25', revision: 25, created: 1 });
  });

  conforms('values come back as they were, whatever characters and however large', async ({ store }) => {
    const values = ['', '{"a":"ü✓🙂"}', '\u0001\r\n\\"', 'x'.repeat(MAX_VALUE_BYTES), '✓'.repeat(MAX_VALUE_BYTES / 3)];
    for (const value of values) {
      await put(store, 'a', value);
      assert.equal((await store.get('a'))?.value === value, true, `value of ${value.length} characters`);
    }
  });
}
