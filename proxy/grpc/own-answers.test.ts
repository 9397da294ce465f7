import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { FakeClock } from '../../kit/fake-clock.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { type Echo, echoClient, echoServer, metadataOf } from '../test-support/grpc-peers.ts';
import { answering, eventually, rawUpstream, startEngine } from '../test-support/harness.ts';
import { testClient } from '../test-support/http2-peers.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../test-support/tables.ts';

const SERVICE = { kind: 'prefix', value: '/test.Echo' } as const;

/** One listener whose routes lead calls, by a header, to each way in which the proxy must answer by itself. */
async function failingProxy(appPort: number, brokenPort: number) {
  const by = (kind: string) => ({ path: SERVICE, headers: [{ kind: 'exact', name: 'x-asked', value: kind } as const] });
  const quick = { timeoutMs: 100 };
  return await startEngine({
    tables: tables(
      [listener('in', 'table')],
      [
        routeTable('table', [
          route(forward('app', quick), by('late')),
          route(forward('app'), by('app')),
          route(forward('refusing'), by('down')),
          route(forward('empty'), by('empty')),
          route(forward('full'), by('full')),
          route(forward('broken'), by('broken')),
          route({ kind: 'direct', status: 500, body: 'no backend: ü' }, by('direct')),
        ]),
      ],
      [
        cluster('app', [appPort], { protocol: 'http2' }),
        cluster('refusing', [1], { protocol: 'http2' }),
        cluster('empty', [], { protocol: 'http2' }),
        cluster('full', [appPort], { protocol: 'http2', maxRequests: 0 }),
        cluster('broken', [brokenPort]),
      ],
    ),
  });
}

function call(echo: Echo, asked: string, text = 'hello', options: object = {}) {
  return new Promise<{ readonly code: number; readonly details: string }>((resolve) => {
    echo.Unary(Buffer.from(text), metadataOf('x-asked', asked), options, (error) =>
      resolve({ code: error?.code ?? status.OK, details: error?.details ?? '' }),
    );
  });
}

test('a call that the proxy has to answer itself ends with a gRPC status and the reason as its message', async () => {
  await using app = await echoServer();
  await using broken = await rawUpstream(answering('nonsense\r\n\r\n'));
  await using proxy = await failingProxy(app.port, broken.port);
  const client = echoClient(proxy.port('in'));
  for (const [asked, text, code, details] of [
    ['app', 'hello', status.OK, /^$/],
    ['nowhere', 'hello', status.UNIMPLEMENTED, /no route/],
    ['late', 'wait', status.DEADLINE_EXCEEDED, /took too long/],
    ['down', 'hello', status.UNAVAILABLE, /ECONNREFUSED/],
    ['empty', 'hello', status.UNAVAILABLE, /cluster "empty": no healthy endpoint/],
    ['full', 'hello', status.UNAVAILABLE, /cluster "full": too many requests/],
    ['broken', 'hello', status.UNAVAILABLE, /bad-start-line/],
    ['direct', 'hello', status.UNKNOWN, /no backend: ü/],
    ['app', 'fail', status.FAILED_PRECONDITION, /not now/],
  ] as const) {
    const got = await call(client.echo, asked, text);
    assert.equal(got.code, code, asked);
    assert.match(got.details, details, asked);
  }
  client.close();

  const metrics = createMetrics(proxy.engine);
  const published = await metrics.scrape();
  metrics.close();
  for (const line of [
    'tutti_grpc_requests_total{direction="ingress",service="app.default",grpc_response_status="0"} 1',
    'tutti_grpc_requests_total{direction="ingress",service="app.default",grpc_response_status="4"} 1',
    'tutti_grpc_requests_total{direction="ingress",service="app.default",grpc_response_status="9"} 1',
    'tutti_grpc_requests_total{direction="ingress",service="refusing.default",grpc_response_status="14"} 1',
    'tutti_grpc_requests_total{direction="ingress",service="",grpc_response_status="12"} 1',
  ]) {
    assert.ok(published.includes(`${line}\n`), line);
  }
  // The late one counts against the application; FAILED_PRECONDITION is the call's own fault.
  const load = proxy.engine.load().find((one) => one.cluster === 'app');
  assert.deepEqual([load?.success, load?.error], [2, 1]);
  await eventually(() => proxy.log.length === 9, 'every log line');
  assert.deepEqual(
    proxy.log.slice(0, 4).map((line) => [line['status'], line['reason'], line['grpcStatus']]),
    [
      [200, '', 0],
      [200, 'NR', 12],
      [200, 'UT', 4],
      [200, 'UF', 14],
    ],
  );
});

test('an own answer is Trailers-Only: 200 and the status in the head, over either version, for gRPC-Web as well', async () => {
  await using proxy = await failingProxy(1, 1);
  for (const version of ['HTTP/1.1', 'HTTP/2'] as const) {
    await using client = testClient(version, proxy.port('in'));
    for (const [sent, got] of [
      ['application/grpc+proto', 'application/grpc'],
      ['application/grpc-web', 'application/grpc-web+proto'],
      ['application/grpc-web-text', 'application/grpc-web-text+proto'],
    ]) {
      const headers = { 'content-type': sent ?? '', 'x-asked': 'empty' };
      const answer = await client.ask({ method: 'POST', path: '/test.Echo/Unary', headers, body: '\0\0\0\0\0' });
      const { 'content-type': type, 'grpc-status': code, 'grpc-message': message } = answer.headers;
      assert.deepEqual([answer.status, answer.body, type, code], [200, '', got, '14']);
      assert.equal(message, 'cluster "empty": no healthy endpoint');
    }
    const plain = await client.ask({ path: '/test.Echo/Unary', headers: { 'x-asked': 'empty' } });
    assert.deepEqual([plain.status, plain.headers['grpc-status']], [503, undefined]);
  }
});

test('a client’s grpc-timeout ends a call on its own, where the route has more time or none', async () => {
  await using app = await echoServer();
  for (const timeoutMs of [0, 60_000]) {
    // It stands still until the call has come to the application.
    const clock = new FakeClock();
    await using proxy = await startEngine({
      clock,
      tables: tables(
        [listener('in', 'table')],
        [routeTable('table', [route(forward('app', { timeoutMs }))])],
        [cluster('app', [app.port], { protocol: 'http2' })],
      ),
    });
    await using client = testClient('HTTP/2', proxy.port('in'));
    const headers = { 'content-type': 'application/grpc', te: 'trailers', 'grpc-timeout': '150m' };
    const body = '\0\0\0\0\x04wait';
    const asked = client.ask({ method: 'POST', path: '/test.Echo/Unary', headers, body });
    await eventually(() => app.waiting === 1, 'the call at the application');
    await clock.advance(200);
    const answer = await asked;
    assert.deepEqual([answer.status, answer.headers['grpc-status']], [200, '4']);
    await eventually(() => app.waiting === 0, 'the application to hear of it');
  }
  await eventually(() => app.cancelled === 2, 'the application to hear of both');
});
