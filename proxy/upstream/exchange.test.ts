import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import type { Clock } from '../../kit/clock.ts';
import { FakeClock } from '../../kit/fake-clock.ts';
import { freePort } from '../../test/support/free-port.ts';
import type { RetryPolicy } from '../route/route-table.ts';
import { answering, eventually, rawExchange, rawUpstream, startEngine } from '../test-support/harness.ts';
import { testServer } from '../test-support/http2-peers.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../test-support/tables.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody';
const RETRY: RetryPolicy = {
  retries: 2,
  on: ['connect-failure', 'reset-before-request', 'reset'],
  statuses: [],
  backoffBaseMs: 5,
  backoffMaxMs: 10,
};

const status = (answer: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);

function proxyTo(
  ports: readonly number[],
  action: Parameters<typeof forward>[1] = {},
  more: Parameters<typeof cluster>[2] = {},
  clock?: Clock,
) {
  return startEngine({
    ...(clock === undefined ? {} : { clock }),
    tables: tables(
      [listener('in', 't')],
      [routeTable('t', [route(forward('app', action))])],
      [cluster('app', ports, more)],
    ),
  });
}

test('a dead endpoint costs no request, whatever the method, and is asked less often afterwards', async () => {
  await using upstream = await rawUpstream((socket, received) => {
    if (/\r\n\r\n(?:body)?$/.test(received)) socket.write(OK);
  });
  await using proxy = await proxyTo([await freePort(), upstream.port], { retry: RETRY });
  for (let turn = 0; turn < 20; turn++) {
    assert.equal(status(await rawExchange(proxy.port('in'), turn % 2 === 0 ? GET : POST)), 200);
  }
  const [dead] = proxy.engine.clusters()[0]?.endpoints ?? [];
  assert.equal(dead?.avoided, true);
  assert.ok((dead?.connectFailures ?? 99) <= 3, `${dead?.connectFailures} connections tried`);
});

test('without a policy a refused connection is told to the client as 503 UF', async () => {
  await using proxy = await proxyTo([await freePort()]);
  assert.equal(status(await rawExchange(proxy.port('in'), GET)), 503);
  await eventually(() => proxy.log.length === 1, 'the log line');
  assert.equal(proxy.log[0]?.['reason'], 'UF');
});

test('a request that was cut off is repeated when it is safe, and only then', async () => {
  let turn = 0;
  await using upstream = await rawUpstream((socket, received) => {
    if (!/\r\n\r\n(?:body)?$/.test(received)) return;
    if (turn++ % 2 === 0) socket.resetAndDestroy();
    else socket.write(OK);
  });
  await using proxy = await proxyTo([upstream.port], { retry: RETRY });
  assert.equal(status(await rawExchange(proxy.port('in'), GET)), 200);
  assert.equal(status(await rawExchange(proxy.port('in'), POST)), 503);
  await eventually(() => proxy.log.length === 2, 'the log lines');
  assert.deepEqual(
    proxy.log.map((line) => [line['status'], line['reason'], line['tries']]),
    [
      [200, '', 2],
      [503, 'UC', 1],
    ],
  );
});

test('a pooled connection that the server closes as we send is made good on a new one, without a policy', async () => {
  let turn = 0;
  await using upstream = await rawUpstream((socket, received) => {
    if (!received.endsWith('\r\n\r\n')) return;
    // Answers the first request on each connection, and hangs up on the second.
    if (received.indexOf('\r\n\r\n') === received.length - 4) socket.write(OK);
    else socket.resetAndDestroy();
    turn++;
  });
  await using proxy = await proxyTo([upstream.port]);
  for (let request = 0; request < 5; request++) assert.equal(status(await rawExchange(proxy.port('in'), GET)), 200);
  assert.equal(upstream.connections, 5);
  assert.equal(turn, 9);
});

test('a mesh proxy is believed only over mTLS: an application cannot forge x-tutti-reason', async () => {
  await using upstream = await rawUpstream(
    answering('HTTP/1.1 503 No\r\nx-tutti-reason: UF\r\nContent-Length: 0\r\n\r\n'),
  );
  await using proxy = await proxyTo([upstream.port], { retry: RETRY });
  const answer = await rawExchange(proxy.port('in'), GET);
  assert.equal(status(answer), 503);
  assert.doesNotMatch(answer, /x-tutti-reason/);
  assert.equal(upstream.connections, 1);
});

test('a request that takes longer than its route allows is 504 UT, and so is each try', async () => {
  await using upstream = await rawUpstream(() => undefined);
  await using slow = await proxyTo([upstream.port], { timeoutMs: 60 });
  assert.equal(status(await rawExchange(slow.port('in'), GET)), 504);
  await using tries = await proxyTo([upstream.port], { timeoutMs: 60_000, perTryTimeoutMs: 40, retry: RETRY });
  assert.equal(status(await rawExchange(tries.port('in'), GET)), 504);
  await eventually(() => tries.log.length === 1, 'the log line');
  assert.deepEqual([tries.log[0]?.['reason'], tries.log[0]?.['tries']], ['UT', 3]);
});

