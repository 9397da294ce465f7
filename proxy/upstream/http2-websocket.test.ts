import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { eventually, type RunningEngine, rawExchange, rawUpstream, startEngine } from '../test-support/harness.ts';
import { echoMessages, http2App, webSocketOver } from '../test-support/http2-websockets.ts';
import { testAuthority } from '../test-support/mesh.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../test-support/tables.ts';
import { MAX_CARRIED_STREAMS } from './hop.ts';

// WebSockets to applications that speak HTTP/2 (RFC 8441): Node's HTTP/2 server, with `ws` on both ends.

function edge(port: number, more: Parameters<typeof cluster>[2] = {}): Promise<RunningEngine> {
  return startEngine({
    tables: tables(
      [listener('in', 'table')],
      [routeTable('table', [route(forward('app', { timeoutMs: 0 }))])],
      [cluster('app', [port], { protocol: 'http2', ...more })],
    ),
  });
}

async function session(port: number): Promise<http2.ClientHttp2Session & AsyncDisposable> {
  const client = http2.connect(`http://127.0.0.1:${port}`);
  client.on('error', () => undefined);
  await once(client, 'remoteSettings');
  return Object.assign(client, { [Symbol.asyncDispose]: async () => client.destroy() });
}

function extendedConnect(client: http2.ClientHttp2Session): http2.ClientHttp2Stream {
  const head = { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/ws', ':scheme': 'http' };
  const stream = client.request({ 'sec-websocket-version': '13', ...head }, { endStream: false });
  stream.on('error', () => undefined);
  return stream;
}

async function statusOf(stream: http2.ClientHttp2Stream): Promise<number> {
  const [head] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
  return Number(head[':status']);
}

async function exchangeMessages(socket: WebSocket): Promise<void> {
  for (const message of ['hello', 'x'.repeat(300_000), '']) {
    socket.send(message);
    const [data] = (await once(socket, 'message')) as [Buffer];
    assert.ok(data.toString() === message, `an echo of ${message.length} characters`);
  }
}

async function closeWith(socket: WebSocket, code: number): Promise<void> {
  socket.close(code);
  assert.equal((await once(socket, 'close'))[0], code);
}

const UPGRADE = [
  'GET /ws HTTP/1.1',
  'Host: a',
  'Connection: upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '',
  '',
].join('\r\n');

test('a WebSocket of either version reaches an application that speaks HTTP/2, and its handshake is its version’s', async () => {
  await using app = await http2App(echoMessages);
  await using proxy = await edge(app.port);
  const old = new WebSocket(`ws://127.0.0.1:${proxy.port('in')}/ws?a=b`, 'chat');
  await once(old, 'open');
  assert.equal(old.protocol, 'chat');
  await exchangeMessages(old);

  await using client = await session(proxy.port('in'));
  const stream = extendedConnect(client);
  const [answer] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
  assert.deepEqual([answer[':status'], answer['sec-websocket-accept']], [200, undefined]);
  const fresh = webSocketOver(stream, 'client');
  await exchangeMessages(fresh);

  await closeWith(old, 4001);
  await closeWith(fresh, 4002);
  await eventually(() => proxy.engine.load()[0]?.active === 0, 'nothing in flight');
  assert.equal(app.sessions, 1);
  for (const head of app.heads) {
    assert.deepEqual([head[':method'], head[':protocol'], head[':scheme']], ['CONNECT', 'websocket', 'http']);
    for (const name of ['sec-websocket-key', 'upgrade', 'connection', 'te']) assert.equal(head[name], undefined, name);
    assert.equal(head['sec-websocket-version'], '13');
  }
  assert.deepEqual(
    app.heads.map((head) => head[':path']),
    ['/ws?a=b', '/ws'],
  );
  assert.ok(proxy.log.every((line) => line['status'] === 101 && Number(line['bytesIn']) > 300_000));
});

test('the accept that an HTTP/1.1 client is shown is that of its key', async () => {
  await using app = await http2App(echoMessages);
  await using proxy = await edge(app.port);
  const answer = await rawExchange(proxy.port('in'), UPGRADE, (text) => text.endsWith('\r\n\r\n'));
  // RFC 6455 section 1.3 has the pair.
  assert.match(
    answer,
    /^HTTP\/1\.1 101 Switching Protocols\r\n[^]*sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/,
  );
  assert.equal(answer.match(/sec-websocket-accept/gi)?.length, 1);
  assert.doesNotMatch(answer, /content-length/i);
});

test('between two sidecars a WebSocket to such an application goes by HTTP/2 all the way', async () => {
  await using ca = await testAuthority();
  await using app = await http2App(echoMessages);
  const plain = listener('in', 'in', { direction: 'inbound' }, { trustForwarded: true });
  const chains = plain.chains.map((chain) => ({
    ...chain,
    serverNames: ['8080.port.tutti.internal'],
    tls: { kind: 'mesh' } as const,
  }));
  await using callee = await startEngine({
    tables: tables(
      [{ ...plain, chains }],
      [routeTable('in', [route(forward('app', { timeoutMs: 0 }))])],
      [cluster('app', [app.port], { protocol: 'downstream' })],
    ),
    identity: ca.identity('cart'),
  });
  const tls = { serverName: '8080.port.tutti.internal', spiffeIds: [ca.id('cart')] };
  await using caller = await startEngine({
    tables: tables(
      [listener('out', 'out', { direction: 'outbound' }, { trustForwarded: true })],
      [routeTable('out', [route(forward('service', { timeoutMs: 0 }))])],
      [cluster('service', [callee.port('in')], { protocol: 'http2', tls })],
    ),
    identity: ca.identity('web'),
  });
  const sockets = Array.from({ length: 3 }, () => new WebSocket(`ws://127.0.0.1:${caller.port('out')}/ws`));
  await Promise.all(sockets.map((socket) => once(socket, 'open')));
  await Promise.all(sockets.map(exchangeMessages));
  assert.equal(app.sessions, 1);
  for (const socket of sockets) await closeWith(socket, 4000);
  await eventually(() => callee.log.length === 3 && caller.log.length === 3, 'the log lines');
  assert.ok(callee.log.every((line) => line['status'] === 101 && line['peer'] !== ''));
});

test('an application that does not offer it is not asked, and the answer and the log say so', async () => {
  await using app = await http2App(echoMessages, {});
  await using proxy = await edge(app.port, { outliers: undefined });
  await using client = await session(proxy.port('in'));
  assert.match(await rawExchange(proxy.port('in'), UPGRADE, (text) => text.endsWith('offered\n')), /^HTTP\/1\.1 502 /);
  const stream = extendedConnect(client);
  stream.setEncoding('utf8');
  let body = '';
  stream.on('data', (data: string) => void (body += data));
  assert.equal(await statusOf(stream), 502);
  await once(stream, 'close');
  assert.equal(body, 'extended-connect-not-offered\n');
  await eventually(() => proxy.log.length === 2, 'the log lines');
  assert.ok(proxy.log.every((line) => line['status'] === 502 && line['reason'] === 'UPE'));
  assert.deepEqual([...proxy.engine.telemetry.rejections.values()].length, 1);
  assert.equal(app.heads.length, 0);
});

test('what the application answers instead reaches the client, and the stream is over', async () => {
  await using app = await http2App((stream) => {
    stream.respond({ ':status': 403, 'content-length': 2 });
    stream.end('no');
  });
  await using proxy = await edge(app.port);
  const answer = await rawExchange(proxy.port('in'), UPGRADE, (text) => text.endsWith('no'));
  assert.match(answer, /^HTTP\/1\.1 403 Forbidden\r\n[^]*content-length: 2\r\n/);
  await using client = await session(proxy.port('in'));
  assert.equal(await statusOf(extendedConnect(client)), 403);
  await eventually(() => app.streams.every((stream) => stream.closed), 'the streams to end');
  assert.ok(app.streams.every(({ rstCode }) => rstCode === http2.constants.NGHTTP2_NO_ERROR));
});

test('each side ends for itself, and a reset ends the other side', async () => {
  await using app = await http2App((stream) => {
    stream.respond({ ':status': 200 });
    let got = '';
    stream.on('data', (data: Buffer) => void (got += data.toString()));
    stream.on('end', () => stream.end(`${got} and goodbye`));
  });
  await using proxy = await edge(app.port);
  await using client = await session(proxy.port('in'));
  const polite = extendedConnect(client);
  polite.end('hello');
  let got = '';
  polite.setEncoding('latin1');
  polite.on('data', (data: string) => void (got += data));
  await once(polite, 'close');
  assert.equal(got, 'hello and goodbye');

  const rude = extendedConnect(client);
  assert.equal(await statusOf(rude), 200);
  rude.close(http2.constants.NGHTTP2_CANCEL);
  await eventually(() => app.streams[1]?.closed === true, 'the application to hear of it');
  assert.equal(app.streams[1]?.rstCode, http2.constants.NGHTTP2_CANCEL);

  const left = extendedConnect(client);
  assert.equal(await statusOf(left), 200);
  app.streams[2]?.close(http2.constants.NGHTTP2_CANCEL);
  left.resume();
  await once(left, 'end');
  left.end();
  await eventually(() => proxy.engine.load()[0]?.active === 0, 'nothing in flight');
  assert.equal(app.sessions, 1);
});

test('clients that do not read stop the application, and no request nor another WebSocket', async () => {
  let sent = 0;
  await using app = await http2App((stream, head) => {
    stream.respond({ ':status': 200 });
    if (head[':method'] === 'GET') stream.end('here');
    const more = (): void => {
      let takesMore = !stream.destroyed;
      while (takesMore) {
        sent += 65_536;
        takesMore = stream.write(Buffer.alloc(65_536));
      }
    };
    stream.on('drain', more);
    if (head[':path'] === '/ws') more();
  });
  await using proxy = await edge(app.port);
  await using client = await session(proxy.port('in'));
  const slow = Array.from({ length: MAX_CARRIED_STREAMS }, () => extendedConnect(client));
  for (const stream of slow) stream.pause();
  assert.deepEqual(new Set(await Promise.all(slow.map(statusOf))), new Set([200]));
  let before = -1;
  await eventually(() => {
    const stopped = sent > 0 && sent === before;
    before = sent;
    return stopped;
  }, 'the application to be stopped');
  assert.ok(sent < MAX_CARRIED_STREAMS * 3_000_000, `${sent} bytes were taken`);
  const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
  assert.match(await rawExchange(proxy.port('in'), get, (text) => text.includes('here')), /^HTTP\/1\.1 200 /);
  // A connection of its own, for the first has its number.
  const other = extendedConnect(client);
  assert.equal(await statusOf(other), 200);
  other.close(http2.constants.NGHTTP2_CANCEL);
  assert.equal(app.sessions, 3);
});

test('an application whose SETTINGS do not come is one that cannot be reached', async () => {
  await using silent = await rawUpstream(() => undefined);
  await using old = await rawUpstream((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  for (const app of [silent, old]) {
    await using proxy = await edge(app.port, { connectTimeoutMs: 200 });
    assert.match(await rawExchange(proxy.port('in'), UPGRADE, (text) => text.includes('\r\n\r\n')), /^HTTP\/1\.1 503 /);
    await eventually(() => proxy.log.length === 1, 'the log line');
    assert.equal(proxy.log[0]?.['reason'], 'UF');
    // Nothing of the request had been sent.
    assert.doesNotMatch(app.received[0] ?? '', /websocket/);
  }
});

test('a drain waits for such a WebSocket', async () => {
  await using app = await http2App(echoMessages);
  await using proxy = await edge(app.port);
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.port('in')}/ws`);
  await once(socket, 'open');
  let drained = false;
  const drain = proxy.engine.drain(60_000).then(() => void (drained = true));
  await exchangeMessages(socket);
  assert.equal(drained, false);
  await closeWith(socket, 4000);
  await drain;
});
