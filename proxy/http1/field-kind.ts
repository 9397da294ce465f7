import { bytesEqualLowerCase, equalsLowerCase } from './grammar.ts';

/**
 * The fields that the proxy itself acts on. A kind is a bit, so that a set of kinds is a number: the head scanner
 * collects which are there, and the renderer is told which to leave out.
 */
export const ORDINARY = 0;
export const HOST = 1 << 0;
export const CONNECTION = 1 << 1;
export const CONTENT_LENGTH = 1 << 2;
export const TRANSFER_ENCODING = 1 << 3;
export const UPGRADE = 1 << 4;
export const EXPECT = 1 << 5;
export const KEEP_ALIVE = 1 << 6;
export const TE = 1 << 7;
const TRAILER = 1 << 8;
export const PROXY_CONNECTION = 1 << 9;
const PROXY_AUTHORIZATION = 1 << 10;
const HTTP2_SETTINGS = 1 << 11;
export const FORWARDED_FOR = 1 << 12;
export const FORWARDED_PROTO = 1 << 13;
export const FORWARDED_HOST = 1 << 14;
export const REQUEST_ID = 1 << 15;
export const TRACEPARENT = 1 << 16;
export const TRACESTATE = 1 << 17;
export const CLIENT_CERT = 1 << 18;
export const MESH_REASON = 1 << 19;
export const COOKIE = 1 << 20;
export const CONTENT_TYPE = 1 << 21;
/** Not a name of its own: a field that `Connection` lists, or that a route's edits replace. */
export const NAMED_FOR_REMOVAL = 1 << 30;

/** Fields that speak of one connection only (RFC 9110 section 7.6.1, RFC 9113 section 8.2.2). */
export const HOP_BY_HOP =
  CONNECTION |
  KEEP_ALIVE |
  TE |
  TRAILER |
  TRANSFER_ENCODING |
  UPGRADE |
  PROXY_CONNECTION |
  PROXY_AUTHORIZATION |
  HTTP2_SETTINGS |
  NAMED_FOR_REMOVAL;

const KINDS: readonly (readonly [name: string, kind: number])[] = [
  ['host', HOST],
  ['connection', CONNECTION],
  ['content-length', CONTENT_LENGTH],
  ['transfer-encoding', TRANSFER_ENCODING],
  ['upgrade', UPGRADE],
  ['expect', EXPECT],
  ['keep-alive', KEEP_ALIVE],
  ['te', TE],
  ['trailer', TRAILER],
  ['proxy-connection', PROXY_CONNECTION],
  ['proxy-authorization', PROXY_AUTHORIZATION],
  // No field of HTTP, but CGI makes HTTP_PROXY of it (CVE-2016-5385).
  ['proxy', PROXY_CONNECTION],
  ['http2-settings', HTTP2_SETTINGS],
  ['x-forwarded-for', FORWARDED_FOR],
  ['x-forwarded-proto', FORWARDED_PROTO],
  ['x-forwarded-host', FORWARDED_HOST],
  ['x-request-id', REQUEST_ID],
  ['traceparent', TRACEPARENT],
  ['tracestate', TRACESTATE],
  ['x-forwarded-client-cert', CLIENT_CERT],
  ['x-tutti-reason', MESH_REASON],
  ['cookie', COOKIE],
  ['content-type', CONTENT_TYPE],
];

interface Candidate {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly first: number;
  readonly kind: number;
}

const NONE: readonly Candidate[] = [];

// By length, so that most names cost one look. No name is longer than the last row.
const BY_LENGTH: readonly (readonly Candidate[])[] = Array.from({ length: 24 }, (_, length) =>
  KINDS.filter(([name]) => name.length === length).map(([name, kind]) => ({
    name,
    bytes: Uint8Array.from(name, (char) => char.charCodeAt(0)),
    first: name.charCodeAt(0),
    kind,
  })),
);

/** As {@link fieldKind}, of a name in bytes. */
export function fieldKindOfBytes(from: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const candidates = length < 24 ? (BY_LENGTH[length] ?? NONE) : NONE;
  for (let index = 0; index < candidates.length; index++) {
    const candidate = candidates[index] as Candidate;
    if (((from[start] ?? 0) | 32) !== candidate.first) continue;
    if (bytesEqualLowerCase(from, start, candidate.bytes)) return candidate.kind;
  }
  return ORDINARY;
}

export function fieldKind(text: string, start: number, end: number): number {
  const length = end - start;
  const candidates = length < 24 ? (BY_LENGTH[length] ?? NONE) : NONE;
  for (const candidate of candidates) {
    if ((text.charCodeAt(start) | 32) === candidate.first && equalsLowerCase(text, start, candidate.name)) {
      return candidate.kind;
    }
  }
  return ORDINARY;
}
