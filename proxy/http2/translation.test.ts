import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { Clock } from '../../kit/clock.ts';
import { FakeClock } from '../../kit/fake-clock.ts';
import { answering, eventually, rawUpstream, startEngine } from '../test-support/harness.ts';
import { frame, framesOf } from '../test-support/http2-frames.ts';
import { type Answer, askOver, type Handler, testClient, testServer } from '../test-support/http2-peers.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../test-support/tables.ts';
import { CONTINUATION, HEADERS, PREFACE, RST_STREAM, SETTINGS } from './frame.ts';
import { HpackDecoder } from './hpack/decoder.ts';
import { encodeInteger } from './hpack/encoder.ts';
import type { Field as DecodedField } from './hpack/field.ts';

const VERSIONS = ['HTTP/1.1', 'HTTP/2'] as const;
type Version = (typeof VERSIONS)[number];

async function proxyTo(version: Version, port: number, action: Parameters<typeof forward>[1] = {}, clock?: Clock) {
  return await startEngine({
    ...(clock === undefined ? {} : { clock }),
    tables: tables(
      [listener('in', 'table')],
      [routeTable('table', [route(forward('app', action))])],
      [cluster('app', [port], { protocol: version === 'HTTP/2' ? 'http2' : 'http1' })],
    ),
  });
}

/** Says what it got, so that a test can look at both ends. */
const echo: Handler = (request, response, body) => {
  const { method, headers, trailers } = request;
  if (request.url === '/none') response.writeHead(204).end();
  else if (request.url === '/same') response.writeHead(304, { etag: '"x"' }).end();
  else if (request.url === '/empty') response.writeHead(200, { 'content-length': '0' }).end();
  else {
    response.setHeader('x-method', method ?? '');
    response.setHeader('x-host', String(headers[':authority'] ?? headers.host));
    response.setHeader('x-te', String(headers['te'] ?? ''));
    response.setHeader('x-cookie', headers.cookie ?? '');
    response.setHeader('x-trailer', String(trailers['checksum'] ?? ''));
    response.setHeader('connection', 'keep-alive');
    if (request.url === '/sized') response.setHeader('content-length', String(body.length));
    else if (method !== 'HEAD') response.setHeader('trailer', 'grpc-status');
    response.write(body, 'latin1');
    if (request.url !== '/sized' && method !== 'HEAD')
      response.addTrailers({ 'grpc-status': '0', 'content-type': 'never' });
    response.end();
  }
};

// Node's HTTP/2 compatibility layer warns about `connection`; the test is about ours.
process.removeAllListeners('warning');

for (const client of VERSIONS) {
  for (const upstream of VERSIONS) {
    test(`${client} to ${upstream}: methods, bodies, lengths, trailers and connections`, async () => {
      await using server = await testServer(upstream, echo);
      await using proxy = await proxyTo(upstream, server.port);
      await using asking = testClient(client, proxy.port('in'));
      const host = client === 'HTTP/2' ? `127.0.0.1:${proxy.port('in')}` : `127.0.0.1:${proxy.port('in')}`;

      const got = await asking.ask({ headers: { te: 'trailers', cookie: 'a=1' } });
      assert.deepEqual([got.status, got.body, got.headers['x-method'], got.headers['x-host']], [200, '', 'GET', host]);
      assert.equal(got.headers['x-cookie'], 'a=1');
      assert.equal(got.trailers['grpc-status'], '0');
      assert.equal(got.trailers['content-type'], undefined);
      assert.equal(got.headers['x-te'], upstream === 'HTTP/2' ? 'trailers' : '');

      const big = '\xff\x00ab'.repeat(100_000);
      for (const path of ['/sized', '/chunked']) {
        const answer = await asking.ask({ method: 'POST', path, body: big });
        assert.equal(answer.status, 200);
        assert.ok(answer.body === big, `${path}: ${answer.body.length} bytes of ${big.length}`);
        assert.equal(answer.headers['content-length'], path === '/sized' ? String(big.length) : undefined);
      }

      const trailed = await asking.ask({ method: 'PUT', body: 'abc', trailers: { checksum: 'c3', host: 'evil' } });
      assert.deepEqual([trailed.body, trailed.headers['x-trailer']], ['abc', 'c3']);

      const head = await asking.ask({ method: 'HEAD', path: '/x' });
      assert.deepEqual([head.status, head.body, head.headers['x-method']], [200, '', 'HEAD']);
      assert.equal((await asking.ask({ path: '/none' })).status, 204);
      assert.equal((await asking.ask({ path: '/same' })).status, 304);
      const empty = await asking.ask({ path: '/empty' });
      assert.deepEqual([empty.status, empty.body, empty.headers['content-length']], [200, '', '0']);

      const together = await Promise.all(
        Array.from({ length: 50 }, (_, at) => asking.ask({ method: 'POST', body: `n${at}` })),
      );
      assert.deepEqual(
        together.map(({ body }) => body),
        together.map((_, at) => `n${at}`),
      );
      if (upstream === 'HTTP/2') assert.equal(server.connections(), 1);
      await eventually(() => proxy.engine.load()[0]?.active === 0, 'nothing in flight');
    });
  }
}

