import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { MESH_HTTP1_PROTOCOL } from '../../api/meta/well-known.ts';
import type { ClusterConfig } from '../cluster/cluster-config.ts';
import { EndpointState } from '../cluster/endpoint-state.ts';
import { eventually, rawExchange, rawUpstream, startEngine } from '../test-support/harness.ts';
import { type TestAuthority, testAuthority } from '../test-support/mesh.ts';
import { cluster, endpoint, forward, listener, route, routeTable, tables } from '../test-support/tables.ts';
import { hopTo, MAX_CARRIED_STREAMS, wantsHttp1 } from './hop.ts';

const SERVER_NAME = '8080.port.tutti.internal';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

/** As the control plane makes it: the app is spoken to as its caller speaks. */
function callee(ca: TestAuthority, appPort: number, applicationProtocols: readonly string[] = []) {
  const plain = listener('in', 'in', { direction: 'inbound' }, { trustForwarded: true });
  const chains = plain.chains.map((chain) => ({
    ...chain,
    applicationProtocols,
    serverNames: [SERVER_NAME],
    tls: { kind: 'mesh' } as const,
  }));
  const app = cluster('app', [appPort], { protocol: 'downstream' });
  return startEngine({
    tables: tables([{ ...plain, chains }], [routeTable('in', [route(forward('app'))])], [app]),
    identity: ca.identity('cart'),
  });
}

function caller(ca: TestAuthority, ports: readonly number[], more: Partial<ClusterConfig> = {}) {
  const service = cluster('service', ports, {
    tls: { serverName: SERVER_NAME, spiffeIds: [ca.id('cart')] },
    ...more,
  });
  return startEngine({
    tables: tables(
      [listener('out', 'out', { direction: 'outbound' }, { trustForwarded: true })],
      [routeTable('out', [route(forward('service'))])],
      [service],
    ),
    identity: ca.identity('web'),
  });
}

test('requests of many clients share a connection between two proxies, and the app is spoken to in HTTP/1.1', async () => {
  await using ca = await testAuthority();
  const waiting: (() => void)[] = [];
  await using app = await rawUpstream((socket, received) => {
    if (!received.endsWith('\r\n\r\n')) return;
    waiting.push(() => void socket.write(OK, 'latin1'));
    if (waiting.length === MAX_CARRIED_STREAMS + 1) for (const answer of waiting) answer();
  });
  await using inner = await callee(ca, app.port);
  await using outer = await caller(ca, [inner.port('in')]);
  const port = outer.port('out');
  const answers = await Promise.all(Array.from({ length: MAX_CARRIED_STREAMS + 1 }, () => rawExchange(port, GET)));
  for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[^]*ok$/);
  assert.equal(inner.engine.telemetry.connectionsOpened.inbound, 2);
  assert.match(app.received[0] ?? '', /^GET \/ HTTP\/1\.1\r\n/);
  assert.equal(app.connections, MAX_CARRIED_STREAMS + 1);
});

test('a callee that takes HTTP/1.1 alone is spoken to in it, and no request is lost in finding out', async () => {
  await using ca = await testAuthority();
  await using app = await rawUpstream((socket, received) => {
    if (/(\r\n\r\n|hi)$/.test(received) && !/Length: 2\r\n.*\r\n\r\n$/s.test(received)) socket.write(OK, 'latin1');
  });
  await using first = await callee(ca, app.port, ['http/1.1']);
  await using second = await callee(ca, app.port, ['http/1.1']);
  await using outer = await caller(ca, [first.port('in'), second.port('in')]);
  const post = GET.replace('GET', 'POST').replace('\r\n\r\n', '\r\nContent-Length: 2\r\n\r\nhi');
  for (const request of [post, GET, post, GET]) {
    assert.match(await rawExchange(outer.port('out'), request), /^HTTP\/1\.1 200 OK\r\n/);
  }
  await eventually(() => outer.log.length === 4, 'the log lines');
  assert.deepEqual(
    outer.log.map(({ reason, tries }) => [reason, tries]),
    [3, 1, 1, 1].map((tries) => ['', tries]),
  );
});

test('clients that give up do not make the callee take their proxy for an attacker', async () => {
  await using ca = await testAuthority();
  let asked = 0;
  await using app = await rawUpstream(() => void asked++);
  await using inner = await callee(ca, app.port);
  await using outer = await caller(ca, [inner.port('in')]);
  const opened = inner.engine.telemetry.connectionsOpened;
  const together = MAX_CARRIED_STREAMS;
  for (let turn = 1; opened.inbound < 2; turn++) {
    assert.ok(turn * together < 600, 'the caller went on with the same connection');
    const sockets = Array.from({ length: together }, () => net.connect({ port: outer.port('out'), host: '127.0.0.1' }));
    for (const socket of sockets) socket.write(GET);
    await eventually(() => asked === turn * together, 'the app sees the requests');
    for (const socket of sockets) socket.resetAndDestroy();
    await eventually(() => outer.engine.telemetry.connectionsOpen.outbound === 0, 'the caller has given up');
  }
  assert.deepEqual([...outer.engine.telemetry.rejections.keys()], []);
});

for (const [what, more, client, request, hop] of [
  ['a request between proxies', {}, 'http1', {}, MESH_HTTP1_PROTOCOL],
  ['an upgrade', {}, 'http1', { upgrade: 'websocket' }, 'http1'],
  ['an upgrade to an app that speaks HTTP/2', { protocol: 'http2' }, 'http1', { upgrade: 'websocket' }, 'http2'],
  ['a large head', {}, 'http1', { head: 'x'.repeat(20_000) }, 'http1'],
  ['outside the mesh', { tls: undefined }, 'http1', {}, 'http1'],
  ['an app that speaks HTTP/2', { protocol: 'http2' }, 'http1', {}, 'http2'],
  ['an app that is spoken to as its caller speaks', { tls: undefined, protocol: 'downstream' }, 'http2', {}, 'http2'],
] as const) {
  test(`${what} goes by ${hop}`, () => {
    const tls = { serverName: SERVER_NAME, spiffeIds: [] };
    const of = { head: 'GET / HTTP/1.1\r\n\r\n', upgrade: '', ...request };
    assert.equal(
      hopTo(cluster('c', [], { tls, ...more }), new EndpointState(endpoint(1)), client, of, { monotonic: () => 0 }),
      hop,
    );
  });
}

test('who wants HTTP/1.1 is asked again after a minute, for its proxy may be another by then', () => {
  const tls = { serverName: SERVER_NAME, spiffeIds: [] };
  const state = new EndpointState(endpoint(1));
  const hopAt = (nowMs: number): string =>
    hopTo(cluster('c', [], { tls }), state, 'http1', { head: '', upgrade: '' }, { monotonic: () => nowMs });
  wantsHttp1(state, 1000);
  assert.deepEqual([1000, 60_999, 61_000].map(hopAt), ['http1', 'http1', MESH_HTTP1_PROTOCOL]);
});
