import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { meshServerName } from '../../api/meta/well-known.ts';
import type { FilterChain, ListenerConfig } from '../../proxy/listener/listener-config.ts';
import { renderProxyHeader } from '../../proxy/proxy-protocol/render.ts';
import { eventually, type RunningEngine, rawExchange, startEngine } from '../../proxy/test-support/harness.ts';
import { testAuthority } from '../../proxy/test-support/mesh.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../../proxy/test-support/tables.ts';
import { freePort } from '../support/free-port.ts';
import { needs, program } from '../support/programs.ts';
import { backend } from './backend.ts';
import { certificateFor } from './certificates.ts';
import { startHaproxy, startNginx } from './programs.ts';

const run = promisify(execFile);
const ACCEPT = { sources: ['127.0.0.1/32'], timeoutMs: 3000 };
const CLIENT = '127.0.0.7';
const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

/** What it answers: who the client is, as its proxy says. */
const app = (): ReturnType<typeof backend> => backend(({ headers }) => String(headers['x-forwarded-for']));

async function curl(...args: readonly string[]): Promise<string> {
  return (await run(program('curl'), ['-sS', '--max-time', '60', ...args])).stdout;
}

function refusals({ engine }: RunningEngine): Readonly<Record<string, number>> {
  return Object.fromEntries(engine.telemetry.proxyHeaderRefusals);
}

const bytesTo = (name: string): FilterChain => ({
  name,
  serverNames: [],
  applicationProtocols: [],
  tls: undefined,
  tcp: { cluster: name },
});

test(
  'an ingress believes HAProxy and curl who the client is, in both versions, before HTTP and before TLS, and nobody else',
  needs('haproxy', 'curl', 'openssl'),
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tutti-proxy-protocol-'));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const { cert, key, path } = await certificateFor('shop.example', folder);
    const behind = stack.use(await app());
    const plain = { ...listener('plain', 't'), acceptProxyProtocol: ACCEPT };
    const secured = listener('secure', 't');
    const shown = { kind: 'certificate', certificatePem: cert, privateKeyPem: key } as const;
    const secure: ListenerConfig = {
      ...secured,
      acceptProxyProtocol: ACCEPT,
      chains: secured.chains.map((chain) => ({ ...chain, tls: shown })),
    };
    const edge = stack.use(
      await startEngine({
        tables: tables([plain, secure], [routeTable('t', [route(forward('app'))])], [cluster('app', [behind.port])]),
      }),
    );
    const ports = { plain: edge.port('plain'), secure: edge.port('secure') };
    const [one, two, three] = [await freePort(), await freePort(), await freePort()];
    const way = (port: number, to: number, how: string): string =>
      `listen l${port}\n  bind 127.0.0.1:${port}\n  server s 127.0.0.1:${to} ${how}`;
    const sections = [
      way(one, ports.plain, 'send-proxy'),
      way(two, ports.plain, 'send-proxy-v2 proxy-v2-options crc32c,unique-id'),
      way(three, ports.secure, 'send-proxy-v2'),
    ];
    stack.use(await startHaproxy(folder, sections.join('\n'), three));

    const from = ['--interface', CLIENT];
    for (const port of [one, two]) assert.equal(await curl(...from, `http://127.0.0.1:${port}/`), CLIENT);
    const named = ['--cacert', path, '--resolve', `shop.example:${three}:127.0.0.1`, `https://shop.example:${three}/`];
    assert.equal(await curl(...from, ...named), CLIENT);
    assert.equal(await curl('--haproxy-protocol', `http://127.0.0.1:${ports.plain}/`), '127.0.0.1');

    const told = (version: 1 | 2, rest: string): string =>
      renderProxyHeader(version, { address: '2001:db8::7', port: 7 }, { address: '::1', port: 80 }).toString('latin1') +
      rest;
    for (const version of [1, 2] as const) {
      const whole = told(version, REQUEST);
      assert.match(await rawExchange(ports.plain, whole), /\r\n\r\n[^]*2001:db8::7/);
      assert.match(
        await rawExchange(ports.plain, [whole.slice(0, 5), whole.slice(5, 20), whole.slice(20)]),
        /2001:db8::7/,
      );
    }
    // Its sender speaks for itself: a health check.
    assert.match(await rawExchange(ports.plain, `PROXY UNKNOWN\r\n${REQUEST}`), /\r\n127\.0\.0\.1/);
    assert.deepEqual(refusals(edge), {}, 'nothing so far is refused');

    assert.equal(await rawExchange(ports.plain, REQUEST), '');
    assert.equal(await rawExchange(ports.secure, '\x16\x03\x01\x00\x05hello'), '');
    assert.equal(await rawExchange(ports.plain, `PROXY TCP4 1.1.1.1\r\n${REQUEST}`), '');
    assert.equal(await rawExchange(ports.plain, 'PROXY TCP4 '), '');
    await assert.rejects(curl(...from, '--haproxy-protocol', `http://127.0.0.1:${ports.plain}/`));
    assert.deepEqual(refusals(edge), { missing: 2, broken: 1, timeout: 1, source: 1 });
    await eventually(() => edge.engine.telemetry.connectionsOpen.ingress === 0, 'all have ended');
  },
);

