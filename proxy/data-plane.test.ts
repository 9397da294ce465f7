import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import http from 'node:http';
import net from 'node:net';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Agent, request } from 'undici';
import { freePort } from '../test/support/free-port.ts';
import { needs, program } from '../test/support/programs.ts';
import { answering, eventually, rawExchange, rawUpstream, startEngine } from './test-support/harness.ts';
import { cluster, forward, listener, NO_EDITS, route, routeTable, tables } from './test-support/tables.ts';

const run = promisify(execFile);
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

async function nodeServer(handler: http.RequestListener): Promise<AsyncDisposable & { readonly port: number }> {
  const server = http.createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const simple = (port: number, more: Parameters<typeof forward>[1] = {}) =>
  tables([listener('in', 't')], [routeTable('t', [route(forward('app', more))])], [cluster('app', [port])]);

for (const readMode of ['shared', 'events'] as const) {
  test(`bodies of every size and framing come through both ways unchanged (${readMode} reads)`, async () => {
    await using app = await nodeServer((incoming, response) => {
      if (incoming.url === '/chunked') response.setHeader('transfer-encoding', 'chunked');
      else response.setHeader('content-length', incoming.headers['x-size'] ?? '0');
      incoming.pipe(response);
    });
    await using proxy = await startEngine({ tables: simple(app.port), readMode });
    const agent = new Agent({ connections: 2 });
    const origin = `http://127.0.0.1:${proxy.port('in')}`;
    for (const size of [0, 1, 8191, 8192, 8193, 65_535, 65_536, 65_537, 300_000, 2_000_000]) {
      const sent = Buffer.from(Array.from({ length: size }, (_, at) => (at * 31) & 255));
      for (const path of ['/counted', '/chunked']) {
        const stream = path === '/chunked' && size > 0;
        const { body, statusCode } = await request(`${origin}${path}`, {
          method: 'POST',
          dispatcher: agent,
          headers: { 'x-size': String(size) },
          body: stream ? Readable.from([sent.subarray(0, size >> 1), sent.subarray(size >> 1)]) : sent,
        });
        assert.equal(statusCode, 200);
        assert.ok(sent.equals(Buffer.from(await body.arrayBuffer())), `${size} bytes ${path}`);
      }
    }
    await agent.close();
  });
}

test('a slow reader stops the sender: what the proxy holds stays small', async () => {
  let written = 0;
  await using app = await rawUpstream((socket) => {
    const piece = Buffer.alloc(64 * 1024);
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${1 << 30}\r\n\r\n`);
    const more = (): void => {
      while (written < 1 << 28 && socket.writable) {
        written += piece.length;
        if (!socket.write(piece)) break;
      }
    };
    socket.on('drain', more);
    more();
  });
  await using proxy = await startEngine({ tables: simple(app.port, { timeoutMs: 0 }) });
  const client = net.connect({ port: proxy.port('in'), host: '127.0.0.1' });
  client.write(GET);
  client.pause();
  let seen = -1;
  let still = 0;
  await eventually(() => {
    still = written === seen ? still + 1 : 0;
    seen = written;
    return written > 0 && still > 40;
  }, 'the sender to be stopped');
  // Kernel buffers on four sockets, and a high-water mark each.
  assert.ok(written < 40 * 1024 * 1024, `${written} bytes were taken from the upstream`);
  client.resetAndDestroy();
  await eventually(() => proxy.engine.load()[0]?.active === 0, 'the request is given up');
});

test('a slow upstream stops the uploading client', async () => {
  await using app = await rawUpstream((socket) => void socket.pause());
  await using proxy = await startEngine({ tables: simple(app.port, { timeoutMs: 0 }) });
  const client = net.connect({ port: proxy.port('in'), host: '127.0.0.1' });
  client.on('error', () => undefined);
  client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${1 << 30}\r\n\r\n`);
  const piece = Buffer.alloc(64 * 1024);
  let sent = 0;
  const more = (): void => {
    while (sent < 1 << 28) {
      sent += piece.length;
      if (!client.write(piece)) break;
    }
  };
  client.on('drain', more);
  more();
  let seen = -1;
  let still = 0;
  await eventually(() => {
    still = sent === seen ? still + 1 : 0;
    seen = sent;
    return still > 40;
  }, 'the client to be stopped');
  assert.ok(sent < 40 * 1024 * 1024, `${sent} bytes were taken from the client`);
  client.destroy();
});

test('weights, rewrites, header edits, redirects and direct answers work on the wire', async () => {
  await using one = await rawUpstream(answering(OK));
  await using two = await rawUpstream(answering(OK));
  const edits = { set: [['x-set', '1']], add: [['x-add', '2']], remove: ['x-gone'] } as const;
  await using proxy = await startEngine({
    tables: tables(
      [listener('in', 't')],
      [
        routeTable('t', [
          route(
            { kind: 'direct', status: 418, body: 'teapot' },
            { path: { kind: 'exact', value: '/tea' } },
            { name: 'tea' },
          ),
          route(
            { kind: 'redirect', scheme: 'https', host: undefined, port: undefined, rewrite: undefined, status: 301 },
            { path: { kind: 'prefix', value: '/old' } },
            { name: 'old' },
          ),
          route(
            forward(
              [
                ['one', 9],
                ['two', 1],
              ],
              { rewrite: { kind: 'prefix', value: '/new' }, hostRewrite: 'inner' },
            ),
            { path: { kind: 'prefix', value: '/app' } },
            { name: 'app', requestHeaders: edits, responseHeaders: { ...NO_EDITS, set: [['x-answer', 'yes']] } },
          ),
        ]),
      ],
      [cluster('one', [one.port]), cluster('two', [two.port])],
    ),
  });
  const get = (path: string): Promise<string> =>
    rawExchange(
      proxy.port('in'),
      `GET ${path} HTTP/1.1\r\nHost: shop:1\r\nX-Gone: 1\r\nX-Set: 0\r\nConnection: close\r\n\r\n`,
    );
  assert.match(await get('/tea'), /^HTTP\/1\.1 418 [\s\S]*teapot\n$/);
  assert.match(await get('/old/x?y'), /^HTTP\/1\.1 301 [\s\S]*location: https:\/\/shop\/old\/x\?y\r\n/);
  assert.match(await get('/app/x?y'), /x-answer: yes/);
  const sent = one.received[0] ?? two.received[0] ?? '';
  assert.match(sent, /^GET \/new\/x\?y HTTP\/1\.1\r\nhost: inner\r\n/);
  assert.match(sent, /x-forwarded-host: shop:1\r\n/);
  assert.match(sent, /x-set: 1\r\nx-add: 2\r\n/);
  assert.doesNotMatch(sent, /x-gone|x-set: 0/i);
  for (let turn = 0; turn < 99; turn++) await get('/app');
  const [first, second] = proxy.engine.load();
  assert.deepEqual(
    [first?.total, second?.total].map((total) => Math.round((total ?? 0) / 10)),
    [9, 1],
  );
});

test('a drain finishes what is in flight, serves what still comes, and says that it goes away', async () => {
  const waiting: net.Socket[] = [];
  await using app = await rawUpstream((socket, received) => {
    if (received.endsWith('\r\n\r\n')) waiting.push(socket);
  });
  await using proxy = await startEngine({ tables: simple(app.port) });
  const keepAlive = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
  const first = rawExchange(proxy.port('in'), keepAlive);
  await eventually(() => waiting.length === 1, 'the first request');
  let drained = false;
  const drain = proxy.engine.drain(60_000).then(() => void (drained = true));
  const second = rawExchange(proxy.port('in'), keepAlive);
  await eventually(() => waiting.length === 2, 'a request that comes while draining');
  for (const socket of waiting) socket.write(OK);
  for (const answer of await Promise.all([first, second])) assert.match(answer, /200 OK[\s\S]*connection: close/);
  await drain;
  assert.equal(drained, true);
});

test('a drain is over at its deadline at the latest', async () => {
  await using app = await rawUpstream(() => undefined);
  await using proxy = await startEngine({ tables: simple(app.port) });
  const stuck = net.connect({ port: proxy.port('in'), host: '127.0.0.1' }, () => stuck.write(GET));
  await eventually(() => app.connections === 1, 'the request');
  await proxy.engine.drain(100);
  stuck.destroy();
});

test('listeners come and go without cutting those that stay, and a port in use is a problem, not an end', async () => {
  await using app = await rawUpstream(answering(OK));
  await using proxy = await startEngine({ tables: simple(app.port) });
  const held = net.connect({ port: proxy.port('in'), host: '127.0.0.1' });
  let text = '';
  held.on('data', (data) => void (text += data.toString()));
  held.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await eventually(() => text.endsWith('ok'), 'the first answer');
  const { listeners, routeTables, clusters } = proxy.engine.tables;
  const taken = listener('taken', 't', { port: app.port });
  // Nobody else is given it once it is free again.
  const more = listener('more', 't', { port: await freePort() });
  const problems = await proxy.engine.apply({
    listeners: new Map([...listeners, ['taken', taken], ['more', more]]),
    routeTables,
    clusters,
  });
  assert.deepEqual(
    problems.map(({ resource, name }) => [resource, name]),
    [['listener', 'taken']],
  );
  assert.match(problems[0]?.message ?? '', /EADDRINUSE/);
  const oldPort = proxy.port('more');
  assert.match(await rawExchange(oldPort, GET), /ok$/);
  await proxy.engine.apply({ listeners, routeTables, clusters });
  assert.equal(await rawExchange(oldPort, GET), '');
  held.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await eventually(() => text.lastIndexOf('ok') > text.indexOf('ok'), 'an answer on the connection that stayed');
  held.destroy();
});

test('a bad table is a problem of its own, and the one before goes on', async () => {
  await using app = await rawUpstream(answering(OK));
  await using proxy = await startEngine({ tables: simple(app.port) });
  const { listeners, clusters } = proxy.engine.tables;
  const bad = routeTable('t', [route(forward('app'), { path: { kind: 'regex', value: '(' } })]);
  const problems = await proxy.engine.apply({ listeners, clusters, routeTables: new Map([['t', bad]]) });
  assert.deepEqual(
    problems.map(({ name }) => name),
    ['t'],
  );
  assert.match(await rawExchange(proxy.port('in'), GET), /ok$/);
});

test('curl agrees: HEAD, uploads, 100 Continue, HTTP/1.0, many requests on one connection', needs('curl'), async () => {
  await using app = await nodeServer((incoming, response) => {
    let size = 0;
    incoming.on('data', (data: Buffer) => void (size += data.length));
    incoming.on('end', () => response.end(`${incoming.method} ${size}`));
  });
  await using proxy = await startEngine({ tables: simple(app.port) });
  const url = `http://127.0.0.1:${proxy.port('in')}/`;
  const curl = async (...options: string[]): Promise<string> =>
    (await run(program('curl'), ['-sS', '--max-time', '60', ...options])).stdout;
  assert.equal(await curl(url), 'GET 0');
  assert.match(await curl('-I', url), /^HTTP\/1\.1 200/);
  assert.equal(await curl('-0', url), 'GET 0');
  assert.equal(await curl('-d', 'x'.repeat(2000), '-H', 'Expect: 100-continue', url), 'POST 2000');
  assert.equal(
    await curl(
      '-T',
      '/proc/self/exe',
      '-H',
      'Transfer-Encoding: chunked',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      url,
    ),
    '200',
  );
  assert.equal(
    await curl('-w', ' %{num_connects}\n', url, '-w', ' %{num_connects}\n', url, url),
    'GET 0 1\nGET 0 0\nGET 0 0\n',
  );
});
