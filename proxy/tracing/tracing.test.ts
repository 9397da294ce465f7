import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { seededRandom } from '../../kit/random.ts';
import type { RouteMatch } from '../route/route-table.ts';
import { type Echo, echoClient, echoServer, metadataOf } from '../test-support/grpc-peers.ts';
import { answering, eventually, rawExchange, rawUpstream, startEngine } from '../test-support/harness.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../test-support/tables.ts';
import type { Span } from './span.ts';
import { Tracer } from './tracer.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const RETRY = { retries: 2, on: ['reset'], statuses: [503], backoffBaseMs: 1, backoffMaxMs: 2 } as const;

const at = (value: string): Partial<RouteMatch> => ({ path: { kind: 'exact', value } });
const REDIRECT = { scheme: 'https', host: undefined, port: undefined, rewrite: undefined, status: 302 } as const;
const CORS = {
  origins: [{ kind: 'exact', name: 'origin', value: 'https://page.example' }],
  methods: 'GET',
  headers: '',
  exposeHeaders: '',
  maxAge: '',
  credentials: false,
  forwardStrangers: false,
} as const;
/** A path for each way in which a request is answered without being forwarded. */
const ANSWERED = routeTable('t', [
  route({ kind: 'direct', status: 410, body: 'gone' }, at('/direct')),
  route({ kind: 'direct', status: 500, body: '' }, at('/broken')),
  route({ kind: 'redirect', ...REDIRECT }, at('/moved')),
  route(forward([['app', 0]]), at('/weightless')),
  route(forward('unknown'), at('/unknown')),
  route(forward('full'), at('/full')),
  route(forward('app'), at('/cors'), { cors: CORS }),
  route({ kind: 'connect', clusters: forward('unknown').clusters, retry: undefined }),
]);

function get(...fields: readonly string[]): string {
  return ['GET /cart?key=secret HTTP/1.1', 'Host: shop.example:8080', 'Connection: close', ...fields, '', ''].join(
    '\r\n',
  );
}

function collecting(samplingRatio: number): { readonly tracer: Tracer; readonly spans: Span[] } {
  const spans: Span[] = [];
  const tracer = new Tracer({
    samplingRatio,
    send: (batch) => {
      spans.push(...batch);
      return Promise.resolve({ outcome: 'taken', refused: 0 });
    },
    clock: systemClock(),
    random: seededRandom(3),
    log: silentLog(),
  });
  return { tracer, spans };
}

function proxyTo(tracer: Tracer, port: number, direction: 'ingress' | 'inbound' | 'outbound' = 'ingress') {
  return startEngine({
    tracer,
    tables: tables(
      [listener('in', 't', { direction })],
      [routeTable('t', [route(forward('app', { retry: RETRY }))])],
      [cluster('app', [port])],
    ),
  });
}

function answeringOnItsOwn(tracer: Tracer, port: number, direction: 'ingress' | 'inbound' | 'outbound') {
  const clusters = [cluster('app', [port]), cluster('full', [port], { maxRequests: 0 })];
  return startEngine({ tracer, tables: tables([listener('in', 't', { direction })], [ANSWERED], clusters) });
}

const parentOf = (received: string): string => /traceparent: (\S+)/.exec(received)?.[1] ?? '';