test('cookies that came apart go on as one field', async () => {
  await using server = await testServer('HTTP/1.1', echo);
  await using proxy = await proxyTo('HTTP/1.1', server.port);
  await using asking = testClient('HTTP/2', proxy.port('in'));
  const { headers } = await asking.ask({ headers: { cookie: ['a=1', 'b=2', 'c=3'] } });
  assert.equal(headers['x-cookie'], 'a=1; b=2; c=3');
});

test('an answer of the proxy itself, a redirect, and a route that nobody takes', async () => {
  await using proxy = await startEngine({
    tables: tables(
      [listener('in', 'table')],
      [
        routeTable('table', [
          route({ kind: 'direct', status: 418, body: 'tea' }, { path: { kind: 'exact', value: '/tea' } }),
          route(
            { kind: 'redirect', scheme: 'https', host: undefined, port: undefined, rewrite: undefined, status: 301 },
            { path: { kind: 'exact', value: '/moved' } },
          ),
        ]),
      ],
      [],
    ),
  });
  await using asking = testClient('HTTP/2', proxy.port('in'));
  const tea = await asking.ask({ path: '/tea', method: 'POST', body: 'x'.repeat(200_000) });
  assert.deepEqual([tea.status, tea.body], [418, 'tea\n']);
  const moved = await asking.ask({ path: '/moved' });
  assert.deepEqual([moved.status, moved.headers['location']], [301, 'https://127.0.0.1/moved']);
  assert.equal((await asking.ask({ path: '/nowhere' })).status, 404);
});

test('a client that gives a stream up takes its upstream request with it, and nothing else', async () => {
  let closed = 0;
  await using server = await testServer('HTTP/2', (request, response) => {
    request.on('close', () => closed++);
    if (request.url === '/other') response.end('still here');
  });
  await using proxy = await proxyTo('HTTP/2', server.port);
  const session = http2.connect(`http://127.0.0.1:${proxy.port('in')}`);
  const stream = session.request({ ':path': '/slow' });
  stream.on('error', () => undefined);
  await eventually(() => proxy.engine.load()[0]?.active === 1, 'the request in flight');
  stream.close(http2.constants.NGHTTP2_CANCEL);
  await eventually(() => proxy.log.length === 1 && closed === 1, 'the upstream to hear of it');
  assert.deepEqual([proxy.log[0]?.['status'], proxy.log[0]?.['reason']], [0, 'DC']);
  assert.equal((await askOver(session, { path: '/other' })).body, 'still here');
  assert.equal(server.connections(), 1);
  session.destroy();
});

