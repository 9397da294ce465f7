/** One line of the table: bytes that an application answers GET /x with, and what may come of it. */
export interface HostileResponse {
  readonly name: string;
  readonly source: string;
  /** What is sent, as latin1. Several pieces leave as packets of their own. */
  readonly pieces: readonly string[];
  /**
   * `refused`: the client gets 502 and may go on. `passed`: it gets the answer. `cut`: the answer had begun when it broke, so that only the
   * end of the connection can say so.
   */
  readonly outcome: 'refused' | 'passed' | 'cut';
  /** Every status of an answer that passes. */
  readonly statuses: readonly number[];
  /** Whether the application's connection is used again. */
  readonly upstream: 'kept' | 'closed';
  readonly request: string;
  /** The application ends its side behind the last piece. */
  readonly ends: boolean;
  /** What the client's bytes must hold, and must not. */
  readonly holds?: RegExp;
  readonly never?: RegExp;
  /** Why we pass what nginx or HAProxy refuses. */
  readonly laxerThan?: { readonly nginx?: string; readonly haproxy?: string };
}

type More = Partial<Omit<HostileResponse, 'name' | 'source' | 'pieces' | 'outcome'>>;

const GET = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n';

function row(
  outcome: HostileResponse['outcome'],
  name: string,
  source: string,
  bytes: string | readonly string[],
  more: More,
): HostileResponse {
  const pieces = typeof bytes === 'string' ? [bytes] : bytes;
  return { name, source, pieces, outcome, statuses: [200], upstream: 'closed', request: GET, ends: false, ...more };
}

const refused = (name: string, source: string, bytes: string | readonly string[], more: More = {}): HostileResponse =>
  row('refused', name, source, bytes, more);
const passed = (name: string, source: string, bytes: string | readonly string[], more: More = {}): HostileResponse =>
  row('passed', name, source, bytes, { upstream: 'kept', ...more });
const cut = (name: string, source: string, bytes: string | readonly string[], more: More = {}): HostileResponse =>
  row('cut', name, source, bytes, more);

const head = (fields: string, body = ''): string => `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n${body}`;
const status = (line: string): string => `${line}\r\nContent-Length: 2\r\n\r\nok`;
const chunks = (text: string): readonly string[] => [head('Transfer-Encoding: chunked', '4\r\nsome\r\n'), text];
const OK = head('Content-Length: 2', 'ok');
const POISON = head('Content-Length: 6', 'poison');
const show = (text: string): string => JSON.stringify(text);

const LENGTH = 'RFC 9112 6.3';