test('a sampled request is one trace through two proxies to the application, each span the parent of the next', async () => {
  const { tracer, spans } = collecting(0);
  await using app = await rawUpstream(answering(OK));
  await using sidecar = await proxyTo(tracer, app.port, 'inbound');
  await using ingress = await proxyTo(tracer, sidecar.port('in'));
  await rawExchange(ingress.port('in'), get(`traceparent: 00-${TRACE}-${PARENT}-03`, 'tracestate: a=b'));
  await ingress.engine.close();
  await sidecar.engine.close();
  assert.equal(spans.length, 4);
  const chain: Span[] = [];
  for (let parent = PARENT; chain.length < 4; parent = chain.at(-1)?.spanId ?? '') {
    const next = spans.find(({ parentSpanId }) => parentSpanId === parent);
    assert.ok(next !== undefined, `no span beneath ${parent}`);
    chain.push(next);
  }
  assert.deepEqual(
    chain.map(({ kind, name, attributes }) => [kind, name, attributes['tutti.direction']]),
    [
      ['server', 'GET', 'ingress'],
      ['client', 'GET', 'ingress'],
      ['server', 'GET', 'inbound'],
      ['client', 'GET', 'inbound'],
    ],
  );
  assert.equal(parentOf(app.received[0] ?? ''), `00-${TRACE}-${chain[3]?.spanId}-03`);
  assert.match(app.received[0] ?? '', /tracestate: a=b/);
  for (const [at, span] of chain.entries()) {
    assert.equal(span.traceId, TRACE);
    assert.equal(span.failed, false);
    assert.ok(span.startMs <= span.endMs && Math.abs(Date.now() - span.endMs) < 60_000);
    const above = chain[at - 1];
    // The two proxies' clocks are one here: what is beneath lies within.
    assert.ok(above === undefined || (above.startMs <= span.startMs && span.endMs <= above.endMs), `span ${at}`);
  }
  assert.deepEqual(chain[0]?.attributes, {
    'http.request.method': 'GET',
    'server.address': 'shop.example',
    'server.port': 8080,
    'url.scheme': 'http',
    'url.path': '/cart',
    'client.address': '127.0.0.1',
    'network.protocol.version': '1.1',
    'http.response.status_code': 200,
    'tutti.cluster': 'app',
    'tutti.direction': 'ingress',
  });
  assert.deepEqual(chain[3]?.attributes, {
    'http.request.method': 'GET',
    'server.address': 'shop.example',
    'server.port': 8080,
    'url.full': 'http://shop.example:8080/cart',
    'network.peer.address': '127.0.0.1',
    'network.peer.port': app.port,
    'http.response.status_code': 200,
    'tutti.direction': 'inbound',
  });
});

test('each try is a span of its own, and the callee’s parent is the try that it saw', async () => {
  const { tracer, spans } = collecting(1);
  const answers = [undefined, 'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n', OK];
  let turn = 0;
  await using app = await rawUpstream((socket, received) => {
    if (!received.endsWith('\r\n\r\n')) return;
    const answer = answers[turn++];
    if (answer === undefined) socket.destroy();
    else socket.write(answer);
  });
  await using proxy = await proxyTo(tracer, app.port);
  assert.match(await rawExchange(proxy.port('in'), get()), / 200 OK/);
  await proxy.engine.close();
  const tries = spans.filter(({ kind }) => kind === 'client');
  const [server] = spans.filter(({ kind }) => kind === 'server');
  assert.deepEqual(
    tries.map(({ attributes, failed }) => [
      attributes['http.response.status_code'],
      attributes['error.type'],
      attributes['http.request.resend_count'],
      failed,
    ]),
    [
      [undefined, 'reset', undefined, true],
      [503, '503', 1, true],
      [200, undefined, 2, false],
    ],
  );
  assert.equal(server?.parentSpanId, '');
  assert.equal(server?.failed, false);
  for (const { parentSpanId, traceId } of tries)
    assert.deepEqual([parentSpanId, traceId], [server.spanId, server.traceId]);
  assert.deepEqual(
    app.received.join('').match(/traceparent: \S+/g),
    tries.map(({ spanId }) => `traceparent: 00-${server.traceId}-${spanId}-01`),
  );
});

test('at an outbound door the tries stand beneath the application’s own span', async () => {
  const { tracer, spans } = collecting(0);
  await using app = await rawUpstream(answering(OK));
  await using proxy = await proxyTo(tracer, app.port, 'outbound');
  await rawExchange(proxy.port('in'), get(`traceparent: 00-${TRACE}-${PARENT}-01`));
  await proxy.engine.close();
  assert.deepEqual(
    spans.map(({ kind, parentSpanId }) => [kind, parentSpanId]),
    [['client', PARENT]],
  );
});

