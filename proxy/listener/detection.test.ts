import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { test } from 'node:test';
import tls from 'node:tls';
import { MESH_BYTES_PROTOCOL, meshServerName } from '../../api/meta/well-known.ts';
import { freePort } from '../../test/support/free-port.ts';
import { eventually, type RunningEngine, startEngine } from '../test-support/harness.ts';
import { testAuthority } from '../test-support/mesh.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../test-support/tables.ts';
import type { ReadMode } from './listener.ts';
import type { ListenerConfig } from './listener-config.ts';

const NAME = meshServerName(8080);
/** Longer than a machine that does other things holds up what has been sent at once. */
const OPENING = { look: 'http', timeoutMs: 300 } as const;
const WHOLE = 1024 * 1024;

/** As the control plane tells a caller of a port that names no protocol. */
function outbound(direction: 'outbound' | 'ingress' = 'outbound'): ListenerConfig {
  const { chains, ...rest } = listener('out', 'out', { direction });
  const bytes = { name: 'tcp', serverNames: [], applicationProtocols: [], tls: undefined, tcp: { cluster: 'app' } };
  return {
    ...rest,
    opening: OPENING,
    chains: [...chains.map((chain) => ({ ...chain, applicationProtocols: ['http/1.0', 'http/1.1', 'h2c'] })), bytes],
  };
}

/** And the callee. */
function inbound(opening: ListenerConfig['opening'] = OPENING): ListenerConfig {
  const { chains, ...rest } = listener('inbound', 'inbound', { direction: 'inbound' }, { trustForwarded: true });
  const secure = { tls: { kind: 'mesh' }, serverNames: [NAME] } as const;
  return {
    ...rest,
    opening,
    chains: [
      ...chains.map((chain) => ({ ...chain, ...secure, applicationProtocols: ['h2', 'http/1.1'] })),
      { name: 'tcp', applicationProtocols: [], ...secure, tcp: { cluster: 'app' } },
    ],
  };
}

interface App extends AsyncDisposable {
  readonly port: number;
  readonly connections: number;
}

