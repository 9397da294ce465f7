import assert from 'node:assert/strict';
import http from 'node:http';
import http2 from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { eventually, type RunningEngine, rawExchange, startEngine } from '../test-support/harness.ts';
import { beforeSlowBodies } from '../test-support/slow-bodies.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../test-support/tables.ts';

interface Slow {
  readonly socket: net.Socket;
  readonly answer: () => string;
}

const HEAD = 'POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n';

async function slowClient(port: number, text: string): Promise<Slow> {
  const socket = net.connect({ port, host: '127.0.0.1' });
  let answer = '';
  socket.on('data', (data) => void (answer += data.toString('latin1')));
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => socket.write(text, () => resolve()));
  return { socket, answer: () => answer };
}

const statusOf = (answer: string): string => answer.slice(9, 12);

/** Answers each request once it is whole, with its length. */
async function countingApp(): Promise<http.Server> {
  const app = http.createServer((request, response) => {
    let bytes = 0;
    request.on('data', (data: Buffer) => void (bytes += data.length));
    request.on('end', () => response.end(String(bytes)));
  });
  app.requestTimeout = 0;
  app.headersTimeout = 0;
  await new Promise<void>((resolve) => app.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
  return app;
}

const portOf = (server: http.Server): number => (server.address() as AddressInfo).port;

function before(app: http.Server, maxRequests: number): Promise<RunningEngine> {
  return startEngine({
    tables: tables(
      [listener('in', 't', { direction: 'ingress' })],
      [routeTable('t', [route(forward('app', { timeoutMs: 0 }))])],
      [cluster('app', [portOf(app)], { maxRequests, connectTimeoutMs: 30_000 })],
    ),
  });
}

test('a thousand slow bodies leave those that are quick unharmed, with bodies and without, and cost bounded memory', async (t) => {
  const PLACES = 400;
  const app = await countingApp();
  await using proxy = await before(app, PLACES);
  const port = proxy.port('in');
  const quick = async (): Promise<void> => {
    const get = await rawExchange(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const post = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n';
    const whole = await rawExchange(port, `${post}Content-Length: 4\r\n\r\nwith`);
    const apart = await rawExchange(port, [`${post}Content-Length: 10\r\n\r\n`, 'after', 'wards']);
    // More than is kept: it is asked before it is whole.
    const large = await rawExchange(port, [`${post}Content-Length: 300000\r\n\r\n`, 'x'.repeat(300_000)]);
    assert.deepEqual([get, whole, apart, large].map(statusOf), ['200', '200', '200', '200']);
    assert.deepEqual(
      [whole, apart, large].map((answer) => answer.split('\r\n\r\n')[1]),
      ['4', '10', '300000'],
    );
  };
  await quick();
  const slow: Slow[] = [];
  try {
    const rssBefore = process.memoryUsage.rss();
    for (let at = 0; at < 1000; at++) {
      // Half of them send nothing of what they announced.
      slow.push(await slowClient(port, at % 2 === 0 ? HEAD : `${HEAD}${'x'.repeat(500)}`));
      if (at % 100 === 99) await quick();
    }
    await eventually(() => slow.filter(({ answer }) => answer() !== '').length >= 200, 'those that make way');
    await quick();
    const [figures] = proxy.engine.clusters();
    const rss = process.memoryUsage.rss() - rssBefore;
    const refused = slow.filter(({ answer }) => answer() !== '');
    t.diagnostic(
      `1000 slow bodies, ${PLACES} places: ${figures?.active} at the app, ${refused.length} made way, RSS +${(rss / 1e6).toFixed(0)} MB for both ends and the app`,
    );
    assert.ok((figures?.active ?? 0) <= PLACES);
    for (const { answer } of refused) assert.match(answer(), /^HTTP\/1\.1 (408|503) /);
    assert.ok(rss < 1000 * 100 * 1024 + 64 * 1024 * 1024, `${rss} bytes`);
  } finally {
    for (const { socket } of slow) socket.destroy();
    app.closeAllConnections();
    app.close();
  }
});

/** One place, which a body of HTTP/1.1 has that does not go on. */
async function withOneSlow(): Promise<Awaited<ReturnType<typeof beforeSlowBodies>> & { readonly slow: Slow }> {
  const set = await beforeSlowBodies('ingress', 1);
  const slow = await slowClient(set.proxy.port('in'), HEAD);
  await eventually(() => set.upstream.connections === 1, 'the slow one at the upstream');
  return { ...set, slow };
}

const POST = 'POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n';

test('where no place is left the upstream is asked when the body is whole, and gets it whole', async () => {
  await using set = await withOneSlow();
  const { proxy, upstream, slow } = set;
  const late = await slowClient(proxy.port('in'), `${POST}abc`);
  // What is answered after it has been read after it.
  const get = await rawExchange(proxy.port('in'), 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', (answer) => answer !== '');
  assert.equal(statusOf(get), '200');
  assert.equal(upstream.received.filter((text) => text.includes('/late')).length, 0);
  late.socket.write('def');
  await eventually(() => upstream.received.some((text) => text.endsWith('\r\n\r\nabcdef')), 'the whole body');
  assert.deepEqual([late.answer(), slow.answer()], ['', '']);
  // Now that it is whole, it has the place of one that is quick.
  const refused = await rawExchange(proxy.port('in'), 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', (answer) => answer !== '');
  assert.equal(statusOf(refused), '503');
  const over = await slowClient(proxy.port('in'), POST.replace('/late', '/over'));
  over.socket.write('abcdef');
  await eventually(() => statusOf(over.answer()) === '503', 'the refusal of one too many');
  assert.deepEqual([upstream.connections, proxy.engine.clusters()[0]?.active], [3, 2]);
  slow.socket.destroy();
  await eventually(() => proxy.engine.clusters()[0]?.active === 1, 'the end of the slow one');
});

test('who waits is let in when the slow one leaves, and takes nothing along when it leaves itself', async () => {
  await using set = await withOneSlow();
  const { proxy, upstream, slow } = set;
  const gone = await slowClient(proxy.port('in'), `${POST}a`);
  await rawExchange(proxy.port('in'), 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', (answer) => answer !== '');
  const next = await slowClient(proxy.port('in'), `${POST.replace('/late', '/next')}b`);
  // There is room for one: the older has made way without having been asked for.
  await eventually(() => gone.answer() !== '', 'the refusal');
  assert.equal(statusOf(gone.answer()), '503');
  slow.socket.destroy();
  await eventually(() => upstream.received.some((text) => text.endsWith('b')), 'the one that waited');
  next.socket.destroy();
  await eventually(() => proxy.engine.clusters()[0]?.active === 0, 'the end of all');
  assert.ok(upstream.received.every((text) => !text.includes('/late')));
  await set.clock.advance(1000);
  assert.deepEqual(
    proxy.log.filter(({ status }) => status === 503).map(({ reason }) => reason),
    ['UO'],
  );
});

test('a body of HTTP/2 that is larger than what is kept takes the place of one that has sent less', async () => {
  await using set = await withOneSlow();
  const { proxy, upstream, slow } = set;
  const session = http2.connect(`http://127.0.0.1:${proxy.port('in')}`);
  session.on('error', () => undefined);
  try {
    const stream = session.request({ ':method': 'POST', ':path': '/large' }, { endStream: false });
    stream.on('error', () => undefined);
    stream.end('z'.repeat(300_000));
    const received = (): number =>
      (upstream.received.find((text) => text.includes('/large'))?.match(/z/g) ?? []).length;
    await eventually(() => received() === 300_000, 'all of it');
    await eventually(() => statusOf(slow.answer()) === '408', 'the end of the slow one');
  } finally {
    session.destroy();
  }
});

test('a call of gRPC, and who expects 100 Continue, cannot wait: the slow one makes way', async () => {
  for (const asks of ['call', 'expects']) {
    await using set = await withOneSlow();
    const { proxy, upstream, slow } = set;
    const session = http2.connect(`http://127.0.0.1:${proxy.port('in')}`);
    session.on('error', () => undefined);
    try {
      const headers =
        asks === 'call' ? { 'content-type': 'application/grpc', te: 'trailers' } : { expect: '100-continue' };
      const ask = (path: string): { answer?: http2.IncomingHttpHeaders } => {
        const asked: { answer?: http2.IncomingHttpHeaders } = {};
        const stream = session.request({ ':method': 'POST', ':path': path, ...headers }, { endStream: false });
        stream.on('error', () => undefined);
        stream.on('response', (answer) => void (asked.answer = answer));
        return asked;
      };
      const first = ask('/first');
      await eventually(() => upstream.received.some((text) => text.includes('/first')), 'the first');
      await eventually(() => slow.answer() !== '', 'the end of the slow one');
      assert.match(slow.answer(), /^HTTP\/1\.1 408 [^]*\r\nconnection: close\r\n/i);
      const talk = ask('/talk');
      await eventually(() => talk.answer !== undefined, 'the beginning of an answer');
      await eventually(() => first.answer !== undefined, 'the end of the first');
      if (asks === 'call') assert.deepEqual([first.answer?.[':status'], first.answer?.['grpc-status']], [200, '14']);
      else assert.equal(first.answer?.[':status'], 408);
      // One whose answer has begun stays.
      const last = ask('/last');
      await eventually(() => last.answer !== undefined, 'the refusal');
      if (asks === 'call') assert.equal(last.answer?.['grpc-status'], '14');
      else assert.equal(last.answer?.[':status'], 503);
    } finally {
      session.destroy();
    }
  }
});
