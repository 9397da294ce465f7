/** The character classes of RFC 9110 section 5.6.2 and RFC 9112, over bytes, or a latin1 string's codes. */

export const CR = 13;
export const LF = 10;
export const SP = 32;
export const HTAB = 9;
export const COLON = 58;

const TOKEN_PUNCTUATION = "!#$%&'*+-.^_`|~";

function table(accepts: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (accepts(code) ? 1 : 0));
}

const isAlphaNumeric = (code: number): boolean => /[0-9A-Za-z]/.test(String.fromCharCode(code));

/** tchar: what field names and methods are made of. */
export const TOKEN = table((code) => isAlphaNumeric(code) || TOKEN_PUNCTUATION.includes(String.fromCharCode(code)));

/** field-vchar, obs-text, SP and HTAB: what a field value may hold. */
export function isFieldValue(code: number): boolean {
  return code >= 32 ? code !== 127 : code === HTAB;
}

/** The same as a table. */
export const FIELD_VALUE = table(isFieldValue);

/** Beside 1, the mark of a byte that a target may hold: what it may mean to a path. */
export const TARGET_PERCENT = 2;
export const TARGET_DOT = 4;
export const TARGET_QUERY = 8;

/**
 * What a request target may hold: visible ASCII less `#` (a fragment is never sent), `\` (some servers take it for
 * `/`), `"`, `<`, `>`, `^`, `` ` ``, `{`, `|`, `}`. The last nine are no URI characters but clients do send some of
 * them in queries; only those that have been used to confuse parsers are refused. 0: refused.
 */
export const TARGET = table((code) => code > 32 && code < 127 && !'#\\"<>'.includes(String.fromCharCode(code)));
TARGET['%'.charCodeAt(0)] = 1 | TARGET_PERCENT;
TARGET['.'.charCodeAt(0)] = 1 | TARGET_DOT;
TARGET['?'.charCodeAt(0)] = 1 | TARGET_QUERY;

/** Case-insensitive comparison of text[start, start + wanted.length) with a lower-case ASCII word. */
export function equalsLowerCase(text: string, start: number, wanted: string): boolean {
  for (let at = 0; at < wanted.length; at++) {
    const code = text.charCodeAt(start + at);
    const lower = code >= 65 && code <= 90 ? code | 32 : code;
    if (lower !== wanted.charCodeAt(at)) return false;
  }
  return true;
}

/** The same of bytes. */
export function bytesEqualLowerCase(from: Uint8Array, start: number, wanted: Uint8Array): boolean {
  for (let at = 0; at < wanted.length; at++) {
    const code = from[start + at] ?? 0;
    const lower = code >= 65 && code <= 90 ? code | 32 : code;
    if (lower !== wanted[at]) return false;
  }
  return true;
}

/** Decimal digits of text[start, end), or -1 when there is anything else, nothing, or more than 2^53. */
export function decimal(text: string, start: number, end: number): number {
  if (end <= start) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
    if (value > Number.MAX_SAFE_INTEGER) return -1;
  }
  return value;
}
