import { ApiError } from '../../api/meta/api-error.ts';
import type { ValueCodec } from '../server/verbs/value-codec.ts';
import type { KeyRing } from './encryption-key.ts';
import { openText, sealedWith, sealText } from './sealed-text.ts';

/** Where Secrets begin in the store. */
export const SECRETS_PREFIX = '/registry/core/secrets/';

/** Seals Secrets, and only them, on their way into the store. What is not sealed yet is read as it is. */
export function secretValues(ring: KeyRing): ValueCodec {
  return {
    seal: ({ group, plural }, key, text) => (isSecret(group, plural) ? sealText(ring.writing, key, text) : text),
    open: ({ group, plural }, key, value) => (isSecret(group, plural) ? openSecret(ring, key, value) : value),
  };
}

/** Throws ApiError 500 that names the Secret's key and never its content. */
export function openSecret(ring: KeyRing, key: string, value: string): string {
  const id = sealedWith(value);
  if (id === undefined) return value;
  const found = ring.find(id);
  if (found === undefined) {
    throw ApiError.internal(`"${key}" is sealed with key ${id}, which the encryption key file does not have`);
  }
  try {
    return openText(found, key, value);
  } catch (error) {
    throw ApiError.internal(
      `"${key}" cannot be opened: its value was changed, or sealed for another place; delete it and create it anew`,
      { cause: error },
    );
  }
}

function isSecret(group: string, plural: string): boolean {
  return group === '' && plural === 'secrets';
}
