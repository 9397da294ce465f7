import assert from 'node:assert/strict';
import type { Change, Changes, Page, Store, Transaction } from '../store.ts';

/** A store under test, and the hand on its clock. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Lets time pass, as the engine sees it. */
  readonly advance: (byMs: number) => Promise<void>;
  /** Closes the store, if the test has not, and removes what it leaves. */
  readonly dispose: () => Promise<void>;
}

/** States one law of the store as a test on a new one. */
export type Conforms = (sentence: string, run: (subject: StoreUnderTest) => Promise<void>) => void;

export const NOTHING: Transaction = { compare: [], put: [], delete: [] };

export async function put(store: Store, key: string, value: string): Promise<number> {
  return written(store, { ...NOTHING, put: [{ key, value }] });
}

export async function remove(store: Store, key: string): Promise<number> {
  return written(store, { ...NOTHING, delete: [key] });
}

export async function written(store: Store, transaction: Transaction): Promise<number> {
  const result = await store.transact(transaction);
  assert.ok(result.ok);
  return result.revision;
}

export function shown(page: Page): string[] {
  return page.entries.map(({ key, value }) => `${key}=${value}`);
}

export function told(changes: readonly Change[]): string[] {
  return changes.map(({ type, key, value, revision }) => `${revision} ${type} ${key}=${value}`);
}

/** Reads a watch until it has given `count` changes. */
export async function take(watch: AsyncIterable<Changes>, count: number): Promise<Change[]> {
  const changes: Change[] = [];
  if (count === 0) return changes;
  for await (const batch of watch) {
    changes.push(...batch.changes);
    if (changes.length >= count) break;
  }
  return changes;
}
