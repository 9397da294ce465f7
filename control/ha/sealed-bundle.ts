import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Files by their path within the state folder, as text. */
export type Bundle = Readonly<Record<string, string>>;

/** AES-256's. */
export const KEY_BYTES = 32;
/** GCM's own (NIST SP 800-38D, section 8.2): random, for far fewer than 2^32 bundles under one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PURPOSE = Buffer.from('tutti shared authority, format 1');

/** Encrypts and authenticates files with AES-256-GCM: base64 of nonce, tag and ciphertext. */
export function sealBundle(bundle: Bundle, key: Buffer): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(PURPOSE);
  const sealed = Buffer.concat([cipher.update(JSON.stringify(bundle), 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
}

/** Undefined when the key is another, or the text was changed. */
export function openBundle(text: string, key: Buffer): Bundle | undefined {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(PURPOSE)
    .setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  try {
    const opened = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
    return JSON.parse(opened.toString('utf8')) as Bundle;
  } catch {
    return undefined;
  }
}
