import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import { ProxyAgent, request, WebSocket } from 'undici';
import { FakeClock } from '../../kit/fake-clock.ts';
import { answering, eventually, rawExchange, rawUpstream, startEngine } from '../test-support/harness.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../test-support/tables.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** What HTTP_PROXY points at: the mesh host `web`, and everything else dialled as named. */
function outboundProxy(webPort: number) {
  return startEngine({
    tables: tables(
      [listener('proxy', 'outbound', { direction: 'outbound' }, { forwardProxy: true, trustForwarded: true })],
      [
        {
          name: 'outbound',
          virtualHosts: [
            { name: 'web', domains: ['web', 'web:80'], routes: [route(forward('web'))] },
            { name: 'any', domains: ['*'], routes: [route(forward('passthrough'))] },
          ],
        },
      ],
      [cluster('web', [webPort]), cluster('passthrough', [], { kind: 'authority' })],
    ),
  });
}

test('an absolute target reaches a mesh host, or the host it names', async () => {
  await using web = await rawUpstream(answering(OK));
  await using outside = await rawUpstream(answering(OK.replace('ok', 'up')));
  await using proxy = await outboundProxy(web.port);
  const get = (authority: string): Promise<string> =>
    rawExchange(
      proxy.port('proxy'),
      `GET http://${authority}/x?y HTTP/1.1\r\nHost: wrong\r\nConnection: close\r\nProxy-Connection: keep-alive\r\n\r\n`,
    );
  assert.match(await get('web'), /ok$/);
  assert.match(web.received[0] ?? '', /^GET \/x\?y HTTP\/1\.1\r\nhost: web\r\n/);
  assert.match(await get(`127.0.0.1:${outside.port}`), /up$/);
  assert.match(await get(`localhost:${outside.port}`), /up$/);
});

test('CONNECT to a mesh host is read as HTTP, so that routing and identity apply within', async () => {
  await using web = await rawUpstream((socket, received) => {
    if (received.endsWith('\r\n\r\n')) socket.write(OK);
  });
  await using proxy = await outboundProxy(web.port);
  const agent = new ProxyAgent({ uri: `http://127.0.0.1:${proxy.port('proxy')}`, proxyTunnel: true });
  for (let turn = 0; turn < 3; turn++) {
    const { statusCode, body } = await request('http://web/inside', { dispatcher: agent });
    assert.deepEqual([statusCode, await body.text()], [200, 'ok']);
  }
  await agent.close();
  const inside = () => proxy.log.filter((line) => line['method'] === 'GET');
  await eventually(() => inside().length === 3, 'the log lines');
  assert.ok(inside().every((line) => line['cluster'] === 'web'));
  assert.match(web.received[0] ?? '', /^GET \/inside HTTP\/1\.1\r\nhost: web\r\n/);
  assert.equal(proxy.engine.load().find(({ cluster }) => cluster === 'passthrough')?.total, 0);
});

test('CONNECT to anything else is a tunnel for bytes, with each side ending by itself', async () => {
  await using outside = await rawUpstream((socket, received) => {
    socket.write(received.slice(-1).toUpperCase());
  });
  await using proxy = await outboundProxy(1);
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = net.connect({ port: proxy.port('proxy'), host: '127.0.0.1', allowHalfOpen: true });
    let text = '';
    socket.on('connect', () => socket.write(`CONNECT 127.0.0.1:${outside.port} HTTP/1.1\r\nHost: x\r\n\r\n`));
    socket.on('data', (data) => {
      text += data.toString();
      if (text.endsWith('\r\n\r\n')) socket.write('a');
      else if (text.endsWith('A')) socket.end('b');
    });
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
  assert.match(answer, /^HTTP\/1\.1 200 Connection Established\r\n\r\nAB$/);
  assert.equal(outside.received[0], 'ab');
});

test('a proxy that is asked to dial itself refuses, instead of going in circles', async () => {
  await using proxy = await outboundProxy(1);
  const port = proxy.port('proxy');
  const answer = await rawExchange(
    port,
    `GET http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
  );
  assert.match(answer, /^HTTP\/1\.1 503/);
  assert.equal(proxy.log.length <= 1, true);
});

/** Accepts a WebSocket and echoes text frames, by node:http's upgrade event and the frames of RFC 6455 for short texts. */
async function echoServer(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = http.createServer((_, response) => response.end('plain'));
  const sockets = new Set<Duplex>();
  server.on('upgrade', (request, socket) => {
    sockets.add(socket);
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.on('error', () => undefined);
    socket.on('data', (frame: Buffer) => {
      const length = (frame[1] ?? 0) & 127;
      const mask = frame.subarray(2, 6);
      const text = Buffer.from(frame.subarray(6, 6 + length).map((byte, at) => byte ^ (mask[at % 4] ?? 0)));
      socket.write(Buffer.concat([Buffer.from([frame[0] ?? 0, length]), text]));
      // A close frame is answered by one, and then the server ends the connection (RFC 6455 section 7.1.1).
      if (((frame[0] ?? 0) & 15) === 8) socket.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('a WebSocket goes through, and a drain waits for it', async () => {
  await using server = await echoServer();
  // It stands still while the handshake is under way, however long that takes.
  const clock = new FakeClock();
  await using proxy = await startEngine({
    clock,
    tables: tables(
      [listener('in', 't')],
      [routeTable('t', [route(forward('app', { timeoutMs: 100 }))])],
      [cluster('app', [server.port])],
    ),
  });
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.port('in')}/ws`);
  const said: string[] = [];
  socket.addEventListener('message', (event) => void said.push(String(event.data)));
  await new Promise((resolve) => socket.addEventListener('open', resolve));
  // The time of a route is for the answer, not for what comes after it.
  await clock.advance(1000);
  socket.send('one');
  await eventually(() => said.length === 1, 'the echo');
  const drain = { isOver: false };
  const drained = proxy.engine.drain(24 * 3_600_000).then(() => void (drain.isOver = true));
  socket.send('two');
  await eventually(() => said.length === 2, 'the echo while draining');
  await clock.advance(1000);
  assert.equal(drain.isOver, false);
  assert.deepEqual(said, ['one', 'two']);
  socket.close();
  while (!drain.isOver) await clock.advance(20);
  await drained;
  await clock.advance(2000);
  await eventually(() => proxy.log.length === 1, 'the log line');
  assert.equal(proxy.log[0]?.['status'], 101);
});

test('an upgrade that is not offered is an ordinary request', async () => {
  await using app = await rawUpstream((socket, received) => {
    if (received.endsWith('\r\n\r\n')) socket.write(OK);
  });
  await using proxy = await startEngine({
    tables: tables([listener('in', 't')], [routeTable('t', [route(forward('app'))])], [cluster('app', [app.port])]),
  });
  const ask = (line: string, fields: string): Promise<string> =>
    rawExchange(proxy.port('in'), `${line}\r\nHost: a\r\n${fields}\r\n\r\n`, (answer) => answer.endsWith('ok'));
  for (const [line, fields] of [
    ['GET / HTTP/1.1', 'Upgrade: websocket'],
    ['POST / HTTP/1.1', 'Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 0'],
    ['GET / HTTP/1.0', 'Connection: upgrade\r\nUpgrade: websocket'],
    [
      'GET / HTTP/1.1',
      'Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
    ],
  ] as const) {
    assert.match(await ask(line, fields), /^HTTP\/1\.1 200 OK/);
  }
  for (const received of app.received) assert.doesNotMatch(received, /upgrade|settings/i);
});
