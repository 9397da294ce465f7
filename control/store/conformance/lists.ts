import assert from 'node:assert/strict';
import { FutureRevisionError } from '../store.ts';
import { type Conforms, put, remove, shown } from './subject.ts';

export function lists(conforms: Conforms): void {
  conforms('a list gives the keys under a prefix in code-unit order', async ({ store }) => {
    for (const key of ['/b/1', '/a/2', '/a/10', '/a', '/a/1', '/aa/1', '/a/~', '/a/A']) await put(store, key, 'v');
    const keys = async (prefix: string): Promise<string[]> => (await store.list(prefix)).entries.map(({ key }) => key);
    assert.deepEqual(await keys('/a/'), ['/a/1', '/a/10', '/a/2', '/a/A', '/a/~']);
    assert.deepEqual(await keys('/a'), ['/a', '/a/1', '/a/10', '/a/2', '/a/A', '/a/~', '/aa/1']);
    assert.deepEqual(await keys('/c'), []);
    assert.equal((await keys('')).length, 8);
  });

  conforms('pages at one revision show that moment, whatever is written between them', async ({ store }) => {
    for (const key of ['/a', '/b', '/c', '/d', '/e']) await put(store, key, 'old');
    const first = await store.list('/', { limit: 2 });
    assert.deepEqual([shown(first), first.more, first.remaining, first.revision], [['/a=old', '/b=old'], true, 3, 5]);
    await put(store, '/d', 'new');
    await remove(store, '/c');
    await put(store, '/bb', 'new');
    const second = await store.list('/', { limit: 2, after: '/b', revision: 5 });
    assert.deepEqual([shown(second), second.more, second.remaining], [['/c=old', '/d=old'], true, 1]);
    const third = await store.list('/', { limit: 2, after: '/d', revision: 5 });
    assert.deepEqual([shown(third), third.more, third.remaining, third.revision], [['/e=old'], false, 0, 5]);
    assert.deepEqual(shown(await store.list('/', { after: '/b' })), ['/bb=new', '/d=new', '/e=old']);
  });

  conforms('a page that ends with the last key has no more, and one of no entries counts all', async ({ store }) => {
    for (const key of ['/a', '/b']) await put(store, key, 'v');
    const whole = await store.list('/', { limit: 2 });
    assert.deepEqual([whole.more, whole.remaining], [false, 0]);
    const none = await store.list('/', { limit: 0 });
    assert.deepEqual([none.entries.length, none.more, none.remaining], [0, true, 2]);
  });

  conforms('a list at a revision that has not come is refused', async ({ store }) => {
    await put(store, 'a', '1');
    await assert.rejects(store.list('', { revision: 2 }), FutureRevisionError);
  });
}
