// Certificates that are wrong in one way each, shown in real TLS handshakes to a sidecar and to the xDS server.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import tls from 'node:tls';
import { type BadChain, badChains } from '../certs/test-support/bad-chains.ts';
import { DAY_MS, makeCertificate, makeRoot, type TestCertificate } from '../certs/test-support/test-pki.ts';
import type { MeshIdentity } from '../certs/workload/mesh-identity.ts';
import { XDS_REFUSED, xdsMetrics } from '../control/xds/metrics.ts';
import { listenForProxies } from '../control/xds/proxy-listener.ts';
import { systemClock } from '../kit/clock.ts';
import { type Logger, silentLog } from '../kit/log.ts';
import { answering, rawUpstream, startEngine } from '../proxy/test-support/harness.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../proxy/test-support/tables.ts';
import { eventually } from './support/eventually.ts';

const clock = systemClock();
const root = makeRoot('tutti.local', clock.now());
const { good, bad } = badChains(root, clock.now());
const SERVER_NAME = '8080.port.tutti.internal';
const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

function identityUnder(issuer: TestCertificate, generation: number): MeshIdentity {
  const nowMs = clock.now();
  const spiffeId = 'spiffe://tutti.local/tutti/control';
  const leaf = makeCertificate({
    name: 'own',
    issuer,
    nowMs,
    names: { uris: [spiffeId] },
    purposes: ['serverAuth', 'clientAuth'],
  });
  return {
    generation,
    spiffeId,
    certificateChainPem: leaf.pem,
    privateKeyPem: leaf.keyPem,
    trustBundlePem: issuer.pem,
    notBeforeMs: nowMs - DAY_MS,
    notAfterMs: nowMs + DAY_MS,
  };
}

interface Told {
  readonly reason: string;
  readonly detail: string;
}

/** A log of which the warnings are kept. */
function warnings(): { readonly log: Logger; readonly told: Told[] } {
  const told: Told[] = [];
  const log = Object.assign(silentLog(), { warn: (fields: Told) => void told.push(fields) });
  return { log, told };
}

/** What the server answers to a client with this certificate; empty when it closes the connection. */
async function answerTo({ chainPem, keyPem }: BadChain, options: tls.ConnectionOptions): Promise<string> {
  const socket = tls.connect({ host: '127.0.0.1', rejectUnauthorized: false, cert: chainPem, key: keyPem, ...options });
  let answer = '';
  socket.on('data', (bytes: Buffer) => void (answer += bytes.toString('latin1')));
  socket.on('error', () => undefined);
  socket.on('secureConnect', () => socket.write(GET));
  await new Promise((resolve) => socket.on('close', resolve));
  return answer;
}

test('a sidecar refuses each bad chain, with its reason in log and metric, and not a byte reaches the app', async () => {
  await using app = await rawUpstream(answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
  const { log, told } = warnings();
  const plain = listener('inbound', 'inbound', { direction: 'inbound' }, { trustForwarded: true });
  const chains = plain.chains.map((chain) => ({
    ...chain,
    serverNames: [SERVER_NAME],
    tls: { kind: 'mesh' } as const,
  }));
  await using callee = await startEngine({
    tables: tables(
      [{ ...plain, chains }],
      [routeTable('inbound', [route(forward('inbound/8080'))])],
      [cluster('inbound/8080', [app.port])],
    ),
    identity: identityUnder(root, 1),
    processLog: log,
  });
  const options = { port: callee.port('inbound'), servername: SERVER_NAME };
  assert.match(await answerTo(good, options), /200 OK/);
  const { tlsRefusals } = callee.engine.telemetry;
  assert.equal(tlsRefusals.size, 0);
  for (const chain of bad) {
    const counted = tlsRefusals.get(`server\n${chain.reason}`) ?? 0;
    assert.equal(await answerTo(chain, options), '', chain.what);
    assert.equal(
      tlsRefusals.get(`server\n${chain.reason}`),
      counted + 1,
      `${chain.what}: ${[...tlsRefusals.keys()].join()}`,
    );
    assert.ok(
      told.some(({ reason, detail }) => reason === chain.reason && detail !== ''),
      chain.what,
    );
  }
  assert.equal(app.connections, 1);
});

test('the xDS server refuses each bad chain, with its reason in log and metric', async (t) => {
  const { log, told } = warnings();
  const metrics = xdsMetrics();
  let taken = 0;
  const identity = { current: () => identityUnder(root, 1), onChange: () => () => undefined };
  const server = await listenForProxies({
    address: '127.0.0.1',
    port: 0,
    identity,
    metrics,
    clock,
    log,
    take: (socket) => {
      taken += 1;
      socket.end('taken');
    },
  });
  t.after(() => server.close());
  const options = { port: server.port, ALPNProtocols: ['h2'] };
  assert.equal(await answerTo(good, options), 'taken');
  const counts = new Map<string, number>();
  for (const chain of bad) {
    counts.set(chain.reason, (counts.get(chain.reason) ?? 0) + 1);
    assert.equal(await answerTo(chain, options), '', chain.what);
    assert.equal(told.at(-1)?.reason, chain.reason, chain.what);
    assert.notEqual(told.at(-1)?.detail, '');
  }
  const text = await metrics.text();
  for (const [reason, count] of counts)
    assert.match(text, new RegExp(`^${XDS_REFUSED}\\{reason="${reason}"\\} ${count}$`, 'm'));
  assert.equal(taken, 1);
});

test('who tries to resume a TLS session with the xDS server is verified against the roots of now', async (t) => {
  const { log, told } = warnings();
  let current = identityUnder(root, 1);
  const feed: { tell?: (next: MeshIdentity) => void } = {};
  const identity = {
    current: () => current,
    onChange: (listener: (next: MeshIdentity) => void) => {
      feed.tell = listener;
      return () => undefined;
    },
  };
  const server = await listenForProxies({
    address: '127.0.0.1',
    port: 0,
    identity,
    metrics: xdsMetrics(),
    clock,
    log,
    take: (socket) => socket.end('taken'),
  });
  t.after(() => server.close());
  const options = { port: server.port, ALPNProtocols: ['h2'] };
  const first = tls.connect({
    host: '127.0.0.1',
    rejectUnauthorized: false,
    cert: good.chainPem,
    key: good.keyPem,
    ...options,
  });
  let session: Buffer | undefined;
  first
    .on('session', (ticket: Buffer) => (session = ticket))
    .on('error', () => undefined)
    .resume();
  await eventually('a session', () => session !== undefined);
  const resumed = { ...options, ...(session === undefined ? {} : { session }) };
  assert.equal(await answerTo(good, resumed), 'taken');
  current = identityUnder(makeRoot('tutti.local', clock.now()), 2);
  feed.tell?.(current);
  assert.equal(await answerTo(good, resumed), '');
  assert.equal(told.at(-1)?.reason, 'untrusted');
});

test("the page of the control plane's metrics and what it counts agree", async () => {
  const page = readFileSync(join(import.meta.dirname, '..', 'docs', 'reference', 'control-plane-metrics.md'), 'utf8');
  const documented = [...page.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name);
  const published = [...(await xdsMetrics().text()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  assert.deepEqual(documented, published);
});
