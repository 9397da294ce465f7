import type { Change, Compare, Entry, Transaction } from './store.ts';

/** Longest key, in characters. */
export const MAX_KEY_LENGTH = 1024;

/** Largest value, in UTF-8 bytes: etcd's limit for a request (`--max-request-bytes`, 1.5 MiB). */
export const MAX_VALUE_BYTES = 1.5 * 1024 * 1024;

/** Most puts and deletes in one transaction. */
export const MAX_WRITES = 1024;

/** Throws TypeError for a transaction that no engine takes. The caller is at fault, so nothing tries to mend it. */
export function checkTransaction(transaction: Transaction): void {
  const keys = [...transaction.put.map(({ key }) => key), ...transaction.delete];
  if (keys.length > MAX_WRITES) {
    throw new TypeError(`transaction: has ${keys.length} writes, at most ${MAX_WRITES} are taken`);
  }
  for (const key of keys) checkKey(key);
  for (const { key } of transaction.compare) checkKey(key);
  if (keys.length > 1 && new Set(keys).size < keys.length) {
    throw new TypeError('transaction: writes a key twice, once is taken');
  }
  for (const { key, value } of transaction.put) checkValue(key, value);
}

function checkKey(key: string): void {
  if (key.length > MAX_KEY_LENGTH || !/^[\x20-\x7e]+$/.test(key)) {
    throw new TypeError(
      `key ${JSON.stringify(key.slice(0, 80))}: is not 1 to ${MAX_KEY_LENGTH} printable ASCII characters`,
    );
  }
}

function checkValue(key: string, value: string): void {
  // Text that is not well-formed, or holds NUL, would come back changed from an engine that keeps UTF-8.
  if (!value.isWellFormed() || value.includes('\0')) {
    throw new TypeError(`value of key "${key}": holds a lone surrogate or NUL, text was wanted`);
  }
  const bytes = value.length * 3 <= MAX_VALUE_BYTES ? 0 : Buffer.byteLength(value);
  if (bytes > MAX_VALUE_BYTES) {
    throw new TypeError(`value of key "${key}": has ${bytes} bytes, at most ${MAX_VALUE_BYTES} are taken`);
  }
}

export type Plan =
  | { readonly ok: true; readonly changes: readonly Change[] }
  | { readonly ok: false; readonly conflict: Compare; readonly present: Entry | undefined };

/** What a transaction would do at `revision`, given what is there. An engine only carries it out. */
export function planTransaction(
  transaction: Transaction,
  revision: number,
  present: (key: string) => Entry | undefined,
): Plan {
  for (const conflict of transaction.compare) {
    const found = present(conflict.key);
    if ((found?.revision ?? 0) !== conflict.revision) return { ok: false, conflict, present: found };
  }
  const changes: Change[] = [];
  for (const { key, value } of transaction.put) {
    changes.push({ type: 'put', key, revision, value, previous: present(key) });
  }
  for (const key of transaction.delete) {
    const previous = present(key);
    if (previous !== undefined) changes.push({ type: 'delete', key, revision, value: previous.value, previous });
  }
  return { ok: true, changes };
}

/** The entry that a put leaves behind. */
export function entryOf(change: Change): Entry {
  const { key, value, revision, previous } = change;
  return { key, value, revision, created: previous?.created ?? revision };
}
