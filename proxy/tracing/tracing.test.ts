import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { seededRandom } from '../../kit/random.ts';
import { answering, eventually, rawExchange, rawUpstream, startEngine } from '../test-support/harness.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../test-support/tables.ts';
import type { Span } from './span.ts';
import { Tracer } from './tracer.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const RETRY = { retries: 2, on: ['reset'], statuses: [503], backoffBaseMs: 1, backoffMaxMs: 2 } as const;

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
