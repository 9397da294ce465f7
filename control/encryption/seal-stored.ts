import type { Entry, Store } from '../store/store.ts';
import type { KeyRing } from './encryption-key.ts';
import { sealedWith, sealText } from './sealed-text.ts';
import { openSecret, SECRETS_PREFIX } from './secret-values.ts';

const PAGE = 200;

export interface SealedState {
  readonly secrets: number;
  /** How many are sealed with which key; '' stands for those that are not sealed. */
  readonly byKey: ReadonlyMap<string, number>;
}

/** How the Secrets in a store are sealed now. */
export async function sealedState(store: Pick<Store, 'list'>): Promise<SealedState> {
  const byKey = new Map<string, number>();
  let secrets = 0;
  for await (const { value } of secretEntries(store)) {
    const id = sealedWith(value) ?? '';
    byKey.set(id, (byKey.get(id) ?? 0) + 1);
    secrets += 1;
  }
  return { secrets, byKey };
}

/**
 * Writes every Secret that is not sealed with the ring's first key anew, with that key. Others may write meanwhile: what they
 * write is sealed with it already. Returns how many were written. Throws for one that cannot be opened, and leaves it.
 */
export async function sealStored(store: Pick<Store, 'list' | 'get' | 'transact'>, ring: KeyRing): Promise<number> {
  let written = 0;
  for await (const listed of secretEntries(store)) {
    let entry: Entry | undefined = listed;
    while (entry !== undefined && sealedWith(entry.value) !== ring.writing.id) {
      const { key, revision, value } = entry;
      const sealed = sealText(ring.writing, key, openSecret(ring, key, value));
      const result = await store.transact({ compare: [{ key, revision }], put: [{ key, value: sealed }], delete: [] });
      if (result.ok) {
        written += 1;
        break;
      }
      entry = result.present;
    }
  }
  return written;
}

async function* secretEntries(store: Pick<Store, 'list'>): AsyncGenerator<Entry> {
  let after = '';
  for (;;) {
    const { entries, more } = await store.list(SECRETS_PREFIX, { limit: PAGE, after });
    yield* entries;
    if (!more) return;
    after = entries.at(-1)?.key ?? after;
  }
}
