/** One line of the tables in requests/: bytes that a client sends, and everything that may come of it. */
export interface HostileRequest {
  readonly name: string;
  /** Whose word it is: a section of an RFC, a CVE, an attack that has a name. */
  readonly source: string;
  /** What is sent, as latin1. Several pieces leave as packets of their own. */
  readonly pieces: readonly string[];
  /** Every status that comes back, 1xx included. */
  readonly answers: readonly number[];
  /** Whether the connection takes another request afterwards. */
  readonly connection: 'kept' | 'closed';
  /** Whole requests as the application saw them: method, target, body. */
  readonly upstream: readonly string[];
  /** What the bytes at the application must hold, and must not. */
  readonly reaches?: RegExp;
  readonly never?: RegExp;
  /** What the client's bytes must hold. */
  readonly answer?: RegExp;
  /** For doors that wait 400 ms for a head and for a body's next byte. */
  readonly impatient?: boolean;
  /** Not at a sidecar's inbound door, where a proxy of ours has added to the head. */
  readonly outside?: boolean;
  /** The client ends its side behind the last piece. */
  readonly ends?: boolean;
  /** Why we take what nginx or HAProxy refuses. */
  readonly laxerThan?: { readonly nginx?: string; readonly haproxy?: string };
}

type More = Partial<Omit<HostileRequest, 'name' | 'source' | 'pieces'>>;

const piecesOf = (bytes: string | readonly string[]): readonly string[] =>
  typeof bytes === 'string' ? [bytes] : bytes;

/** Refused with 400 unless told, the connection closed, nothing at the application. */
export function refused(
  name: string,
  source: string,
  bytes: string | readonly string[],
  more: More = {},
): HostileRequest {
  return { name, source, pieces: piecesOf(bytes), answers: [400], connection: 'closed', upstream: [], ...more };
}

/** Answered with 200s, the connection kept. */
export function taken(
  name: string,
  source: string,
  bytes: string | readonly string[],
  upstream: readonly string[],
  more: More = {},
): HostileRequest {
  const answers = upstream.map(() => 200);
  return { name, source, pieces: piecesOf(bytes), answers, connection: 'kept', upstream, ...more };
}

/** A GET with this line among its fields. */
export const field = (line: string): string => `GET /x HTTP/1.1\r\nHost: a\r\n${line}\r\n\r\n`;

/** A GET with this target. */
export const target = (text: string, method = 'GET'): string => `${method} ${text} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** A POST with these lines among its fields, and this behind them. */
export const post = (lines: string, body: string): string => `POST /x HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\n${body}`;

export const chunked = (body: string): string => post('Transfer-Encoding: chunked', body);

/** A whole request that must never be seen as one where it stands for a body or for garbage. */
export const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
