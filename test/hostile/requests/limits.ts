import { chunked, field, type HostileRequest, post, refused, SMUGGLED, taken, target } from '../hostile-request.ts';

const fields = (count: number): string => Array.from({ length: count }, (_, at) => `X-${at}: y`).join('\r\n');

/** What a message may cost, and how long it may take. */
export const LIMITS: readonly HostileRequest[] = [
  taken('a request line of 8000 octets', 'RFC 9112 3', target(`/${'a'.repeat(7_985)}`), [`GET /${'a'.repeat(7_985)} `]),
  refused('a request line of 17 kB', 'RFC 9112 3', target(`/${'a'.repeat(17_000)}`), { answers: [414] }),
  refused('a request line that does not end', 'RFC 9112 3', `GET /${'a'.repeat(20_000)}`, { answers: [414] }),
  refused('a field of 70 kB', 'RFC 6585 5', field(`X: ${'a'.repeat(70_000)}`), { answers: [431] }),
  refused(
    'fields of 70 kB that do not end',
    'RFC 6585 5',
    `GET /x HTTP/1.1\r\nHost: a\r\n${'X: 0123456789\r\n'.repeat(4700)}`,
    { answers: [431] },
  ),
  taken('a hundred fields', 'Envoy max_headers_count', field(fields(99)), ['GET /x ']),
  refused('a hundred and one fields', 'Envoy max_headers_count', field(fields(100)), { answers: [431], outside: true }),
  refused('more fields than any door takes', 'Envoy max_headers_count', field(fields(150)), { answers: [431] }),
  refused('a head of 61 kB', 'Envoy max_request_headers_kb', field(`X: ${'a'.repeat(61 * 1024)}`), {
    answers: [431],
    outside: true,
  }),
  refused(
    '2000 fields with a length behind them',
    'CVE-2026-58044',
    post(`${fields(2000)}\r\nContent-Length: ${SMUGGLED.length}`, SMUGGLED),
    { answers: [431] },
  ),
  refused(
    'names that look like array indices',
    'CVE-2026-21717',
    field(Array.from({ length: 150 }, (_, at) => `${at * 65_536}: y`).join('\r\n')),
    { answers: [431] },
  ),
  taken(
    'a connection field with ten thousand options',
    'RFC 9110 7.6.1',
    field(`Connection: ${'x,'.repeat(10_000)}y`),
    ['GET /x '],
    { never: /x,x/ },
  ),
  refused('a head that does not end', 'RFC 9110 15.5.9, slowloris', 'GET /x HTTP/1.1\r\nHost: a\r\nX:', {
    answers: [408],
    impatient: true,
  }),
  refused('a method that does not end', 'RFC 9110 15.5.9, slowloris', 'G', { answers: [408], impatient: true }),
  refused('a counted body that does not come', 'RFC 9110 15.5.9', post('Content-Length: 5', 'he'), {
    answers: [408],
    impatient: true,
  }),
  refused('a chunked body that does not come', 'RFC 9110 15.5.9', chunked('5\r\nhe'), {
    answers: [408],
    impatient: true,
  }),
  refused('trailers that do not end', 'RFC 9110 15.5.9', chunked('0\r\nX: y'), { answers: [408], impatient: true }),
  refused('nothing at all', 'RFC 9112 9.8', '', { answers: [], impatient: true }),
  refused('empty lines and nothing behind them', 'RFC 9112 9.8', '\r\n\r\n\r\n', { answers: [], impatient: true }),
];