/** Every broken or odd answer that we know of. */
export const RESPONSES: readonly HostileResponse[] = [
  refused('two lengths that differ', LENGTH, head('Content-Length: 2\r\nContent-Length: 3', 'ok')),
  refused('two lengths that agree', LENGTH, head('Content-Length: 2\r\nContent-Length: 2', 'ok')),
  ...['2, 2', '2, 3', '+2', '-1', '0x2', '', '2 2', '02', '99999999999999999999'].map((value) =>
    refused(`length ${show(value)}`, LENGTH, head(`Content-Length: ${value}`, 'ok')),
  ),
  refused('length and coding', LENGTH, head('Content-Length: 2\r\nTransfer-Encoding: chunked', `0\r\n\r\n${POISON}`)),
  refused('a coding in HTTP/1.0', 'RFC 9112 6.1', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
  ...['gzip', 'gzip, chunked', 'chunked, gzip', 'chunked, chunked', 'identity', 'xchunked', '', 'chunked;q=1'].map(
    (value) => refused(`coding ${show(value)}`, 'RFC 9112 6.1', head(`Transfer-Encoding: ${value}`, '0\r\n\r\n')),
  ),
  refused(
    'a coding with a tab behind it',
    'llhttp does not see the coding then',
    head('Transfer-Encoding: chunked\t', '0\r\n\r\n'),
  ),
  refused(
    'the coding twice',
    'RFC 9112 6.1',
    head('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
  ),
  refused('a folded value', 'RFC 9112 5.2', head('X: a\r\n b\r\nContent-Length: 2', 'ok')),
  refused('a space before a colon', 'RFC 9112 5.1', head('X : a\r\nContent-Length: 2', 'ok')),
  refused('a length with a space before the colon', 'RFC 9112 5.1', head('Content-Length : 2', 'ok')),
  refused('a line without a colon', 'RFC 9112 5', head('nonsense\r\nContent-Length: 2', 'ok')),
  refused('an empty name', 'RFC 9110 5.1', head(': x\r\nContent-Length: 2', 'ok')),
  refused('a bare LF behind a value', 'RFC 9112 2.2', head('X: a\nY: b\r\nContent-Length: 2', 'ok')),
  refused('a bare CR in a value', 'RFC 9112 2.2', head('X: a\rY: b\r\nContent-Length: 2', 'ok')),
  refused('NUL in a value', 'RFC 9110 5.5', head('X: \0\r\nContent-Length: 2', 'ok')),
  refused('a control character in a value', 'RFC 9110 5.5', head('X: \x01\r\nContent-Length: 2', 'ok')),
  refused('lines that end in a bare LF, then the end', 'RFC 9112 2.2', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok', {
    ends: true,
    request: 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
  }),
  ...[
    'HTTP/1.1 abc OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 20 OK',
    'HTTP/1.1 099 OK',
    'HTTP/1.1 600 OK',
    'HTTP/1.1  200 OK',
    'HTTP/1.1 2x0 OK',
    'HTTP/1.1200 OK',
    'HTTP/1.2 200 OK',
    'HTTP/2 200 OK',
    'http/1.1 200 OK',
    'HTTP/1.1\t200 OK',
    'HTTP/1.1 200\tOK',
    ' HTTP/1.1 200 OK',
    'ICY 200 OK',
    'HTTP/1.1 200 O\0K',
    '220 mail.example ESMTP',
  ].map((line) => refused(`status line ${show(line)}`, 'RFC 9112 4', status(line))),
  refused('an end before any byte of the answer, for a method that is not repeated', 'RFC 9110 9.2.2', '', {
    ends: true,
    request: 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
  }),
  refused('a head of 70 kB', 'Envoy max_response_headers_kb', head(`X: ${'a'.repeat(70_000)}`)),
  refused(
    '113 fields',
    'CVE-2026-58044',
    head(`${Array.from({ length: 113 }, (_, at) => `X-${at}: y`).join('\r\n')}\r\nContent-Length: 2`, 'ok'),
  ),
  refused('a flood of 1xx', 'RFC 9110 15.2', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(50), { holds: /502/ }),
  refused(
    'a switch that nobody asked for',
    'RFC 9110 15.2.2',
    `HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n${POISON}`,
    { never: /poison/ },
  ),
  refused(
    'a switch to another protocol than was asked for',
    'RFC 9110 15.2.2',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n',
    {
      request:
        'GET /x HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    },
  ),
  refused('a body behind 100', 'RFC 9110 15.2', `HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nhello${OK}`),

  passed('no reason', 'RFC 9112 4', status('HTTP/1.1 200 ')),
  passed('no reason and no space before it', 'RFC 9112 4', status('HTTP/1.1 200')),
  passed('a reason beyond ASCII', 'RFC 9112 4', status('HTTP/1.1 200 caf\xe9')),
  passed('a status that nobody knows', 'RFC 9110 15', status('HTTP/1.1 299 Odd'), { statuses: [299] }),
  passed('an answer with its connection closed', 'RFC 9112 9.6', head('Connection: close\r\nContent-Length: 2', 'ok'), {
    upstream: 'closed',
    never: /close/,
  }),
  passed('HTTP/1.0 with a length', 'RFC 9112 9.3', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', {
    upstream: 'closed',
  }),
  passed('a body that ends with its connection', LENGTH, 'HTTP/1.1 200 OK\r\n\r\nall of it', {
    ends: true,
    upstream: 'closed',
    holds: /chunked\r\n[^]*9\r\nall of it\r\n0\r\n\r\n/i,
  }),
  passed(
    'a trailer, for a client that reads them',
    'RFC 9110 6.5.1',
    chunks('0\r\nX-Sum: 1\r\nSet-Cookie: evil\r\n\r\n'),
    {
      request: 'GET /x HTTP/1.1\r\nHost: a\r\nConnection: te\r\nTE: trailers\r\n\r\n',
      holds: /\r\n0\r\nX-Sum: 1\r\n\r\n/,
      never: /evil/,
    },
  ),
  passed('chunks', 'RFC 9112 7.1', chunks('2;a=b\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n'), {
    holds: /ok\r\n0\r\n/,
    never: /a=b|X-Sum/,
  }),
  passed(
    'interim answers',
    'RFC 8297',
    `HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${OK}`,
    {
      statuses: [103, 102, 200],
      laxerThan: { nginx: 'before 1.29 it cannot read interim answers' },
      holds: /103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\n\r\n/,
    },
  ),
  passed('interim answers to HTTP/1.0', 'RFC 9110 15.2', `HTTP/1.1 103 Early Hints\r\n\r\n${OK}`, {
    laxerThan: { nginx: 'before 1.29 it cannot read interim answers' },
    request: 'GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
  }),
  passed('a length with 204', 'RFC 9110 8.6', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', {
    statuses: [204],
    never: /204[^]*content-length: 5/i,
  }),
  passed('a length with 304', 'RFC 9110 8.6', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n', {
    statuses: [304],
  }),
  passed('a length to HEAD', 'RFC 9110 9.3.2', head('Content-Length: 500'), {
    request: 'HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n',
  }),
  passed('a coding to HEAD', 'RFC 9112 6.1', head('Transfer-Encoding: chunked'), {
    request: 'HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n',
  }),
  passed('a body to HEAD', LENGTH, POISON, {
    request: 'HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n',
    upstream: 'closed',
    never: /poison/,
  }),
  passed('a body with 204', LENGTH, 'HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\npoison', {
    statuses: [204],
    upstream: 'closed',
    never: /poison/,
  }),
  passed('a body with 304', LENGTH, 'HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\npoison', {
    statuses: [304],
    upstream: 'closed',
    never: /poison/,
  }),
  passed(
    'chunks with 204',
    LENGTH,
    'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n6\r\npoison\r\n0\r\n\r\n',
    { statuses: [204], upstream: 'closed', never: /poison/ },
  ),
  passed('an answer behind the answer', 'response queue poisoning', OK + POISON, {
    upstream: 'closed',
    never: /poison/,
  }),
  passed(
    'an answer behind a chunked one',
    'response queue poisoning',
    head('Transfer-Encoding: chunked', `2\r\nok\r\n0\r\n\r\n${POISON}`),
    { upstream: 'closed', never: /poison/ },
  ),
  passed('garbage behind the answer', LENGTH, `${OK}poison`, { upstream: 'closed', never: /poison/ }),
  passed(
    'fields of this hop',
    'RFC 9110 7.6.1',
    head('Connection: x-gone\r\nX-Gone: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nContent-Length: 2', 'ok'),
    { never: /x-gone|timeout=5|proxy-connection/i },
  ),
  passed(
    'a field that only a proxy of the mesh may set',
    'proxy/telemetry/reason.ts',
    head('X-Tutti-Reason: UF\r\nContent-Length: 2', 'ok'),
    { never: /tutti/i },
  ),
  passed(
    'a field named as a property of every object',
    'CVE-2026-21710',
    head('__proto__: x\r\nContent-Length: 2', 'ok'),
    { holds: /__proto__: x/ },
  ),

  cut('a counted body that ends early', 'RFC 9112 8', [head('Content-Length: 10', 'half')], { ends: true }),
  cut('a chunked body that ends early', 'RFC 9112 8', chunks(''), { ends: true, never: /0\r\n\r\n$/ }),
  cut('a chunked body that ends within its last chunk', 'RFC 9112 8', chunks('0\r\n'), {
    ends: true,
    never: /0\r\n\r\n$/,
  }),
  ...[
    'zz\r\n',
    '0x4\r\nbody\r\n0\r\n\r\n',
    ' 4\r\nbody\r\n0\r\n\r\n',
    '4\nbody\r\n0\r\n\r\n',
    '4\r\nbodyXX0\r\n\r\n',
    '3\r\nbody\r\n0\r\n\r\n',
    '4;\r\nbody\r\n0\r\n\r\n',
    '-4\r\nbody\r\n',
    'fffffffffffffffff\r\nbody\r\n',
    '0\r\nno trailer\r\n\r\n',
    '0\r\nContent-Length: 5\r\n\r\n',
    `4;${'x'.repeat(70_000)}\r\nbody\r\n0\r\n\r\n`,
  ].map((text) =>
    cut(`chunks that go on with ${show(text.slice(0, 30))}`, 'RFC 9112 7.1', chunks(text), { never: /0\r\n\r\n$/ }),
  ),
];