test('an upstream that breaks off within an answer resets the client’s stream', async () => {
  for (const upstream of VERSIONS) {
    await using server = await testServer(upstream, (request, response) => {
      response.write('begun');
      setTimeout(() => ('stream' in request ? request.stream.close(2) : request.socket.destroy()), 20);
    });
    await using proxy = await proxyTo(upstream, server.port);
    await using asking = testClient('HTTP/2', proxy.port('in'));
    await assert.rejects(asking.ask({}), /NGHTTP2_INTERNAL_ERROR/);
    await eventually(() => proxy.log.length === 1, 'the log line');
    assert.deepEqual([proxy.log[0]?.['status'], proxy.log[0]?.['reason']], [200, 'UC']);
  }
});

/** A server of raw streams, for what the compatibility layer does not let one do. */
async function streamServer(
  onStream: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => unknown,
) {
  const server = http2.createServer({ settings: { maxConcurrentStreams: 100 } });
  const sessions = new Set<http2.ServerHttp2Session>();
  let connections = 0;
  server.on('session', (session) => {
    connections++;
    sessions.add(session);
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    onStream(stream as http2.ServerHttp2Stream, headers);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    sessions,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('a refused stream is tried again at once, whatever its method; one that may have been seen is not', async () => {
  let asked = 0;
  await using server = await streamServer((stream) => {
    if (++asked === 2) stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
    else if (asked === 4) stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
    else stream.respond({ ':status': 200 }, { endStream: true });
  });
  await using proxy = await proxyTo('HTTP/2', server.port);
  await using asking = testClient('HTTP/2', proxy.port('in'));
  assert.equal((await asking.ask({ method: 'POST', body: 'x' })).status, 200);
  assert.equal((await asking.ask({ method: 'POST', body: 'x' })).status, 200);
  assert.equal((await asking.ask({ method: 'POST', body: 'x' })).status, 503);
  assert.equal(asked, 4);
});

test('an upstream that says GOAWAY is left alone: what it took is answered, what comes after goes elsewhere', async () => {
  const held: http2.ServerHttp2Stream[] = [];
  await using server = await streamServer((stream, headers) => {
    if (headers[':path'] === '/held') held.push(stream);
    else stream.respond({ ':status': 200 }, { endStream: true });
  });
  await using proxy = await proxyTo('HTTP/2', server.port);
  await using asking = testClient('HTTP/2', proxy.port('in'));
  const first = asking.ask({ path: '/held' });
  await eventually(() => held.length === 1, 'the first request');
  for (const session of server.sessions) session.close();
  await eventually(() => server.sessions.size > 0, 'GOAWAY');
  for (let at = 0; at < 5; at++) assert.equal((await asking.ask({ path: '/next' })).status, 200);
  held[0]?.respond({ ':status': 201 }, { endStream: true });
  assert.equal((await first).status, 201);
  assert.equal(server.connections(), 2);
});

test('an upstream that goes away between two requests is dialled anew', async () => {
  await using server = await streamServer((stream) => stream.respond({ ':status': 200 }, { endStream: true }));
  await using proxy = await proxyTo('HTTP/2', server.port);
  await using asking = testClient('HTTP/2', proxy.port('in'));
  for (let at = 0; at < 5; at++) {
    assert.equal((await asking.ask({ method: 'POST', body: 'x' })).status, 200);
    for (const session of server.sessions) session.destroy();
    server.sessions.clear();
    await eventually(() => proxy.engine.clusters()[0]?.endpoints[0]?.active === 0, 'quiet');
  }
});

for (const sentAtMs of [0, 100]) {
  test(`a connection that has gone silent since ${sentAtMs} ms after the clock's start is not used for new requests`, async () => {
    let held = 0;
    await using server = await streamServer((stream, headers) => {
      if (headers[':path'] === '/held') held++;
      else stream.respond({ ':status': 200 }, { endStream: true });
    });
    // Time passes for the request that is held, and for no other.
    const clock = new FakeClock();
    await using proxy = await proxyTo('HTTP/2', server.port, { timeoutMs: 1300 }, clock);
    await using asking = testClient('HTTP/2', proxy.port('in'));
    assert.equal((await asking.ask({})).status, 200);
    await clock.advance(sentAtMs);
    const late = asking.ask({ path: '/held' });
    await eventually(() => held === 1, 'the request at the upstream');
    await clock.advance(1400);
    assert.equal((await late).status, 504);
    assert.equal((await asking.ask({})).status, 200);
    assert.equal(server.connections(), 2);
  });
}

test('more requests at once than one connection takes get a second one', async () => {
  const waiting: http2.ServerHttp2Stream[] = [];
  await using server = await streamServer((stream) => void waiting.push(stream));
  await using proxy = await proxyTo('HTTP/2', server.port);
  await using one = testClient('HTTP/2', proxy.port('in'));
  await using two = testClient('HTTP/2', proxy.port('in'));
  const answers: Promise<Answer>[] = [];
  for (const asking of [one, two]) for (let at = 0; at < 80; at++) answers.push(asking.ask({}));
  await eventually(() => waiting.length === 160, 'all requests at the upstream');
  assert.equal(server.connections(), 2);
  for (const stream of waiting) stream.respond({ ':status': 200 }, { endStream: true });
  assert.ok((await Promise.all(answers)).every(({ status }) => status === 200));
});

/** Whether a number has not grown for the last thirty looks. */
function standsStill(read: () => number): () => boolean {
  let before = 0;
  let looks = 0;
  return () => {
    looks = read() > 0 && read() === before ? looks + 1 : 0;
    before = read();
    return looks > 30;
  };
}

const CHUNK = Buffer.alloc(64 * 1024);
const MOST = 100 * 1024 * 1024;

for (const upstream of VERSIONS) {
  test(`a client that does not read stops an ${upstream} upstream, and its other streams go on`, async () => {
    let written = 0;
    await using server = await testServer(upstream, (request, response) => {
      if (request.url === '/small') {
        response.end('small');
        return;
      }
      const pump = (): void => {
        for (let more = true; more && written < MOST; written += CHUNK.length) more = response.write(CHUNK);
      };
      response.on('drain', pump);
      pump();
    });
    await using proxy = await proxyTo(upstream, server.port);
    const session = http2.connect(`http://127.0.0.1:${proxy.port('in')}`);
    const stream = session.request({ ':path': '/big' });
    stream.on('error', () => undefined);
    await new Promise((resolve) => stream.once('response', resolve));
    await eventually(
      standsStill(() => written),
      'the upstream to be stopped',
    );
    // What lies in the kernel's buffers of two connections, and no more than a window or two of ours.
    assert.ok(written < 16 * 1024 * 1024, `${written} bytes`);
    assert.equal((await askOver(session, { path: '/small' })).body, 'small');
    session.destroy();
  });
}

test('an upload that the upstream does not read stops the client', async () => {
  for (const upstream of VERSIONS) {
    await using server = await testServer(upstream, () => undefined);
    server.server.removeAllListeners('request');
    server.server.on('request', (request: NodeJS.ReadableStream) => void request.pause());
    await using proxy = await proxyTo(upstream, server.port);
    const session = http2.connect(`http://127.0.0.1:${proxy.port('in')}`);
    const stream = session.request({ ':path': '/', ':method': 'POST' });
    stream.on('error', () => undefined);
    let sent = 0;
    const pump = (): void => {
      for (let more = true; more && sent < MOST; sent += CHUNK.length) more = stream.write(CHUNK);
    };
    stream.on('drain', pump);
    pump();
    await eventually(
      standsStill(() => sent),
      'the client to be stopped',
    );
    assert.ok(sent < 16 * 1024 * 1024, `${upstream}: ${sent} bytes`);
    session.destroy();
  }
});

test('a drain tells clients to go, and serves what still comes', async () => {
  await using server = await testServer('HTTP/1.1', echo);
  await using proxy = await proxyTo('HTTP/1.1', server.port);
  const session = http2.connect(`http://127.0.0.1:${proxy.port('in')}`);
  let goAway: number | undefined;
  session.on('goaway', (code) => void (goAway = code));
  assert.equal((await askOver(session, {})).status, 200);
  const late = askOver(session, {});
  const drained = proxy.engine.drain(60_000);
  // Though no answer of the proxy's is due on this connection, its client hears of it.
  await eventually(() => goAway !== undefined, 'GOAWAY');
  assert.equal(goAway, 0);
  assert.equal((await late).status, 200);
  await drained;
  session.destroy();
});

test('a client that comes by CONNECT, as gRPC clients behind HTTP_PROXY do, may speak HTTP/2 within', async () => {
  await using server = await testServer('HTTP/2', echo);
  await using proxy = await startEngine({
    tables: tables(
      [listener('in', 'table', {}, { forwardProxy: true })],
      [routeTable('table', [route(forward('app'))], ['web.default', 'web.default:80'])],
      [cluster('app', [server.port], { protocol: 'http2' })],
    ),
  });
  const socket = net.connect({ port: proxy.port('in'), host: '127.0.0.1' });
  socket.write('CONNECT web.default:80 HTTP/1.1\r\nHost: web.default:80\r\n\r\n');
  const [established] = (await once(socket, 'data')) as [Buffer];
  assert.match(established.toString(), /^HTTP\/1\.1 200 /);
  const session = http2.connect('http://web.default', { createConnection: () => socket });
  const answer = await askOver(session, { method: 'POST', body: 'hello' });
  assert.deepEqual([answer.status, answer.body, answer.headers['x-host']], [200, 'hello', 'web.default:80']);
  session.destroy();
});

test('heads that would be something else in HTTP/1.1 reach no upstream, and their neighbours are answered', async () => {
  await using upstream = await rawUpstream(answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
  await using proxy = await proxyTo('HTTP/1.1', upstream.port);
  const good: readonly Field[] = [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'a'],
  ];
  const without = (name: string): readonly Field[] => good.filter(([one]) => one !== name);
  const changed = (name: string, value: string): readonly Field[] =>
    good.map((one) => (one[0] === name ? [name, value] : one));
  // HAProxy's h2_desync_attacks.vtc, RFC 9113 section 8, and what HTTP/1.1 would make of it.
  const toConnect = changed(':method', 'CONNECT');
  const bad: readonly (readonly [why: string, answer: 'reset' | number, fields: readonly Field[]])[] = [
    ['a line end in a value', 'reset', [...good, ['x', 'a\r\nb: c']]],
    ['NUL in a value', 'reset', [...good, ['x', 'a\0b']]],
    ['a blank before a value', 'reset', [...good, ['x', ' a']]],
    ['a blank behind a value', 'reset', [...good, ['x', 'a\t']]],
    ['an upper-case name', 'reset', [...good, ['X', 'a']]],
    ['an empty name', 'reset', [...good, ['', 'a']]],
    ['a colon in a name', 'reset', [...good, ['a:b', 'a']]],
    ['a line end in a name', 'reset', [...good, ['a\r\nb', 'a']]],
    ['connection', 'reset', [...good, ['connection', 'close']]],
    ['transfer-encoding', 'reset', [...good, ['transfer-encoding', 'chunked']]],
    ['upgrade', 'reset', [...good, ['upgrade', 'websocket']]],
    ['te that asks for more', 'reset', [...good, ['te', 'gzip']]],
    ['two content-lengths', 'reset', [...good, ['content-length', '0'], ['content-length', '0']]],
    ['a content-length that is no number', 'reset', [...good, ['content-length', '+1']]],
    ['a length and no body', 'reset', [...good, ['content-length', '1']]],
    ['another host than the authority', 'reset', [...good, ['host', 'b']]],
    ['two hosts', 'reset', [...without(':authority'), ['host', 'a'], ['host', 'a']]],
    ['no host at all', 400, without(':authority')],
    ['an authority with a user', 400, changed(':authority', 'u@a')],
    ['an authority with a path', 400, changed(':authority', 'a/b')],
    ['no method', 'reset', without(':method')],
    ['a method that is none', 'reset', changed(':method', 'GET?')],
    ['a method with more behind it', 'reset', changed(':method', 'GET / HTTP/1.1')],
    ['no scheme', 'reset', without(':scheme')],
    ['a scheme that is none', 'reset', changed(':scheme', 'http://x/?')],
    ['no path', 'reset', without(':path')],
    ['an empty path', 'reset', changed(':path', '')],
    ['a path without its slash', 'reset', changed(':path', 'x')],
    ['a path with a blank', 400, changed(':path', '/ HTTP/1.1')],
    ['a path with a fragment', 400, changed(':path', '/#x')],
    ['an overlong path', 400, changed(':path', '/%c0%ae')],
    ['a pseudo-header twice', 'reset', [...good, [':path', '/']]],
    ['a pseudo-header of a response', 'reset', [...good, [':status', '200']]],
    ['a pseudo-header that nobody knows', 'reset', [...good, [':color', 'red']]],
    ['a protocol for another method than CONNECT', 'reset', [...good, [':protocol', 'websocket']]],
    [
      'a WebSocket without a path',
      'reset',
      [...toConnect.filter(([name]) => name !== ':path'), [':protocol', 'websocket']],
    ],
    ['a WebSocket with a length', 'reset', [...toConnect, [':protocol', 'websocket'], ['content-length', '0']]],
    ['a protocol twice', 'reset', [...toConnect, [':protocol', 'websocket'], [':protocol', 'websocket']]],
    ['a protocol that nobody knows', 501, [...toConnect, [':protocol', 'connect-ip']]],
    ['a pseudo-header behind a field', 'reset', [['x', 'a'], ...good]],
    [
      'CONNECT',
      405,
      [
        [':method', 'CONNECT'],
        [':authority', 'a:80'],
      ],
    ],
    ['an expectation that nobody knows', 417, [...good, ['expect', 'more']]],
    ['too many fields', 431, [...good, ...Array.from({ length: 120 }, (): Field => ['x', 'a'])]],
    ['too large a head', 431, [...good, ['x', 'a'.repeat(61_500)]]],
  ];
  const socket = net.connect({ port: proxy.port('in'), host: '127.0.0.1' });
  const pieces: Buffer[] = [];
  socket.on('data', (data: Buffer) => void pieces.push(data));
  socket.write(Buffer.concat([Buffer.from(PREFACE), frame(SETTINGS, 0, 0)]));
  const send = (streamId: number, fields: readonly Field[]): void => {
    const block = Buffer.from(fields.map(([name, value]) => literal(name, value)).join(''), 'latin1');
    const rest = block.subarray(16_384);
    socket.write(frame(HEADERS, rest.length === 0 ? 5 : 1, streamId, block.subarray(0, 16_384)));
    for (let at = 0; at < rest.length; at += 16_384) {
      socket.write(frame(CONTINUATION, at + 16_384 >= rest.length ? 4 : 0, streamId, rest.subarray(at, at + 16_384)));
    }
  };
  bad.forEach(([, , fields], at) => send(at * 2 + 1, fields));
  const last = bad.length * 2 + 1;
  send(last, good);
  const answerOf = (streamId: number): string => {
    const frames = framesOf(Buffer.concat(pieces)).filter((one) => one.streamId === streamId);
    const head = frames.find(({ type }) => type === HEADERS);
    if (head === undefined) return frames.some(({ type }) => type === RST_STREAM) ? 'reset' : '';
    return statusOf(head.payload);
  };
  await eventually(() => answerOf(last) !== '', 'the answer to the good one');
  assert.equal(answerOf(last), '200');
  bad.forEach(([why, answer], at) => assert.equal(answerOf(at * 2 + 1), String(answer), why));
  assert.equal(upstream.received.length, 1);
  assert.doesNotMatch(upstream.received[0] ?? '', /b: c|smuggled/);
  socket.destroy();
});

type Field = readonly [name: string, value: string];

const literal = (name: string, value: string): string =>
  `\0${encodeInteger(name.length, 7, 0)}${name}${encodeInteger(value.length, 7, 0)}${value}`;

function statusOf(block: Buffer): string {
  let status = '';
  const sink = {
    field: ({ name, value }: Pick<DecodedField, 'name' | 'value'>) => void (name === ':status' ? (status = value) : ''),
  };
  new HpackDecoder(4096).decode(block, 0, block.length, sink);
  return status;
}
