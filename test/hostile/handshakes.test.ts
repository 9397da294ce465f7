import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import tls from 'node:tls';
import { answering, eventually, rawExchange, rawUpstream, startEngine } from '../../proxy/test-support/harness.ts';
import { testAuthority } from '../../proxy/test-support/mesh.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../../proxy/test-support/tables.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const NAME = '8080.port.tutti.internal';

/** A sidecar's inbound door and a client that the mesh knows. */
async function meshDoor() {
  const ca = await testAuthority();
  const app = await rawUpstream(answering(OK));
  const plain = listener('in', 't', { direction: 'inbound' }, { trustForwarded: true });
  const chains = plain.chains.map((chain) => ({ ...chain, serverNames: [NAME], tls: { kind: 'mesh' } as const }));
  const sidecar = await startEngine({
    identity: ca.identity('web'),
    tables: tables([{ ...plain, chains }], [routeTable('t', [route(forward('app'))])], [cluster('app', [app.port])]),
  });
  const { certificateChainPem: cert, privateKeyPem: key } = ca.identity('caller');
  const port = sidecar.port('in');
  return {
    app,
    port,
    engine: sidecar.engine,
    /** What comes back for a request behind a handshake with that server name; '' when it is refused. */
    ask: (servername: string, known: 'known' | 'unknown' = 'known') =>
      new Promise<string>((resolve) => {
        const own = known === 'known' ? { cert, key } : {};
        const socket = tls.connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false, ...own });
        let answer = '';
        socket.on('data', (data: Buffer) => void (answer += data.toString()));
        socket.on('error', () => undefined);
        socket.on('secureConnect', () => socket.write(GET));
        socket.on('close', () => resolve(answer));
      }),
    [Symbol.asyncDispose]: async () => {
      await sidecar[Symbol.asyncDispose]();
      await app[Symbol.asyncDispose]();
      await ca[Symbol.asyncDispose]();
    },
  };
}

test('a server name in capitals is the same name, under the same rules (CVE-2026-48928)', async () => {
  await using door = await meshDoor();
  assert.match(await door.ask(NAME.toUpperCase()), /ok$/);
  assert.equal(await door.ask(NAME.toUpperCase(), 'unknown'), '');
  assert.equal(door.app.connections, 1);
});

test('no server name breaks the lookup of certificates (CVE-2026-21637)', async () => {
  await using door = await meshDoor();
  for (const name of [
    '__proto__',
    'constructor',
    'toString',
    `${'a.'.repeat(120)}b`,
    `${NAME}.`,
    `x.${NAME}`,
    '*',
    '*.internal',
    'x'.repeat(63),
  ]) {
    assert.equal(await door.ask(name), '', name);
  }
  assert.match(await door.ask(NAME), /ok$/);
});

test('what is no handshake ends the connection, is counted, and harms nobody', async () => {
  await using door = await meshDoor();
  const record = (type: number, length: number, body: string): string =>
    String.fromCharCode(type, 3, 1, length >> 8, length & 255) + body;
  const hello = `\x01\x00\x00\x70\x03\x03${'r'.repeat(32)}\x00\x00\x02\x13\x01\x01\x00\x00\x45`;
  const broken: readonly string[] = [
    GET,
    '\0'.repeat(64),
    record(22, 16, 'x'.repeat(16)),
    record(22, 65_535, 'x'.repeat(64)),
    record(23, 5, 'hello'),
    record(21, 2, '\x02\x28'),
    record(22, hello.length + 69, `${hello}${'\xff'.repeat(69)}`),
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ];
  for (const bytes of broken) {
    assert.doesNotMatch(await rawExchange(door.port, bytes), /HTTP\/1\.1 200/, JSON.stringify(bytes.slice(0, 40)));
  }
  // A hello that stops in the middle, and one that is cut off.
  const waiting = net.connect({ port: door.port, host: '127.0.0.1' }, () =>
    waiting.write(record(22, 200, 'x').slice(0, 3)),
  );
  const cut = net.connect({ port: door.port, host: '127.0.0.1' }, () => cut.resetAndDestroy());
  assert.match(await door.ask(NAME), /ok$/);
  assert.equal(door.app.connections, 1);
  await eventually(() => door.engine.telemetry.tlsRefusals.size > 0, 'the refusals are counted');
  waiting.destroy();
});

test('an absolute https target is taken over TLS, and only there', async () => {
  await using ca = await testAuthority();
  await using app = await rawUpstream(answering(OK));
  const { certificateChainPem: certificatePem, privateKeyPem } = ca.identity('edge');
  const plain = listener('plain', 't');
  const secure = listener('secure', 't');
  const chains = secure.chains.map((chain) => ({
    ...chain,
    tls: { kind: 'certificate', certificatePem, privateKeyPem } as const,
  }));
  await using edge = await startEngine({
    tables: tables(
      [plain, { ...secure, chains }],
      [routeTable('t', [route(forward('app'))])],
      [cluster('app', [app.port])],
    ),
  });
  const request = 'GET https://shop.example/x?y HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n';
  const answer = await new Promise<string>((resolve, reject) => {
    let text = '';
    const socket = tls.connect({ port: edge.port('secure'), host: '127.0.0.1', rejectUnauthorized: false }, () =>
      socket.write(request),
    );
    socket.on('data', (data: Buffer) => void (text += data.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
  assert.match(answer, /^HTTP\/1\.1 200[^]*ok$/);
  assert.match(app.received[0] ?? '', /^GET \/x\?y HTTP\/1\.1\r\nhost: shop\.example\r\n/);
  assert.match(await rawExchange(edge.port('plain'), request), /^HTTP\/1\.1 400/);
  assert.equal(app.connections, 1);
});
