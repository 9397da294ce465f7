import { chunked, field, type HostileRequest, post, refused, SMUGGLED, taken, target } from '../hostile-request.ts';

const GET = target('/x');
const HOP = 'RFC 9110 7.6.1';
const UPGRADE = 'RFC 9110 7.8';
const KEY = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';

/** What is meant for this hop, what comes behind a request, and how connections end. */
export const CONNECTIONS: readonly HostileRequest[] = [
  taken('pipelined requests', 'RFC 9112 9.3.2', GET + target('/y') + target('/z', 'HEAD') + GET, [
    'GET /x ',
    'GET /y ',
    'HEAD /z ',
    'GET /x ',
  ]),
  refused(
    'a broken request behind a sound one',
    'RFC 9112 9.3.2',
    `${GET}GET / HTTP/1.1\r\nNo-Host: a\r\n\r\n${SMUGGLED}`,
    { answers: [200, 400], upstream: ['GET /x '] },
  ),
  refused('garbage behind a chunked body', 'RFC 9112 7.1', `${chunked('0\r\n\r\n')}XX\r\n\r\n${SMUGGLED}`, {
    answers: [200, 400],
    upstream: ['POST /x '],
  }),
  refused('a request behind one that closes', 'RFC 9112 9.6', `${field('Connection: close')}${SMUGGLED}`, {
    answers: [200],
    upstream: ['GET /x '],
    answer: /connection: close/i,
  }),
  refused('a client that ends before its counted body is whole', 'RFC 9112 8', post('Content-Length: 50', 'hello'), {
    answers: [],
    ends: true,
    never: /smuggled/,
  }),
  refused('a client that ends before its chunked body is whole', 'RFC 9112 8', chunked('5\r\nhello\r\n'), {
    answers: [],
    ends: true,
  }),
  refused('a client that ends within a chunk', 'RFC 9112 8', chunked('5\r\nhel'), { answers: [], ends: true }),
  refused('a client that ends within its head', 'RFC 9112 8', 'GET /x HTTP/1.1\r\nHost:', { answers: [], ends: true }),

  taken(
    'fields that Connection names',
    HOP,
    field('Connection: X-Mine, keep-alive\r\nX-Mine: secret\r\nKeep-Alive: 1\r\nProxy-Connection: x\r\nTE: trailers'),
    ['GET /x '],
    { never: /secret|keep-alive|proxy-connection|\nte:/i },
  ),
  taken(
    'Connection over fields that are the message',
    HOP,
    post(
      'Connection: Host, Content-Length, Authorization, Cookie, X-Forwarded-For\r\nAuthorization: keep-1\r\nCookie: keep-2\r\nContent-Length: 5',
      'hello',
    ),
    ['POST /x hello'],
    { reaches: /keep-1[^]*keep-2/ },
  ),
  refused('a connection option that is no token', HOP, field('Connection: a b')),
  refused('a connection option with NUL', HOP, field('Connection: a\0b')),
  taken(
    'twins of fields that we vouch for',
    'CGI: X_Y and X-Y become the same variable',
    field(
      'X_Forwarded_For: evil\r\nX-Forwarded_Proto: evil\r\nX_Forwarded_Client_Cert: evil\r\nx_request_id: evil\r\nX_Tutti_Reason: evil',
    ),
    ['GET /x '],
    { never: /evil/ },
  ),
  taken(
    'a certificate that the client says of itself',
    'Envoy SANITIZE',
    field('X-Forwarded-Client-Cert: URI=spiffe://evil'),
    ['GET /x '],
    { never: /evil/ },
  ),
  taken(
    "a field that CGI takes for the application's own proxy",
    'CVE-2016-5385',
    field('Proxy: http://evil'),
    ['GET /x '],
    { never: /evil/ },
  ),
  taken('credentials for a proxy', 'RFC 9110 11.7.2', field('Proxy-Authorization: Basic secret'), ['GET /x '], {
    never: /secret/,
  }),

  taken('an upgrade that Connection does not name', UPGRADE, field(`Upgrade: websocket\r\n${KEY}`), ['GET /x '], {
    never: /upgrade/i,
  }),
  taken(
    'an upgrade by POST',
    UPGRADE,
    post(`Connection: upgrade\r\nUpgrade: websocket\r\n${KEY}\r\nContent-Length: 5`, 'hello'),
    ['POST /x hello'],
    { never: /upgrade/i },
  ),
  taken(
    'an upgrade in HTTP/1.0',
    UPGRADE,
    `GET /x HTTP/1.0\r\nHost: a\r\nConnection: upgrade, keep-alive\r\nUpgrade: websocket\r\n${KEY}\r\n\r\n`,
    ['GET /x '],
    { never: /upgrade/i },
  ),
  taken('an upgrade to something unknown', UPGRADE, field('Connection: upgrade\r\nUpgrade: foo/2'), ['GET /x '], {
    never: /upgrade/i,
  }),
  taken(
    'an upgrade to HTTP/2',
    'h2c smuggling',
    field('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'),
    ['GET /x '],
    { never: /upgrade|settings/i },
  ),
  taken('two upgrades', UPGRADE, field(`Connection: upgrade\r\nUpgrade: websocket, h2c\r\n${KEY}`), ['GET /x '], {
    never: /h2c/i,
  }),
  taken(
    'an upgrade that the application does not make',
    UPGRADE,
    field(`Connection: upgrade\r\nUpgrade: websocket\r\n${KEY}`),
    ['GET /x '],
    { reaches: /upgrade: websocket/ },
  ),
  taken(
    'an upgrade to a WebSocket without a key',
    'RFC 6455 4.1',
    field('Connection: upgrade\r\nUpgrade: websocket'),
    ['GET /x '],
    {
      never: /upgrade/i,
      laxerThan: { haproxy: 'it is no offer of a WebSocket, and goes on as a request without an upgrade' },
    },
  ),

  taken(
    'an expectation with its body at once',
    'RFC 9110 10.1.1',
    post('Expect: 100-continue\r\nContent-Length: 5', 'hello'),
    ['POST /x hello'],
    { answers: [100, 200] },
  ),
  taken('an expectation without a body', 'RFC 9110 10.1.1', field('Expect: 100-continue'), ['GET /x '], {
    never: /expect/i,
  }),
  taken(
    'an expectation in HTTP/1.0',
    'RFC 9110 10.1.1',
    'POST /x HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello',
    ['POST /x hello'],
    { never: /expect/i },
  ),
  refused('an unknown expectation', 'RFC 9110 10.1.1', post('Expect: the-moon\r\nContent-Length: 0', ''), {
    answers: [417],
  }),
  refused(
    'a second expectation that is unknown',
    'RFC 9110 10.1.1',
    post('Expect: 100-continue\r\nExpect: the-moon\r\nContent-Length: 0', ''),
    { answers: [417] },
  ),

  refused('HTTP/1.0 without keep-alive', 'RFC 9112 9.3', 'GET /x HTTP/1.0\r\n\r\n', {
    answers: [200],
    upstream: ['GET /x '],
  }),
  taken('HTTP/1.0 with keep-alive', 'RFC 9112 9.3', 'GET /x HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n', ['GET /x '], {
    answer: /connection: keep-alive/i,
  }),
  taken('TRACE', 'RFC 9110 9.3.8', target('/x', 'TRACE'), ['TRACE /x '], {
    laxerThan: {
      nginx: 'routes of the Gateway API may match TRACE; whether it is answered is for the application to say',
    },
  }),
  taken('an unknown method', 'RFC 9110 9.1', target('/x', 'M-SEARCH'), ['M-SEARCH /x ']),
];
