import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import tls from 'node:tls';
import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import { freePort } from '../../test/support/free-port.ts';
import { answering, eventually, rawExchange, rawUpstream, startEngine } from '../test-support/harness.ts';
import { testAuthority } from '../test-support/mesh.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../test-support/tables.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const SERVER_NAME = '8080.port.tutti.internal';

/** The sidecar of an app: one mesh chain. */
function calleeTables(appPort: number) {
  const plain = listener('inbound', 'inbound', { direction: 'inbound' }, { trustForwarded: true });
  const chains = plain.chains.map((chain) => ({
    ...chain,
    serverNames: [SERVER_NAME],
    tls: { kind: 'mesh' } as const,
  }));
  return tables(
    [{ ...plain, chains }],
    [routeTable('inbound', [route(forward('inbound/8080'))])],
    [cluster('inbound/8080', [appPort])],
  );
}

function callerTables(meshPort: number, spiffeIds: readonly string[], action: Parameters<typeof forward>[1] = {}) {
  return tables(
    [listener('out', 'out', { direction: 'outbound' }, { trustForwarded: true })],
    [routeTable('out', [route(forward('service', action))])],
    [cluster('service', [meshPort], { tls: { serverName: SERVER_NAME, spiffeIds } })],
  );
}

const refusals = (engine: { readonly telemetry: { readonly tlsRefusals: ReadonlyMap<string, number> } }): string[] =>
  [...engine.telemetry.tlsRefusals.keys()].map((key) => key.replace('\n', ' '));

test('a request crosses two proxies over mTLS, and the app is told who called', async () => {
  await using ca = await testAuthority();
  await using app = await rawUpstream(answering(OK));
  await using callee = await startEngine({ tables: calleeTables(app.port), identity: ca.identity('cart') });
  await using caller = await startEngine({
    tables: callerTables(callee.port('inbound'), [ca.id('cart')]),
    identity: ca.identity('web'),
  });
  const forged = GET.replace('Host', 'x-forwarded-client-cert: URI=spiffe://evil\r\nHost');
  assert.match(await rawExchange(caller.port('out'), forged), /ok$/);
  assert.match(
    app.received[0] ?? '',
    new RegExp(`x-forwarded-client-cert: By=${ca.id('cart')};URI=${ca.id('web')}\r\n`),
  );
  assert.doesNotMatch(app.received[0] ?? '', /evil/);
  await eventually(() => callee.log.length === 1, 'the log line');
  assert.equal(callee.log[0]?.['peer'], ca.id('web'));
});

test('a head that is just small enough at the first proxy is not too large for the second', async () => {
  await using ca = await testAuthority();
  await using app = await rawUpstream(answering(OK));
  await using callee = await startEngine({ tables: calleeTables(app.port), identity: ca.identity('cart') });
  await using caller = await startEngine({
    tables: callerTables(callee.port('inbound'), [ca.id('cart')]),
    identity: ca.identity('web'),
  });
  const fields = Array.from({ length: 97 }, (_, at) => `X-${at}: y\r\n`).join('');
  const start = `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${fields}X: `;
  const whole = `${start}${'y'.repeat(60 * 1024 - start.length - 5)}\r\n\r\n`;
  assert.match(await rawExchange(caller.port('out'), whole), /^HTTP\/1\.1 200[^]*ok$/);
});

test('plaintext, strangers, clients without a certificate and unknown names are refused at the mesh port, each counted', async () => {
  await using ca = await testAuthority();
  await using other = await testAuthority('elsewhere.local');
  await using app = await rawUpstream(answering(OK));
  await using callee = await startEngine({ tables: calleeTables(app.port), identity: ca.identity('cart') });
  const port = callee.port('inbound');

  assert.doesNotMatch(await rawExchange(port, GET), /200/);

  const attempt = async (identity: MeshIdentity | undefined, options: tls.ConnectionOptions = {}): Promise<string> => {
    const own = identity === undefined ? {} : { cert: identity.certificateChainPem, key: identity.privateKeyPem };
    const socket = tls.connect({
      port,
      host: '127.0.0.1',
      servername: SERVER_NAME,
      rejectUnauthorized: false,
      ...own,
      ...options,
    });
    let answer = '';
    socket.on('data', (data: Buffer) => void (answer += data.toString()));
    socket.on('error', () => undefined);
    socket.on('secureConnect', () => socket.write(GET));
    await new Promise((resolve) => socket.on('close', resolve));
    return answer;
  };
  assert.match(await attempt(ca.identity('web')), /200 OK/);
  assert.equal(await attempt(undefined), '');
  assert.equal(await attempt(other.identity('web')), '');
  assert.equal(await attempt(ca.identity('web'), { servername: 'other.internal' }), '');
  assert.equal(await attempt(ca.identity('web'), { maxVersion: 'TLSv1.2' }), '');
  assert.equal(app.connections, 1);
  assert.deepEqual(refusals(callee.engine).sort(), [
    'server empty-chain',
    'server handshake',
    'server plaintext',
    'server unknown-server-name',
    'server untrusted',
  ]);
});

