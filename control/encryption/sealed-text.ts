import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { EncryptionKey } from './encryption-key.ts';

/**
 * AES-256-GCM with a random nonce of 96 bits (NIST SP 800-38D, 8.2.2): `tutti:enc:aesgcm:v1:<key id>:<base64>`, the bytes
 * being nonce, ciphertext and tag. Head and place are authenticated too, so a value moved to another place does not open.
 */
const MARK = 'tutti:enc:aesgcm:';
const PLAIN_VERSION = 'v1';
/** The text was deflated before. */
const DEFLATED_VERSION = 'v1z';
const HEAD = /^tutti:enc:aesgcm:(v1|v1z):([0-9a-f]{16}):/;

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Base64 makes a third more of it: longer texts are deflated first, so that a Secret of 1 MiB still fits a value of the store. */
const DEFLATE_FROM_LENGTH = 256 * 1024;
/** Far more than any value of the store has. */
const MAX_INFLATED_BYTES = 16 * 1024 * 1024;

/** Where in the text a value stands: its key in the store. */
export function sealText(key: EncryptionKey, place: string, text: string): string {
  const deflated = text.length >= DEFLATE_FROM_LENGTH;
  const head = `${MARK}${deflated ? DEFLATED_VERSION : PLAIN_VERSION}:${key.id}:`;
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce).setAAD(boundTo(head, place));
  const body = deflated ? deflateRawSync(text) : Buffer.from(text);
  const sealed = Buffer.concat([nonce, cipher.update(body), cipher.final(), cipher.getAuthTag()]);
  return head + sealed.toString('base64');
}

/** Throws when the value was made with another key or for another place, or was changed. Says nothing of its content. */
export function openText(key: EncryptionKey, place: string, value: string): string {
  const [head = '', version] = HEAD.exec(value) ?? [];
  const sealed = Buffer.from(value.slice(head.length), 'base64');
  if (head === '' || sealed.length < NONCE_BYTES + TAG_BYTES) throw new Error('sealed value: is cut short');
  const decipher = createDecipheriv('aes-256-gcm', key.bytes, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(boundTo(head, place))
    .setAuthTag(sealed.subarray(-TAG_BYTES));
  const body = Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  return (
    version === DEFLATED_VERSION ? inflateRawSync(body, { maxOutputLength: MAX_INFLATED_BYTES }) : body
  ).toString();
}

/** The id of the key that a value was sealed with; undefined when it is not sealed: an object as JSON begins otherwise. */
export function sealedWith(value: string): string | undefined {
  return HEAD.exec(value)?.[2];
}

function boundTo(head: string, place: string): Buffer {
  return Buffer.from(`${head}\0${place}`);
}
