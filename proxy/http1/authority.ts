import { MAX_AUTHORITY_BYTES } from './limits.ts';

/** RFC 3986 host and port as a Host field or an authority may have them: no user information, no path, no list. */
const AUTHORITY = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._~!$&'()*+;=%-]+)(?::\d{1,5})?$/;
const PORT = /:(\d{1,5})$/;
const MAX_PORT = 65_535;

/** Hosts that came lately: a power of two. */
const KEPT = 64;

interface Known {
  readonly bytes: Buffer;
  readonly authority: string;
}

const known: (Known | undefined)[] = Array.from({ length: KEPT }, () => undefined);

export function isAuthority(text: string): boolean {
  return text.length <= MAX_AUTHORITY_BYTES && AUTHORITY.test(text);
}

/** Ends with a port that there is. */
export function namesPort(authority: string): boolean {
  const digits = PORT.exec(authority)?.[1];
  return digits !== undefined && Number(digits) > 0 && Number(digits) <= MAX_PORT;
}

/**
 * A Host field's value in lower case; undefined where it is no authority. The same few come again and again, so what was found of them is
 * kept; and one string for all requests to a host is looked up faster than a new one for each.
 */
export function authorityIn(from: Buffer, start: number, end: number): string | undefined {
  const slot = (end - start + 31 * ((from[start] ?? 0) + (from[end - 1] ?? 0))) & (KEPT - 1);
  const before = known[slot];
  if (before !== undefined && isThere(before.bytes, from, start, end)) return before.authority;
  const host = from.toString('latin1', start, end);
  if (!isAuthority(host)) return undefined;
  const authority = host.toLowerCase();
  known[slot] = { bytes: Buffer.from(host, 'latin1'), authority };
  return authority;
}

function isThere(bytes: Buffer, from: Buffer, start: number, end: number): boolean {
  if (bytes.length !== end - start) return false;
  for (let at = 0; at < bytes.length; at++) if (bytes[at] !== from[start + at]) return false;
  return true;
}
