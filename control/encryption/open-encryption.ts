import type { Logger } from '../../kit/log.ts';
import type { ValueCodec } from '../server/verbs/value-codec.ts';
import type { Store } from '../store/store.ts';
import { KeyRing, makeKey } from './encryption-key.ts';
import { EncryptionRefusedError, readKeyFile, writeKeyFile } from './key-file.ts';
import { sealedState, sealStored } from './seal-stored.ts';
import { secretValues } from './secret-values.ts';

export interface EncryptionOptions {
  readonly store: Store;
  readonly keyFile: string;
  /** Make the file when it is missing and no Secret is sealed yet. Not for a file that a person has named. */
  readonly makeMissing: boolean;
  /** Rewrites the engine's files so that nothing forgotten is left in them; engines that cannot have none. */
  readonly wipe?: (() => Promise<void>) | undefined;
  readonly log: Logger;
}

export interface KeyRotation {
  /** Of the key that writes now. */
  readonly keyId: string;
  readonly secretsSealed: number;
  /** Ids of keys that read, but do not write. */
  readonly oldKeys: readonly string[];
  readonly droppedKeys: readonly string[];
}

export interface Encryption {
  readonly values: ValueCodec;
  readonly keyFile: string;
  /** Ids; the first writes. */
  keys(): readonly string[];
  /**
   * A new key writes from now on, and every Secret is sealed with it. With `old: 'drop'` history up to now is forgotten and the
   * older keys leave the file: then backups made before need a copy of it as it was.
   */
  rotate(options: { readonly old: 'keep' | 'drop' }): Promise<KeyRotation>;
}

/** In the store while history may still hold Secrets that were not sealed: a start that was cut short goes on where it was. */
const UNSEALED_HISTORY = '/encryption/unsealed-history';

/**
 * The keys for the Secrets of a store that this process may write. Secrets from before are sealed, and what the store still held of
 * them is wiped. Throws EncryptionRefusedError for a key file that is missing, readable by others or not the one of the store.
 */
export async function openEncryption(options: EncryptionOptions): Promise<Encryption> {
  const { keyFile } = options;
  const ring = await openRing(options);
  await sealWhatIsNot(options, ring);
  // One after the other: two at once would each write a file without the other's key.
  let last: Promise<unknown> = Promise.resolve();
  return {
    values: secretValues(ring),
    keyFile,
    keys: () => ring.all.map(({ id }) => id),
    rotate: ({ old }) => {
      const rotated = last.catch(() => undefined).then(() => rotateKey(options, ring, old));
      last = rotated;
      return rotated;
    },
  };
}

async function rotateKey(
  { store, keyFile }: EncryptionOptions,
  ring: KeyRing,
  old: 'keep' | 'drop',
): Promise<KeyRotation> {
  const fresh = makeKey();
  const older = ring.all;
  // On disk before the first value that needs it.
  await writeKeyFile(keyFile, [fresh, ...older]);
  ring.replace([fresh, ...older]);
  const secretsSealed = await sealStored(store, ring);
  const olderIds = older.map(({ id }) => id);
  if (old === 'keep') return { keyId: fresh.id, secretsSealed, oldKeys: olderIds, droppedKeys: [] };
  // Once more: a write under way may have been sealed just before the new key came.
  await sealStored(store, ring);
  await store.compact(await store.revision());
  await writeKeyFile(keyFile, [fresh]);
  ring.replace([fresh]);
  return { keyId: fresh.id, secretsSealed, oldKeys: [], droppedKeys: olderIds };
}

async function openRing({ store, keyFile, makeMissing }: EncryptionOptions): Promise<KeyRing> {
  const keys = await readKeyFile(keyFile);
  const { secrets, byKey } = await sealedState(store);
  const used = [...byKey.keys()].filter((id) => id !== '');
  if (keys === undefined) {
    if (used.length > 0) {
      throw new EncryptionRefusedError(
        `encryption key file "${keyFile}": is missing, and ${secrets - (byKey.get('') ?? 0)} Secrets are sealed with ` +
          `key ${used.join(', ')}; put the file back, or name it with --encryption-key`,
      );
    }
    if (!makeMissing) {
      throw new EncryptionRefusedError(
        `encryption key file "${keyFile}": is missing; make one with: (umask 077; openssl rand -base64 32 > "${keyFile}")`,
      );
    }
    const first = makeKey();
    await writeKeyFile(keyFile, [first]);
    return new KeyRing([first]);
  }
  const ring = new KeyRing(keys);
  const unknown = used.filter((id) => ring.find(id) === undefined);
  if (unknown.length > 0) {
    const count = unknown.reduce((sum, id) => sum + (byKey.get(id) ?? 0), 0);
    throw new EncryptionRefusedError(
      `encryption key file "${keyFile}": has no key ${unknown.join(', ')}, with which ${count} Secrets are sealed; add that ` +
        'key as a line below the others, or name the right file with --encryption-key',
    );
  }
  return ring;
}

async function sealWhatIsNot({ store, wipe, log }: EncryptionOptions, ring: KeyRing): Promise<void> {
  const { byKey } = await sealedState(store);
  const unsealed = byKey.get('') ?? 0;
  if (unsealed === 0 && (await store.get(UNSEALED_HISTORY)) === undefined) return;
  await store.transact({ compare: [], put: [{ key: UNSEALED_HISTORY, value: '{}' }], delete: [] });
  await sealStored(store, ring);
  await store.compact(await store.revision());
  await wipe?.();
  await store.transact({ compare: [], put: [], delete: [UNSEALED_HISTORY] });
  log.info({ secrets: unsealed, key: ring.writing.id }, 'encryption: sealed the Secrets of before');
}
