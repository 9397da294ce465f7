import { ApiError } from '../../../api/meta/api-error.ts';
import { fieldInvalid, fieldTooLong } from '../../../api/meta/field-error.ts';

/** FieldManagerMaxLength, in UTF-8 bytes. */
const MAX_BYTES = 128;

const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;

/**
 * The manager that a write names; undefined when it names none. Throws ApiError 422, of the options' kind, for a name that none can
 * have.
 */
export function fieldManagerIn(query: URLSearchParams, kind: string): string | undefined {
  const name = query.get('fieldManager') ?? '';
  const odd = UNPRINTABLE.exec(name);
  const errors = [
    ...(Buffer.byteLength(name) > MAX_BYTES ? [fieldTooLong('fieldManager', MAX_BYTES)] : []),
    ...(odd === null ? [] : [fieldInvalid('fieldManager', name, `invalid character (at position ${odd.index})`)]),
  ];
  if (errors.length > 0) throw ApiError.invalid({ group: 'meta.k8s.io', kind }, '', errors);
  return name === '' ? undefined : name;
}

/** Who writes without saying so: the user agent up to the first slash (prefixFromUserAgent). */
export function agentName(userAgent: string | undefined): string {
  const [first = ''] = (userAgent ?? '').split('/');
  let name = '';
  for (const character of first) {
    if (UNPRINTABLE.test(character)) continue;
    if (Buffer.byteLength(name + character) > MAX_BYTES) break;
    name += character;
  }
  return name;
}
