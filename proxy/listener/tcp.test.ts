import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import tls from 'node:tls';
import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import { freePort } from '../../test/support/free-port.ts';
import { answering, eventually, type RunningEngine, rawUpstream, startEngine } from '../test-support/harness.ts';
import { testAuthority } from '../test-support/mesh.ts';
import { cluster, forward, listener, outlierDetection, route, routeTable, tables } from '../test-support/tables.ts';

const PORT_NAME = '8080.port.tutti.internal';
const SERVICE_NAME = 'greeter.shop.svc.cluster.local';
const BIG = Buffer.alloc(4 * 1024 * 1024, 'x');

/** A sidecar whose app speaks HTTP/1.1, and HTTP/2 to those who ask for it. */
function calleeTables(httpPort: number, tcpPort: number) {
  const { chains, ...plain } = listener('inbound', 'inbound', { direction: 'inbound' }, { trustForwarded: true });
  const secure = { tls: { kind: 'mesh' } as const };
  const bytes = { name: 'h2', applicationProtocols: ['h2'], tcp: { cluster: 'tcp' }, ...secure };
  return tables(
    [
      {
        ...plain,
        chains: [
          { ...bytes, serverNames: [PORT_NAME, SERVICE_NAME] },
          ...chains.map((chain) => ({ ...chain, ...secure, serverNames: [PORT_NAME] })),
        ],
      },
    ],
    [routeTable('inbound', [route(forward('http'))])],
    [cluster('http', [httpPort]), cluster('tcp', [tcpPort])],
  );
}

/** What comes back for what is sent, until the callee ends; undefined when the connection is refused. */
async function exchange(
  proxy: RunningEngine,
  identity: MeshIdentity,
  options: tls.ConnectionOptions,
  sent: string | Buffer,
): Promise<{ readonly protocol: unknown; readonly answer: Buffer } | undefined> {
  const { certificateChainPem: cert, privateKeyPem: key } = identity;
  const at = { host: '127.0.0.1', port: proxy.port('inbound'), rejectUnauthorized: false, cert, key };
  const socket = tls.connect({ ...at, ...options });
  const pieces: Buffer[] = [];
  let protocol: unknown;
  socket.on('data', (data: Buffer) => pieces.push(data));
  socket.on('error', () => undefined);
  socket.on('secureConnect', () => {
    protocol = socket.alpnProtocol;
    // The HTTP side takes an end for a client that has gone.
    if (protocol === 'h2') socket.end(sent);
    else socket.write(sent);
  });
  await new Promise((resolve) => socket.on('close', resolve));
  return pieces.length === 0 ? undefined : { protocol, answer: Buffer.concat(pieces) };
}

/** Sends back what it is sent. */
async function echo(): Promise<AsyncDisposable & { readonly port: number; open: number }> {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    upstream.open += 1;
    socket.on('close', () => {
      upstream.open -= 1;
    });
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    server.close();
    await once(server, 'close');
  };
  const upstream = { port: (server.address() as net.AddressInfo).port, open: 0, [Symbol.asyncDispose]: close };
  return upstream;
}

test('bytes of a client that asks for h2 reach the app as they are, and come back; others get HTTP/1.1', async () => {
  await using ca = await testAuthority();
  await using app = await rawUpstream(answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
  await using behind = await echo();
  await using callee = await startEngine({
    tables: calleeTables(app.port, behind.port),
    identity: ca.identity('greeter'),
  });
  const ask = (options: tls.ConnectionOptions, sent: string | Buffer) =>
    exchange(callee, ca.identity('web'), options, sent);

  for (const servername of [PORT_NAME, SERVICE_NAME, SERVICE_NAME.toUpperCase()]) {
    const got = await ask({ servername, ALPNProtocols: ['h2'] }, BIG);
    assert.equal(got?.protocol, 'h2');
    assert.ok(got.answer.equals(BIG), `${got.answer.length} bytes came back`);
  }
  const get = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  for (const ALPNProtocols of [['http/1.1'], undefined]) {
    const got = await ask({ servername: PORT_NAME, ...(ALPNProtocols === undefined ? {} : { ALPNProtocols }) }, get);
    assert.match(got?.answer.toString() ?? '', /200 OK[^]*ok$/);
  }
  assert.equal(await ask({ servername: SERVICE_NAME, ALPNProtocols: ['http/1.1'] }, get), undefined);
  assert.equal(await ask({ servername: 'other.shop.svc', ALPNProtocols: ['h2'] }, get), undefined);
  const { connectionsOpen } = callee.engine.telemetry;
  await eventually(() => behind.open === 0 && connectionsOpen.inbound === 0, 'all connections have ended');
});

test('a stranger gets no byte to the app, and an app that is away ends the connection', async () => {
  await using ca = await testAuthority();
  await using other = await testAuthority('elsewhere.local');
  const behind = await echo();
  await using callee = await startEngine({ tables: calleeTables(1, behind.port), identity: ca.identity('greeter') });
  const h2 = { servername: SERVICE_NAME, ALPNProtocols: ['h2'] };
  assert.equal(await exchange(callee, other.identity('web'), h2, 'hello'), undefined);
  assert.equal(behind.open, 0);
  await behind[Symbol.asyncDispose]();
  assert.equal(await exchange(callee, ca.identity('web'), h2, 'hello'), undefined);
  await eventually(() => callee.engine.telemetry.connectionsOpen.inbound === 0, 'the connection has ended here too');
});

test('a drain waits for connections that are open', async () => {
  await using ca = await testAuthority();
  await using behind = await echo();
  await using callee = await startEngine({ tables: calleeTables(1, behind.port), identity: ca.identity('greeter') });
  const { certificateChainPem: cert, privateKeyPem: key } = ca.identity('web');
  const at = { host: '127.0.0.1', port: callee.port('inbound'), rejectUnauthorized: false, cert, key };
  const socket = tls.connect({ ...at, servername: SERVICE_NAME, ALPNProtocols: ['h2'] });
  socket.write('hello');
  await once(socket, 'data');
  let drained = false;
  const drain = callee.engine.drain(60_000).finally(() => {
    drained = true;
  });
  socket.write('still here');
  await once(socket, 'data');
  assert.equal(drained, false);
  socket.end();
  await once(socket, 'close');
  await drain;
});

test('an endpoint of bytes that refuses connections is ejected as one of HTTP is, and not one that took some between', async () => {
  await using behind = await echo();
  const plain = listener('in', '', { direction: 'outbound' });
  const chains = plain.chains.map(({ name, serverNames }) => ({
    name,
    serverNames,
    applicationProtocols: [],
    tls: undefined,
    tcp: { cluster: 'c' },
  }));
  const outliers = outlierDetection({ consecutiveGatewayFailure: 1, enforcing: { consecutive_gateway_failure: 100 } });
  await using proxy = await startEngine({
    tables: tables([{ ...plain, chains }], [], [cluster('c', [await freePort(), behind.port], { outliers })]),
  });
  const ejected = (): readonly boolean[] => (proxy.engine.clusters()[0]?.endpoints ?? []).map((each) => each.ejected);
  for (let count = 0; count < 2; count++) {
    const socket = net.connect(proxy.port('in'), '127.0.0.1');
    socket.end('hi');
    const [said] = (await once(socket, 'data')) as [Buffer];
    assert.equal(said.toString(), 'hi');
  }
  assert.deepEqual(ejected(), [true, false]);
});
