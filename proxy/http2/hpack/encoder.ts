import { STATIC_NAMES } from './static-table.ts';

// HPACK's sending side (RFC 7541), as latin1 text: it joins what else leaves in the turn (socket/outbox.ts). It remembers nothing,
// so no dynamic table is kept for any connection, nothing secret can be found out by compression (section 7.1), and a field costs
// one look-up. HAProxy's encoder does the same (src/hpack-enc.c). Values are not Huffman coded: that trades bytes for time.

/** To stand before a connection's first block: this side's dynamic table is empty and stays so, whatever size the peer allows. */
export const NO_DYNAMIC_TABLE = String.fromCharCode(0x20);

const STATUSES: ReadonlyMap<number, string> = new Map(
  [200, 204, 206, 304, 400, 404, 500].map((status, at) => [status, String.fromCharCode(0x80 | (8 + at))]),
);
const STATUS_NAME = 8;

export const METHOD_GET = String.fromCharCode(0x82);
export const METHOD_POST = String.fromCharCode(0x83);
export const SCHEME_HTTP = String.fromCharCode(0x86);
export const SCHEME_HTTPS = String.fromCharCode(0x87);
export const PATH_ROOT = String.fromCharCode(0x84);

/** Section 5.1, behind `pattern`'s bits. */
export function encodeInteger(value: number, prefixBits: number, pattern: number): string {
  const mask = (1 << prefixBits) - 1;
  if (value < mask) return String.fromCharCode(pattern | value);
  let out = String.fromCharCode(pattern | mask);
  let rest = value - mask;
  while (rest >= 128) {
    out += String.fromCharCode((rest & 127) | 128);
    rest = Math.floor(rest / 128);
  }
  return out + String.fromCharCode(rest);
}

function encodeString(text: string): string {
  return encodeInteger(text.length, 7, 0) + text;
}

// Names come again and again, a few hundred of them at most; those that are made up to fill this find it full.
const MAX_NAMES = 1024;
const MAX_KEPT_NAME = 64;
const names = new Map<string, string>();

/** Section 7.1.3: no hop after this one may put them into a table either. */
const NEVER_INDEXED = new Set(['authorization', 'proxy-authorization', 'cookie', 'set-cookie']);

/** The beginning of a literal field without indexing (section 6.2.2). `name` in lower case. */
function encodedName(name: string): string {
  let coded = names.get(name);
  if (coded === undefined) {
    const pattern = NEVER_INDEXED.has(name) ? 0x10 : 0;
    const index = STATIC_NAMES.get(name);
    coded = encodeInteger(index ?? 0, 4, pattern) + (index === undefined ? encodeString(name) : '');
    if (names.size < MAX_NAMES && name.length <= MAX_KEPT_NAME) names.set(name, coded);
  }
  return coded;
}

/** `name` in lower case, both latin1. */
export function encodeField(name: string, value: string): string {
  return encodedName(name) + encodeString(value);
}

export function encodeStatus(status: number): string {
  return STATUSES.get(status) ?? encodeInteger(STATUS_NAME, 4, 0) + encodeString(String(status));
}

// Nearly all calls of gRPC end alike.
let lastLines = '';
let lastBlock = '';
const MAX_LAST_BYTES = 128;

/** Fields given as HTTP/1.1 lines, each with its CRLF. */
export function encodeLines(lines: string): string {
  if (lines === lastLines) return lastBlock;
  let out = '';
  let at = 0;
  while (at < lines.length) {
    const colon = lines.indexOf(':', at);
    const end = lines.indexOf('\r\n', colon);
    if (colon < 0 || end < 0) break;
    const start = lines.charCodeAt(colon + 1) === 32 ? colon + 2 : colon + 1;
    out += encodeField(lines.slice(at, colon).toLowerCase(), lines.slice(start, end));
    at = end + 2;
  }
  if (lines.length > 0 && lines.length <= MAX_LAST_BYTES) {
    lastLines = lines;
    lastBlock = out;
  }
  return out;
}