test('a caller that has decided against it is obeyed, whatever the ratio, and its context goes on unchanged', async () => {
  const { tracer, spans } = collecting(1);
  await using app = await rawUpstream(answering(OK));
  await using proxy = await proxyTo(tracer, app.port);
  await rawExchange(proxy.port('in'), get(`traceparent: 00-${TRACE}-${PARENT}-00`));
  assert.equal(parentOf(app.received[0] ?? ''), `00-${TRACE}-${PARENT}-00`);
  // No sound context is no decision.
  await rawExchange(proxy.port('in'), get(`traceparent: 00-${TRACE}-0000000000000000-00`));
  await proxy.engine.close();
  assert.equal(spans.length, 2);
  assert.notEqual(spans[0]?.traceId, TRACE);
});

test('without a decision of the caller’s the ratio says how many are traced', async () => {
  const { tracer } = collecting(0.01);
  let sampled = 0;
  for (let turn = 0; turn < 20_000; turn++) if (tracer.sample(undefined) !== undefined) sampled++;
  assert.ok(sampled > 140 && sampled < 260, `${sampled} of 20,000`);
  await tracer.close();
});

test('what the upstream or the client did wrong is in the span', async () => {
  const { tracer, spans } = collecting(1);
  await using app = await rawUpstream((socket, received) => {
    if (received.startsWith('GET /cut')) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
  });
  await using proxy = await proxyTo(tracer, app.port);
  await rawExchange(proxy.port('in'), get().replace('/cart', '/cut'));
  const client = net.connect({ port: proxy.port('in'), host: '127.0.0.1' });
  client.write(get().replace('/cart', '/silent'));
  await eventually(() => app.received.some((text) => text.startsWith('GET /silent')), 'the request');
  client.resetAndDestroy();
  await eventually(() => proxy.engine.clusters()[0]?.active === 0, 'the client’s leaving');
  await proxy.engine.close();
  const errors = spans.map(
    ({ kind, attributes }) => `${kind} ${attributes['url.path'] ?? ''} ${attributes['error.type'] ?? ''}`,
  );
  assert.ok(errors.includes('client  truncated'), String(errors));
  assert.ok(errors.includes('server /silent DC'), String(errors));
});

test('a request that is answered without being forwarded has its server span', async () => {
  const { tracer, spans } = collecting(0);
  await using app = await rawUpstream(answering(OK));
  await using proxy = await answeringOnItsOwn(tracer, app.port, 'ingress');
  const ask = (path: string, ...fields: readonly string[]): Promise<string> =>
    rawExchange(proxy.port('in'), get(...fields).replace('/cart', path));
  const sampled = `traceparent: 00-${TRACE}-${PARENT}-01`;
  const origin = 'Origin: https://page.example';
  for (const path of ['/none', '/direct', '/broken', '/moved', '/weightless', '/unknown', '/full'])
    await ask(path, sampled);
  const preflight = get(sampled, origin, 'Access-Control-Request-Method: GET').replace('GET /cart', 'OPTIONS /cors');
  assert.match(await rawExchange(proxy.port('in'), preflight), /access-control-allow-origin/);
  // Neither one that is not sampled nor CONNECT has any.
  for (const path of ['/none', '/direct']) await ask(path, `traceparent: 00-${TRACE}-${PARENT}-00`);
  await ask('/none');
  const connect = get(sampled).replace(/GET \S+/, 'CONNECT shop.example:8080');
  assert.match(await rawExchange(proxy.port('in'), connect), / 503 [^]*cluster "unknown"/);
  await proxy.engine.close();
  assert.deepEqual(
    spans.map(({ name, attributes, failed }) => [
      name,
      attributes['url.path'],
      attributes['http.response.status_code'],
      attributes['tutti.reason'],
      attributes['error.type'],
      failed,
    ]),
    [
      ['GET', '/none', 404, 'NR', undefined, false],
      ['GET', '/direct', 410, undefined, undefined, false],
      ['GET', '/broken', 500, undefined, '500', true],
      ['GET', '/moved', 302, undefined, undefined, false],
      ['GET', '/weightless', 500, 'NC', '500', true],
      ['GET', '/unknown', 503, 'NC', '503', true],
      ['GET', '/full', 503, 'UO', '503', true],
      ['OPTIONS', '/cors', 200, undefined, undefined, false],
    ],
  );
  assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, 8);
  for (const { kind, traceId, parentSpanId } of spans)
    assert.deepEqual([kind, traceId, parentSpanId], ['server', TRACE, PARENT]);
  assert.deepEqual(spans[0]?.attributes, {
    'http.request.method': 'GET',
    'server.address': 'shop.example',
    'server.port': 8080,
    'url.scheme': 'http',
    'url.path': '/none',
    'client.address': '127.0.0.1',
    'network.protocol.version': '1.1',
    'http.response.status_code': 404,
    'tutti.reason': 'NR',
    'tutti.direction': 'ingress',
  });
});