test('a peer that has gone before anybody looked at it is not a refusal', async () => {
  const plain = { ...listener('plain', 't'), acceptProxyProtocol: ACCEPT };
  const behind = cluster('app', [1]);
  await using edge = await startEngine({
    tables: tables([plain], [routeTable('t', [route(forward('app'))])], [behind]),
  });
  const port = edge.port('plain');
  const comeAndGo = `const s = require('net').connect(${port}, '127.0.0.1', () => s.resetAndDestroy())`;
  // While it runs, nothing runs here: the connection waits to be accepted, and is reset by then.
  execFileSync(process.execPath, ['-e', comeAndGo], { stdio: 'inherit' });
  assert.equal(await rawExchange(port, REQUEST), '');
  assert.deepEqual(refusals(edge), { missing: 1 });
});

test(
  'nginx and HAProxy are told who the client is, in both versions, through the mesh and by what another proxy said',
  needs('nginx', 'haproxy', 'curl'),
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tutti-proxy-protocol-'));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const [nginx, haproxy, before] = [await freePort(), await freePort(), await freePort()];
    const answer = 'return 200 "$proxy_protocol_addr $proxy_protocol_server_port";';
    const server = `server { listen 127.0.0.1:${nginx} proxy_protocol; location / { ${answer} } }`;
    stack.use(await startNginx(folder, server, nginx));
    const accepting = `frontend in
  mode http
  bind 127.0.0.1:${haproxy} accept-proxy
  http-request return status 200 content-type text/plain lf-string "%[src] %[dst_port]"`;
    stack.use(await startHaproxy(folder, accepting, haproxy));

    const ca = stack.use(await testAuthority());
    const name = meshServerName(8080);
    const inbound: ListenerConfig = {
      ...listener('inbound', '', { direction: 'inbound' }),
      chains: [{ ...bytesTo('app'), serverNames: [name], tls: { kind: 'mesh' } }],
    };
    const callee = stack.use(
      await startEngine({ tables: tables([inbound], [], [cluster('app', [nginx])]), identity: ca.identity('app') }),
    );
    const clusters = [
      cluster('v1', [nginx], { sendProxyProtocol: 1 }),
      cluster('v2', [nginx], { sendProxyProtocol: 2 }),
      cluster('haproxy', [haproxy], { sendProxyProtocol: 2 }),
      cluster('mesh', [callee.port('inbound')], {
        sendProxyProtocol: 2,
        tls: { serverName: name, spiffeIds: [ca.id('app')] },
      }),
    ];
    const doors = clusters.map((one): ListenerConfig => ({ ...listener(one.name, ''), chains: [bytesTo(one.name)] }));
    const told: ListenerConfig = { ...listener('told', ''), acceptProxyProtocol: ACCEPT, chains: [bytesTo('v2')] };
    const edge = stack.use(
      await startEngine({ tables: tables([...doors, told], [], clusters), identity: ca.identity('edge') }),
    );
    for (const { name: door } of clusters) {
      const port = edge.port(door);
      assert.equal(await curl('--interface', CLIENT, `http://127.0.0.1:${port}/`), `${CLIENT} ${port}`, door);
    }
    const sending = `listen l\n  bind 127.0.0.1:${before}\n  server s 127.0.0.1:${edge.port('told')} send-proxy`;
    stack.use(await startHaproxy(folder, sending, before));
    assert.equal(await curl('--interface', CLIENT, `http://127.0.0.1:${before}/`), `${CLIENT} ${before}`);
  },
);
