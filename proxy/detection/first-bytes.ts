/**
 * What a client's first bytes say that it speaks, in the words of Envoy's HTTP inspector (`http/1.0`, `http/1.1`, `h2c`); `tls` is a
 * handshake, `bytes` everything else. Undefined while more bytes could say it.
 */
export type Spoken = 'http/1.0' | 'http/1.1' | 'h2c' | 'tls' | 'bytes';

/** A request line that ends behind it is taken for HTTP by its beginning, and HTTP's own limits say the rest. */
export const MAX_LOOKED_AT_BYTES = 8192;

// What no other protocol on a port of its own begins with, and which may therefore be believed before its line is whole.
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'CONNECT', 'TRACE', 'PRI']);
const MAX_METHOD_BYTES = 32;
const LONGEST_VERSION = 'HTTP/1.1\r\n';
const VERSION_BEGUN = /^(?:H|HT|HTT|HTTP|HTTP\/|HTTP\/\d|HTTP\/\d\.|HTTP\/\d\.\d(?:\r|\r?\n)?)?$/;

const CR = 13;
const LF = 10;
const SPACE = 32;
const DELETE = 127;
const SLASH = 47;
const STAR = 42;
const TLS_HANDSHAKE = 22;
const TLS_MAJOR = 3;

/**
 * HTTP is known by a whole request line (RFC 9112, section 3): a method alone is also a word of Redis and others. A line that is not
 * HTTP's is `bytes` as soon as that is certain. Pure.
 */
export function spokenBy(held: Buffer): Spoken | undefined {
  // As if there were no more, so that the answer does not hang on how they are cut.
  const bytes = held.length > MAX_LOOKED_AT_BYTES ? held.subarray(0, MAX_LOOKED_AT_BYTES) : held;
  const isAll = bytes.length === MAX_LOOKED_AT_BYTES;
  if (bytes[0] === TLS_HANDSHAKE) {
    if (bytes.length < 2) return undefined;
    return bytes[1] === TLS_MAJOR ? 'tls' : 'bytes';
  }
  const start = lineStart(bytes);
  const methodEnd = endOfMethod(bytes, start);
  if (methodEnd < 0) return 'bytes';
  // So many empty lines are no protocol's.
  if (methodEnd === bytes.length) return isAll ? 'bytes' : undefined;
  const targetEnd = endOfTarget(bytes, methodEnd + 1);
  if (targetEnd < 0) return 'bytes';
  const more = isAll ? 'http/1.1' : undefined;
  if (targetEnd === bytes.length) return more;
  const version = bytes.toString('latin1', targetEnd + 1, targetEnd + 1 + LONGEST_VERSION.length);
  const said = spokenByVersion(version.slice(0, version.indexOf('\n') + 1 || version.length), () =>
    bytes.toString('latin1', start, targetEnd),
  );
  return said ?? more;
}

/**
 * The same when there is no more time to wait: a request line that is not whole but begins as HTTP's alone do is HTTP, so that a slow
 * client is answered as HTTP's limits want it.
 */
export function likelySpokenBy(bytes: Buffer): Spoken {
  const spoken = spokenBy(bytes);
  if (spoken !== undefined) return spoken;
  const start = lineStart(bytes);
  const methodEnd = endOfMethod(bytes, start);
  const isKnown = methodEnd > 0 && METHODS.has(bytes.toString('latin1', start, methodEnd));
  // Redis has a GET too, but its keys begin with neither.
  const next = bytes[methodEnd + 1];
  return isKnown && (next === SLASH || next === STAR) ? 'http/1.1' : 'bytes';
}

/** RFC 9112, section 2.2: empty lines before a request are overlooked. */
function lineStart(bytes: Buffer): number {
  let at = 0;
  while (bytes[at] === CR || bytes[at] === LF) at++;
  return at;
}

/** The space behind the method, or the bytes' end where it has not come; -1 where there is none. */
function endOfMethod(bytes: Buffer, start: number): number {
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === SPACE && at > start) return at;
    if (!isTokenByte(byte) || at - start >= MAX_METHOD_BYTES) return -1;
  }
  return bytes.length;
}

/** The space behind the target, as above. */
function endOfTarget(bytes: Buffer, start: number): number {
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === SPACE) return at > start ? at : -1;
    if (byte < SPACE || byte === DELETE) return -1;
  }
  return bytes.length;
}

function spokenByVersion(version: string, before: () => string): Spoken | undefined {
  if (!VERSION_BEGUN.test(version)) return 'bytes';
  if (!version.endsWith('\n')) return undefined;
  if (version.startsWith('HTTP/2.0') && before() === 'PRI *') return 'h2c';
  return version.startsWith('HTTP/1.0') ? 'http/1.0' : 'http/1.1';
}

/** RFC 9110, section 5.6.2. */
function isTokenByte(byte: number): boolean {
  return TOKEN[byte] === 1;
}

const TOKEN = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  TOKEN[char.charCodeAt(0)] = 1;
}
