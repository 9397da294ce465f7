import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { websocketAccept } from '../http1/websocket-key.ts';
import { answering, eventually, rawUpstream, startEngine } from '../test-support/harness.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../test-support/tables.ts';

// RFC 8441 with Node's HTTP/2 client and the WebSockets of `ws` on both ends.

interface EchoApp extends AsyncDisposable {
  readonly port: number;
  readonly wss: WebSocketServer;
  readonly heads: http.IncomingHttpHeaders[];
}

async function echoApp(): Promise<EchoApp> {
  const heads: http.IncomingHttpHeaders[] = [];
  const server = http.createServer((_, response) => response.writeHead(200).end('no socket'));
  const wss = new WebSocketServer({ server, handleProtocols: () => 'chat' });
  wss.on('connection', (socket, request) => {
    heads.push(request.headers);
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    wss,
    heads,
    [Symbol.asyncDispose]: async () => {
      for (const client of wss.clients) client.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function proxyTo(port: number) {
  return await startEngine({
    tables: tables(
      [listener('in', 'table')],
      [
        routeTable('table', [
          route({ kind: 'direct', status: 200, body: 'fixed' }, { path: { kind: 'exact', value: '/fixed' } }),
          route(forward('app'), { path: { kind: 'prefix', value: '/ws' } }),
        ]),
      ],
      [cluster('app', [port])],
    ),
  });
}

/** A client session that has seen what the server offers. */
async function connected(port: number): Promise<http2.ClientHttp2Session & AsyncDisposable> {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  await once(session, 'remoteSettings');
  return Object.assign(session, { [Symbol.asyncDispose]: async () => session.destroy() });
}

function openStream(session: http2.ClientHttp2Session, path = '/ws', more: object = {}): http2.ClientHttp2Stream {
  const head = { ':method': 'CONNECT', ':protocol': 'websocket', ':path': path, ':scheme': 'http', ...more };
  const stream = session.request({ 'sec-websocket-version': '13', ...head }, { endStream: false });
  stream.on('error', () => undefined);
  return stream;
}

async function statusOf(stream: http2.ClientHttp2Stream): Promise<number> {
  const [head] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
  return Number(head[':status']);
}

/** `ws` as the client of a stream: its handshake is HTTP/2's. */
function webSocketOver(stream: http2.ClientHttp2Stream): WebSocket {
  const socket = new WebSocket(null as never, undefined, { closeTimeout: 30_000 } as object) as WebSocket & {
    setSocket(on: object, head: Buffer, options: object): void;
  };
  const on = Object.assign(stream, { setNoDelay: () => stream });
  // Private to ws, and what it does after a handshake of its own.
  Object.assign(socket, { _isServer: false });
  socket.setSocket(on, Buffer.alloc(0), { allowSynchronousEvents: true, maxPayload: 0, skipUTF8Validation: false });
  return socket;
}

test('a WebSocket over an HTTP/2 stream reaches an application that speaks HTTP/1.1, beside other streams', async () => {
  await using app = await echoApp();
  await using proxy = await proxyTo(app.port);
  await using session = await connected(proxy.port('in'));
  assert.equal(session.remoteSettings.enableConnectProtocol, true);
  const sockets = await Promise.all(
    Array.from({ length: 5 }, async (_, at) => {
      const stream = openStream(session, '/ws?x', { 'sec-websocket-protocol': 'chat', origin: `http://o${at}` });
      const [head] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
      assert.deepEqual([head[':status'], head['sec-websocket-protocol']], [200, 'chat']);
      for (const name of ['sec-websocket-accept', 'upgrade', 'connection']) assert.equal(head[name], undefined, name);
      return webSocketOver(stream);
    }),
  );
  const echoes = sockets.map(async (socket, at) => {
    for (const message of [`hello ${at}`, 'x'.repeat(500_000), '']) {
      socket.send(message);
      const [data] = (await once(socket, 'message')) as [Buffer];
      assert.ok(data.toString() === message, `message ${at}`);
    }
  });
  await Promise.all(echoes);
  assert.equal(new Set(app.heads.map(({ origin }) => origin)).size, 5);

  // Either side closes, with a code that the other one hears.
  const [first, second, third] = sockets;
  first?.close(4001, 'enough');
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  assert.deepEqual((await once(first, 'close'))[0], 4001);
  const closing = once(second, 'close');
  for (const client of app.wss.clients) client.close(4002);
  assert.equal((await closing)[0], 4002);
  await eventually(() => proxy.engine.load()[0]?.active === 0, 'nothing in flight');
  await eventually(() => proxy.log.length === 5, 'five log lines');
  assert.ok(proxy.log.every((line) => line['status'] === 101 && Number(line['bytesIn']) > 500_000));
});

test('what a client sends ahead of the answer waits for it, and its end goes on to the application', async () => {
  await using app = await rawUpstream((socket, received) => {
    const key = /sec-websocket-key: (\S+)/.exec(received)?.[1] ?? '';
    if (received.endsWith('\r\n\r\n')) {
      const accept = websocketAccept(key);
      const head = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
      setImmediate(() => socket.write(head));
    } else if (received.endsWith('early')) socket.end('late');
  });
  await using proxy = await proxyTo(app.port);
  await using session = await connected(proxy.port('in'));
  const stream = openStream(session, '/ws', { 'sec-websocket-key': 'of no use' });
  for (const byte of 'earl') stream.write(byte);
  stream.end('y');
  let got = '';
  stream.setEncoding('latin1');
  stream.on('data', (data: string) => void (got += data));
  await once(stream, 'close');
  assert.equal(got, 'late');
  assert.equal(app.received[0]?.match(/sec-websocket-key/gi)?.length, 1);
  assert.match(
    app.received[0] ?? '',
    /^GET \/ws HTTP\/1\.1\r\n[^]*connection: upgrade\r\nupgrade: websocket\r\n\r\nearly$/,
  );
});

test('an application that does not switch, or cannot prove that it did, opens nothing', async () => {
  const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
  for (const [answer, status] of [
    ['HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone', 404],
    ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 502],
    ['HTTP/1.1 204 No Content\r\n\r\n', 502],
    [`${SWITCH}\r\n`, 502],
    [`${SWITCH}Sec-WebSocket-Accept: ${websocketAccept('another')}\r\n\r\n`, 502],
  ] as const) {
    await using app = await rawUpstream(answering(answer));
    await using proxy = await proxyTo(app.port);
    await using session = await connected(proxy.port('in'));
    assert.equal(await statusOf(openStream(session)), status, answer);
    await eventually(() => proxy.engine.load()[0]?.active === 0, 'nothing in flight');
  }
});

test('where there is no WebSocket the answer says so, and nothing of 200', async () => {
  await using app = await echoApp();
  await using proxy = await proxyTo(app.port);
  await using session = await connected(proxy.port('in'));
  assert.equal(await statusOf(openStream(session, '/nowhere')), 404);
  assert.equal(await statusOf(openStream(session, '/fixed')), 501);
  assert.equal(await statusOf(openStream(session, '/ws', { ':protocol': 'connect-udp' })), 501);
});

test('a client or an application that vanishes takes the other side of its WebSocket with it', async () => {
  await using app = await echoApp();
  await using proxy = await proxyTo(app.port);
  await using session = await connected(proxy.port('in'));
  const kept = openStream(session);
  const reset = openStream(session);
  assert.deepEqual([await statusOf(kept), await statusOf(reset)], [200, 200]);
  await eventually(() => app.wss.clients.size === 2, 'two sockets at the application');
  reset.close(http2.constants.NGHTTP2_CANCEL);
  await eventually(() => app.wss.clients.size === 1, 'the application to lose one');
  kept.resume();
  const gone = once(kept, 'end');
  for (const client of app.wss.clients) client.terminate();
  await gone;
  kept.end();
  await eventually(() => proxy.engine.load()[0]?.active === 0, 'nothing in flight');
});

test('a client that does not read stops the application, not the other streams of its connection', async () => {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (head: Buffer) => {
      const key = /sec-websocket-key: (\S+)/.exec(head.toString('latin1'))?.[1] ?? '';
      socket.write(
        `HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${websocketAccept(key)}\r\n\r\n`,
      );
      const more = (): void => {
        while (sent < 50_000_000 && socket.write(Buffer.alloc(65_536))) sent += 65_536;
      };
      socket.on('drain', more);
      more();
    });
  });
  let sent = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await using proxy = await proxyTo((server.address() as AddressInfo).port);
  await using session = await connected(proxy.port('in'));
  const slow = openStream(session);
  slow.pause();
  assert.equal(await statusOf(slow), 200);
  let before = -1;
  await eventually(() => {
    const stopped = sent > 0 && sent === before;
    before = sent;
    return stopped;
  }, 'the application to be stopped');
  assert.ok(sent < 40_000_000, `${sent} bytes were taken`);
  assert.equal(await statusOf(openStream(session, '/nowhere')), 404);
  session.destroy();
  server.close();
});