async function listening(server: net.Server): Promise<App> {
  const sockets = new Set<net.Socket>();
  let connections = 0;
  server.on('connection', (socket: net.Socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as net.AddressInfo).port,
    get connections() {
      return connections;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Greets first, as SMTP and MySQL do; says what it got once the client has ended its side. */
function greeter(): net.Server {
  return net.createServer({ allowHalfOpen: true }, (socket) => {
    let got = 0;
    socket.write('220 ready\r\n');
    socket.on('data', (data) => {
      got += data.length;
    });
    socket.on('end', () => socket.end(`got ${got} bytes`));
  });
}

/** What reaches it, at once. */
function echo(): net.Server {
  return net.createServer({ allowHalfOpen: true }, (socket) => void socket.pipe(socket));
}

interface Path extends AsyncDisposable {
  readonly port: number;
  readonly caller: RunningEngine;
  readonly callee: RunningEngine;
}

/** Caller's sidecar, mTLS, callee's sidecar, app. */
async function path(appPort: number, readMode: ReadMode = 'shared'): Promise<Path> {
  const ca = await testAuthority();
  const callee = await startEngine({
    tables: tables([inbound()], [routeTable('inbound', [route(forward('app'))])], [cluster('app', [appPort])]),
    identity: ca.identity('greeter'),
    readMode,
  });
  const secure = { serverName: NAME, spiffeIds: [ca.identity('greeter').spiffeId] };
  const caller = await startEngine({
    tables: tables(
      [outbound()],
      [routeTable('out', [route(forward('app'))])],
      [cluster('app', [callee.port('inbound')], { tls: secure })],
    ),
    identity: ca.identity('web'),
    readMode,
  });
  return {
    port: caller.port('out'),
    caller,
    callee,
    [Symbol.asyncDispose]: async () => {
      await caller.engine.close();
      await callee.engine.close();
      await ca[Symbol.asyncDispose]();
    },
  };
}

/** Connects and gathers until the other side has ended. */
function client(port: number): {
  readonly socket: net.Socket;
  readonly got: () => string;
  readonly ended: Promise<string>;
} {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let got = '';
  socket.on('data', (data) => {
    got += data.toString('latin1');
  });
  socket.on('error', () => undefined);
  const ended = new Promise<string>((resolve) => {
    socket.on('end', () => resolve(got));
    socket.on('close', () => resolve(got));
  });
  return { socket, got: () => got, ended };
}

for (const readMode of ['shared', 'events'] as const) {
  test(`a server that speaks first is heard through both sidecars, and each side ends for itself (${readMode} reads)`, async () => {
    await using app = await listening(greeter());
    await using way = await path(app.port, readMode);
    const { socket, got, ended } = client(way.port);
    await eventually(() => got() === '220 ready\r\n', 'the greeting');
    socket.write(Buffer.alloc(WHOLE, 'x'));
    socket.end('!');
    assert.equal(await ended, `220 ready\r\ngot ${WHOLE + 1} bytes`);
    const { connectionsOpen } = way.callee.engine.telemetry;
    await eventually(() => connectionsOpen.inbound === 0, 'the connection is closed at both');
    assert.equal(app.connections, 1);
  });
}

test('a server that ends its side first still gets what the client has to say', async () => {
  let heard = '';
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.end('bye');
    socket.on('data', (data) => {
      heard += data.toString();
    });
  });
  await using app = await listening(server);
  await using way = await path(app.port);
  const { socket, ended } = client(way.port);
  assert.equal(await ended, 'bye');
  socket.end('one last word');
  await eventually(() => heard === 'one last word', 'the word');
});

test('HTTP on a port that names no protocol is HTTP: in one piece, byte by byte, HTTP/2, and late', async () => {
  const server = http.createServer((request, response) =>
    response.end(`hello ${String(request.headers['x-forwarded-for'])}`),
  );
  await using app = await listening(server);
  await using way = await path(app.port);
  const request = 'GET /a HTTP/1.1\r\nHost: greeter\r\nConnection: close\r\n\r\n';

  const whole = client(way.port);
  whole.socket.write(request);
  assert.match(await whole.ended, /^HTTP\/1.1 200 [^]*hello 127\.0\.0\.1/);

  const slow = client(way.port);
  for (const byte of request.slice(0, 16)) {
    slow.socket.write(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  slow.socket.write(request.slice(16));
  assert.match(await slow.ended, /^HTTP\/1.1 200 /);

  const session = http2.connect(`http://127.0.0.1:${way.port}`);
  const stream = session.request({ ':path': '/' });
  const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
  assert.equal(headers[':status'], 200);
  session.destroy();

  // Opened ahead of its request: it is taken for bytes meanwhile, and nothing of that reaches the app.
  const before = app.connections;
  const late = client(way.port);
  await eventually(() => app.connections > before, 'a connection for a client that says nothing');
  late.socket.write(request);
  assert.match(await late.ended, /^HTTP\/1.1 200 /);
  await eventually(() => way.caller.log.length === 4, 'four requests, and none is a stream of bytes');
});

test('what is not HTTP reaches the app as it is, whether it is TLS, a command or half a request line', async () => {
  await using app = await listening(echo());
  await using way = await path(app.port);
  for (const said of ['PING\r\n', '\x16\x03\x01\x00\x05hello', '\x00\x01\x02', 'GET key\r\n', 'GET /half']) {
    const { socket, ended } = client(way.port);
    socket.end(said, 'latin1');
    assert.equal(await ended, said);
  }
  const quiet = client(way.port);
  quiet.socket.end();
  assert.equal(await quiet.ended, '');
  assert.equal(way.caller.log.length, 0);
});

test('half a request line and no more of it is a slow request, and is answered as one', async () => {
  await using app = await listening(echo());
  const quick = listener('out', 'out', { direction: 'outbound' }, { headerTimeoutMs: 300 });
  const { chains } = outbound();
  await using proxy = await startEngine({
    tables: tables(
      [
        {
          ...outbound(),
          chains: [...quick.chains, ...chains.slice(1)].map((chain, at) =>
            at === 0 ? { ...chain, applicationProtocols: ['http/1.1'] } : chain,
          ),
        },
      ],
      [routeTable('out', [route(forward('app'))])],
      [cluster('app', [app.port])],
    ),
  });
  const { socket, ended } = client(proxy.port('out'));
  socket.write('GET /slow HTT');
  assert.match(await ended, /^HTTP\/1.1 408 /);
});

test('a caller that names no protocol is looked at by the callee; one that asks for bytes is not', async () => {
  await using ca = await testAuthority();
  await using app = await listening(greeter());
  // Nobody is waited for here: what a client says it says at once, however late a machine that is held up brings it.
  const patient = inbound({ ...OPENING, timeoutMs: 20_000 });
  await using callee = await startEngine({
    tables: tables([patient], [routeTable('inbound', [route(forward('app'))])], [cluster('app', [app.port])]),
    identity: ca.identity('greeter'),
  });
  const { certificateChainPem: cert, privateKeyPem: key } = ca.identity('web');
  const ask = async (ALPNProtocols: string[], said: string): Promise<string> => {
    const at = { host: '127.0.0.1', port: callee.port('inbound'), servername: NAME, rejectUnauthorized: false };
    const socket = tls.connect({ ...at, cert, key, ALPNProtocols, allowHalfOpen: true } as tls.ConnectionOptions);
    let got = '';
    socket.on('data', (data: Buffer) => {
      got += data.toString('latin1');
    });
    socket.on('error', () => undefined);
    await once(socket, 'secureConnect');
    socket.end(said);
    await once(socket, 'end');
    socket.destroy();
    return got;
  };
  assert.equal(await ask([MESH_BYTES_PROTOCOL], 'GET / HTTP/1.1\r\n\r\n'), '220 ready\r\ngot 18 bytes');
  assert.equal(await ask([], 'NOOP\r\n'), '220 ready\r\ngot 6 bytes');
  assert.equal(await ask([], ''), '220 ready\r\ngot 0 bytes');
  assert.match(await ask([], 'GET / HTTP/1.1\r\n\r\n'), /^HTTP\/1.1 400 /);
});

test('an endpoint that cannot be reached is made good by another, and a listener that goes away cuts no bytes', async () => {
  await using app = await listening(greeter());
  const clusters = [cluster('app', [await freePort(), app.port])];
  const routes = [routeTable('out', [route(forward('app'))])];
  await using proxy = await startEngine({ tables: tables([outbound('ingress')], routes, clusters) });
  for (let turn = 0; turn < 4; turn++) {
    const { socket, ended } = client(proxy.port('out'));
    socket.end('NOOP');
    assert.equal(await ended, '220 ready\r\ngot 4 bytes');
  }
  const open = client(proxy.port('out'));
  const undecided = client(proxy.port('out'));
  await eventually(() => open.got() !== '', 'the greeting');
  await proxy.engine.apply(tables([], routes, clusters));
  open.socket.end('still here');
  assert.equal(await open.ended, '220 ready\r\ngot 10 bytes');
  undecided.socket.end('me too');
  assert.equal(await undecided.ended, '220 ready\r\ngot 6 bytes');
  await eventually(() => proxy.engine.telemetry.connectionsOpen.ingress === 0, 'all have ended');
});

test('a drain does not wait for a client that was opened ahead and says nothing', async () => {
  await using app = await listening(echo());
  const routes = [routeTable('out', [route(forward('app'))])];
  await using proxy = await startEngine({
    tables: tables([outbound('ingress')], routes, [cluster('app', [app.port])]),
  });
  const silent = client(proxy.port('out'));
  const busy = client(proxy.port('out'));
  busy.socket.write('PING\r\n');
  await eventually(() => app.connections === 2 && busy.got() === 'PING\r\n', 'both are joined to the app');
  const drained = proxy.engine.drain(60_000);
  assert.equal(await silent.ended, '');
  busy.socket.end('QUIT');
  assert.equal(await busy.ended, 'PING\r\nQUIT');
  await drained;
});
