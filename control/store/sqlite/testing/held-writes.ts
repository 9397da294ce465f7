import assert from 'node:assert/strict';
import { type Change, CompactedError, type Store } from '../../store.ts';
import type { Acknowledged } from './writer-process.ts';

export async function changesAfter(store: Store, after: number): Promise<readonly Change[]> {
  const changes: Change[] = [];
  const present = await store.revision();
  for await (const batch of store.watch('', { after, signal: new AbortController().signal })) {
    changes.push(...batch.changes);
    if (batch.revision >= present) break;
  }
  return changes;
}

/**
 * Fails unless the store is whole up to its revision: no revision left out, no half of a transaction, and each acknowledged write up to
 * there as it was, or replaced by a later one.
 */
export async function holdsEverything(store: Store, acknowledged: readonly Acknowledged[]): Promise<void> {
  const present = await store.revision();
  const oldest = await oldestKept(store);
  const changes = await changesAfter(store, oldest);
  const byRevision = Map.groupBy(changes, ({ revision }) => revision);
  const kept = Array.from({ length: present - oldest }, (_, index) => oldest + 1 + index);
  assert.deepEqual([...byRevision.keys()], kept);
  for (const of of byRevision.values()) {
    const [left, right] = of.filter(({ type }) => type === 'put');
    assert.equal(left?.key.replace('left', 'right'), right?.key);
    assert.equal(left?.value, right?.value);
  }
  for (const { revision, pair, value } of acknowledged) {
    if (revision > present) continue;
    const key = `/left/${pair}`;
    if (revision > oldest) {
      const change = byRevision.get(revision)?.find((one) => one.key === key);
      assert.equal(change?.value, value, `revision ${revision}`);
    }
    assert.ok(((await store.get(key))?.revision ?? 0) >= revision);
  }
  const { entries } = await store.list('/left/');
  for (const { key, value } of entries) {
    assert.equal((await store.get(key.replace('left', 'right')))?.value, value);
  }
}

async function oldestKept(store: Store): Promise<number> {
  try {
    await store.list('', { revision: 0 });
    return 0;
  } catch (error) {
    assert.ok(error instanceof CompactedError);
    return error.compacted;
  }
}