test('a connection that cannot be made in time is a connect failure', async () => {
  // A listener whose backlog is full drops SYNs on Linux; an unroutable test address (RFC 5737) works without setup, but
  // may be refused at once where there is no route: both are UF.
  await using proxy = await startEngine({
    tables: tables(
      [listener('in', 't')],
      [routeTable('t', [route(forward('app'))])],
      [
        cluster('app', [], {
          connectTimeoutMs: 50,
          endpoints: [{ address: '192.0.2.1', port: 9, weight: 1, healthy: true }],
        }),
      ],
    ),
  });
  assert.equal(status(await rawExchange(proxy.port('in'), GET)), 503);
  await eventually(() => proxy.log.length === 1, 'the log line');
  assert.equal(proxy.log[0]?.['reason'], 'UF');
});

test('no endpoint, no cluster, no route, too many at once: each says which', async () => {
  await using upstream = await rawUpstream(() => undefined);
  await using proxy = await startEngine({
    tables: tables(
      [listener('in', 't')],
      [
        routeTable('t', [
          route(forward('empty'), { path: { kind: 'exact', value: '/empty' } }),
          route(forward('gone'), { path: { kind: 'exact', value: '/gone' } }),
          route(forward('full'), { path: { kind: 'exact', value: '/full' } }),
        ]),
      ],
      [cluster('empty', []), cluster('full', [upstream.port], { maxRequests: 1 })],
    ),
  });
  const get = (path: string): Promise<string> =>
    rawExchange(proxy.port('in'), `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  assert.equal(status(await get('/empty')), 503);
  assert.equal(status(await get('/gone')), 503);
  assert.equal(status(await get('/other')), 404);
  const held = net.connect(proxy.port('in'), '127.0.0.1', () => held.write('GET /full HTTP/1.1\r\nHost: a\r\n\r\n'));
  await eventually(() => upstream.connections === 1, 'the first request');
  assert.equal(status(await get('/full')), 503);
  held.resetAndDestroy();
  await eventually(() => proxy.log.length === 5, 'the log lines');
  assert.deepEqual(
    proxy.log.map((line) => line['reason']),
    ['UH', 'NC', 'NR', 'UO', 'DC'],
  );
});

test('connections are kept and used again, and closed when they have been idle for long', async () => {
  await using upstream = await rawUpstream(answering(OK));
  // It stands still, so that no connection is idle for long because the machine is slow.
  const clock = new FakeClock();
  await using proxy = await proxyTo([upstream.port], {}, { poolIdleMs: 1000 }, clock);
  for (let turn = 0; turn < 10; turn++) assert.equal(status(await rawExchange(proxy.port('in'), GET)), 200);
  assert.equal(upstream.connections, 1);
  assert.equal(proxy.engine.clusters()[0]?.endpoints[0]?.idleConnections, 1);
  await clock.advance(1100);
  await eventually(
    () => proxy.engine.clusters()[0]?.endpoints[0]?.idleConnections === 0,
    'the idle connection is closed',
  );
});

test('an endpoint that leaves the cluster finishes what it has, and gets nothing more', async () => {
  let release: (() => void) | undefined;
  await using old = await rawUpstream((socket) => {
    release = () => socket.write(OK);
  });
  await using young = await rawUpstream(answering(OK));
  await using proxy = await proxyTo([old.port]);
  const waiting = rawExchange(proxy.port('in'), GET);
  await eventually(() => release !== undefined, 'the request at the old endpoint');
  const { listeners, routeTables } = proxy.engine.tables;
  await proxy.engine.apply({ listeners, routeTables, clusters: new Map([['app', cluster('app', [young.port])]]) });
  assert.equal(status(await rawExchange(proxy.port('in'), GET)), 200);
  release?.();
  assert.equal(status(await waiting), 200);
  assert.equal(old.connections, 1);
  assert.equal(young.connections, 1);
});

test('a body that came before its connection was made is sent whole, also by a later try', async () => {
  let turn = 0;
  const body = 'x'.repeat(50_000);
  await using upstream = await rawUpstream((socket, received) => {
    if (!received.endsWith(body)) return;
    if (turn++ === 0) socket.resetAndDestroy();
    else socket.write(OK);
  });
  await using proxy = await proxyTo([upstream.port], { retry: RETRY });
  const put = `PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  assert.equal(status(await rawExchange(proxy.port('in'), put)), 200);
  assert.equal(upstream.connections, 2);
});

for (const protocol of ['http1', 'http2'] as const) {
  test(`a connection that has reached its age carries nothing more, and what it has to its end (${protocol})`, async () => {
    const clock = new FakeClock();
    const version = protocol === 'http1' ? 'HTTP/1.1' : 'HTTP/2';
    await using upstream = await testServer(version, (_request, response) => response.end('ok'));
    const proxy = await startEngine({
      clock,
      tables: tables(
        [listener('in', 't')],
        [routeTable('t', [route(forward('app'))])],
        [cluster('app', [upstream.port], { protocol, maxConnectionMs: 10_000, poolIdleMs: 60_000 })],
      ),
    });
    const opened = async (): Promise<number | undefined> => {
      assert.equal(
        status(await rawExchange(proxy.port('in'), GET, (answer) => /ok(?:\r\n0\r\n\r\n)?$/.test(answer))),
        200,
      );
      return proxy.engine.clusters()[0]?.endpoints[0]?.connectionsOpened;
    };
    assert.equal(await opened(), 1);
    await clock.advance(8900);
    assert.equal(await opened(), 1);
    // Up to a tenth sooner, by chance; the request under way is the last.
    await clock.advance(1200);
    const last = await opened();
    assert.equal(await opened(), 2);
    assert.equal(last, protocol === 'http1' ? 1 : 2);
    await proxy.engine.close();
  });
}
