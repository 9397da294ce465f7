import { createHash, randomBytes } from 'node:crypto';

/** A key of AES-256. */
export interface EncryptionKey {
  /** Made from the key, so that it need not be kept beside it: 16 hexadecimal digits. Tells nothing of the key. */
  readonly id: string;
  readonly bytes: Buffer;
}

const KEY_BYTES = 32;

export function makeKey(): EncryptionKey {
  return keyOf(randomBytes(KEY_BYTES));
}

/** A key as its line in the key file has it: base64 of 32 bytes. Undefined for any other text. */
export function parseKey(text: string): EncryptionKey | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === KEY_BYTES && bytes.toString('base64') === text ? keyOf(bytes) : undefined;
}

export function formatKey(key: EncryptionKey): string {
  return key.bytes.toString('base64');
}

function keyOf(bytes: Buffer): EncryptionKey {
  return {
    id: createHash('sha256').update('tutti encryption key id\0').update(bytes).digest('hex').slice(0, 16),
    bytes,
  };
}

/** The keys in use: the first writes, all read. */
export class KeyRing {
  #keys: readonly [EncryptionKey, ...EncryptionKey[]];

  constructor(keys: readonly [EncryptionKey, ...EncryptionKey[]]) {
    this.#keys = keys;
  }

  get writing(): EncryptionKey {
    return this.#keys[0];
  }

  get all(): readonly [EncryptionKey, ...EncryptionKey[]] {
    return this.#keys;
  }

  find(id: string): EncryptionKey | undefined {
    return this.#keys.find((key) => key.id === id);
  }

  /** From now on these. */
  replace(keys: readonly [EncryptionKey, ...EncryptionKey[]]): void {
    this.#keys = keys;
  }
}