test('a callee with another identity than the cluster names gets no byte of the request', async () => {
  await using ca = await testAuthority();
  await using app = await rawUpstream(answering(OK));
  await using callee = await startEngine({ tables: calleeTables(app.port), identity: ca.identity('cart') });
  await using caller = await startEngine({
    tables: callerTables(callee.port('inbound'), [ca.id('reviews')]),
    identity: ca.identity('web'),
  });
  assert.match(await rawExchange(caller.port('out'), GET), /503/);
  assert.equal(app.connections, 0);
  assert.deepEqual(refusals(caller.engine), ['client not-allowed']);
  assert.equal(callee.engine.load()[0]?.total, 0);
});

test('TLS sessions are not resumed at a mesh port: every connection is verified', async () => {
  await using ca = await testAuthority();
  await using app = await rawUpstream(answering(OK));
  await using callee = await startEngine({ tables: calleeTables(app.port), identity: ca.identity('cart') });
  const { certificateChainPem: cert, privateKeyPem: key } = ca.identity('web');
  const options = {
    port: callee.port('inbound'),
    host: '127.0.0.1',
    servername: SERVER_NAME,
    rejectUnauthorized: false,
    cert,
    key,
  };
  const first = tls.connect(options);
  let session: Buffer | undefined;
  first.on('session', (ticket: Buffer) => void (session = ticket));
  first.on('secureConnect', () => first.write(GET));
  first.resume();
  await once(first, 'close');
  const second = tls.connect({ ...options, ...(session === undefined ? {} : { session }) });
  await once(second, 'secureConnect');
  assert.equal(second.isSessionReused(), false);
  second.destroy();
});

test("a mesh proxy's failure is told to the caller by a header, acted on, and not shown to the client", async () => {
  await using ca = await testAuthority();
  await using app = await rawUpstream(answering(OK));
  await using broken = await startEngine({ tables: calleeTables(await freePort()), identity: ca.identity('cart') });
  await using sound = await startEngine({ tables: calleeTables(app.port), identity: ca.identity('cart') });
  const retry = { retries: 2, on: ['connect-failure'], statuses: [], backoffBaseMs: 1, backoffMaxMs: 1 } as const;
  const both = callerTables(broken.port('inbound'), [ca.id('cart')], { retry });
  const service = both.clusters.get('service');
  assert.ok(service !== undefined);
  const endpoints = [broken, sound].map((proxy) => ({
    address: '127.0.0.1',
    port: proxy.port('inbound'),
    weight: 1,
    healthy: true,
  }));
  await using caller = await startEngine({
    tables: { ...both, clusters: new Map([['service', { ...service, endpoints }]]) },
    identity: ca.identity('web'),
  });
  const post = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
  for (let turn = 0; turn < 6; turn++) assert.match(await rawExchange(caller.port('out'), post), /200 OK/);
  await using lonely = await startEngine({
    tables: callerTables(broken.port('inbound'), [ca.id('cart')]),
    identity: ca.identity('web'),
  });
  const answer = await rawExchange(lonely.port('out'), post);
  assert.match(answer, /^HTTP\/1\.1 503/);
  assert.doesNotMatch(answer, /x-tutti-reason/);
  await eventually(() => lonely.log.length === 1, 'the log line');
  assert.equal(lonely.log[0]?.['reason'], 'UF');
});

test('identities rotate on both sides under load, and no request fails', async () => {
  await using ca = await testAuthority();
  await using app = await rawUpstream(answering(OK));
  await using callee = await startEngine({ tables: calleeTables(app.port), identity: ca.identity('cart') });
  await using caller = await startEngine({
    tables: callerTables(callee.port('inbound'), [ca.id('cart')]),
    identity: ca.identity('web'),
  });
  const stop = new AbortController();
  let answered = 0;
  const failed: string[] = [];
  const client = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const answer = await rawExchange(caller.port('out'), GET);
      if (answer.endsWith('ok')) answered++;
      else failed.push(answer);
    }
  };
  const clients = Array.from({ length: 4 }, client);
  for (let generation = 2; generation <= 7; generation++) {
    const before = answered;
    await eventually(() => answered >= before + 25, 'requests between two rotations');
    caller.engine.setIdentity(ca.identity('web', generation));
    callee.engine.setIdentity(ca.identity('cart', generation));
  }
  const last = answered;
  await eventually(() => answered >= last + 25, 'requests after the last rotation');
  stop.abort();
  await Promise.all(clients);
  assert.deepEqual(failed, []);
  assert.ok(
    (caller.engine.clusters()[0]?.endpoints[0]?.connectionsOpened ?? 0) >= 7,
    'new identities made new connections',
  );
  assert.equal(callee.engine.telemetry.identityRotations, 6);
});