test('the ratio counts for answers of the proxy’s own too, and an outbound door, which has spans of tries alone, has none', async () => {
  const { tracer, spans } = collecting(1);
  await using app = await rawUpstream(answering(OK));
  await using inbound = await answeringOnItsOwn(tracer, app.port, 'inbound');
  await using outbound = await answeringOnItsOwn(tracer, app.port, 'outbound');
  for (const proxy of [outbound, inbound])
    assert.match(await rawExchange(proxy.port('in'), get().replace('/cart', '/unknown')), / 503 /);
  await inbound.engine.close();
  assert.deepEqual(
    spans.map(({ kind, parentSpanId, attributes }) => [kind, parentSpanId, attributes['tutti.direction']]),
    [['server', '', 'inbound']],
  );
});

test('a gRPC call’s spans say which method was called and how it ended, forwarded or answered here', async () => {
  const { tracer, spans } = collecting(1);
  await using app = await echoServer();
  await using proxy = await startEngine({
    tracer,
    tables: tables(
      [listener('in', 't')],
      [
        routeTable('t', [
          route(forward('full'), { headers: [{ kind: 'exact', name: 'x-asked', value: 'full' }] }),
          route(forward('app')),
        ]),
      ],
      [cluster('app', [app.port], { protocol: 'http2' }), cluster('full', [app.port], { maxRequests: 0 })],
    ),
  });
  const client = echoClient(proxy.port('in'));
  const call = (echo: Echo, text: string, asked: string): Promise<void> =>
    new Promise((resolve) => echo.Unary(Buffer.from(text), metadataOf('x-asked', asked), {}, () => resolve()));
  await call(client.echo, 'hello', 'app');
  await call(client.echo, 'fail', 'app');
  await call(client.echo, 'hello', 'full');
  client.close();
  await proxy.engine.close();
  const told = spans.map(({ kind, attributes, failed }) => [
    kind,
    attributes['http.response.status_code'],
    attributes['rpc.status_code'],
    attributes['error.type'],
    failed,
  ]);
  assert.deepEqual(told, [
    ['client', 200, 'OK', undefined, false],
    ['server', 200, 'OK', undefined, false],
    // A precondition is the caller's to meet.
    ['client', 200, 'FAILED_PRECONDITION', 'FAILED_PRECONDITION', true],
    ['server', 200, 'FAILED_PRECONDITION', undefined, false],
    ['server', 200, 'UNAVAILABLE', 'UNAVAILABLE', true],
  ]);
  for (const { attributes } of spans)
    assert.deepEqual([attributes['rpc.system.name'], attributes['rpc.method']], ['grpc', 'test.Echo/Unary']);
});
