import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { ProxyAgent, request } from 'undici';
import { eventually, type RunningEngine, rawExchange, rawUpstream, startEngine } from '../test-support/harness.ts';
import { testAuthority } from '../test-support/mesh.ts';
import { cluster, listener, NO_EDITS, route, routeTable, tables } from '../test-support/tables.ts';
import type { Route, RouteMatch } from './route-table.ts';

// CONNECT where a route takes it: HTTP/1.1's and HTTP/2's, ended here and carried on as bytes.

const RETRY = { retries: 2, on: ['connect-failure'], statuses: [], backoffBaseMs: 1, backoffMaxMs: 2 } as const;

function connectRoute(name: string, match: Partial<RouteMatch> = {}): Route {
  const clusters = [{ cluster: name, weight: 1, requestHeaders: NO_EDITS }];
  return route({ kind: 'connect', clusters, retry: RETRY }, { method: 'CONNECT', ...match });
}

/** `db.example` leads to the given ports, other hosts nowhere. */
function gateway(ports: readonly number[], more: Parameters<typeof cluster>[2] = {}): Promise<RunningEngine> {
  return startEngine({
    tables: tables(
      [listener('in', 'table')],
      [
        {
          name: 'table',
          virtualHosts: [
            {
              name: 'db',
              domains: ['db.example'],
              routes: [
                route({ kind: 'direct', status: 200, body: 'page' }),
                connectRoute('db', { headers: [{ kind: 'exact', name: 'x-key', value: 'open' }] }),
              ],
            },
            { name: 'other', domains: ['*'], routes: [route({ kind: 'direct', status: 200, body: 'page' })] },
          ],
        },
      ],
      [cluster('db', ports, more)],
    ),
  });
}

const CONNECT = 'CONNECT db.example:5432 HTTP/1.1\r\nHost: db.example:5432\r\nX-Key: open\r\n\r\n';

async function session(port: number): Promise<http2.ClientHttp2Session & AsyncDisposable> {
  const client = http2.connect(`http://127.0.0.1:${port}`);
  client.on('error', () => undefined);
  await once(client, 'connect');
  return Object.assign(client, { [Symbol.asyncDispose]: async () => client.destroy() });
}

function connectStream(client: http2.ClientHttp2Session, more: object = {}): http2.ClientHttp2Stream {
  const stream = client.request({ ':method': 'CONNECT', ':authority': 'db.example:5432', 'x-key': 'open', ...more });
  stream.on('error', () => undefined);
  return stream;
}

async function statusOf(stream: http2.ClientHttp2Stream): Promise<number> {
  const [head] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
  return Number(head[':status']);
}

test('a route for CONNECT carries bytes of either version to its cluster, each side ending by itself', async () => {
  // It speaks first, as servers of SMTP do, and says good-bye to what its client said at the end.
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    let got = '';
    socket.write('220 hello ');
    socket.on('data', (data) => void (got += data.toString()));
    socket.on('end', () => socket.end(`${got} and goodbye`));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await using proxy = await gateway([(server.address() as AddressInfo).port]);

  const answer = await new Promise<string>((resolve, reject) => {
    const socket = net.connect({ port: proxy.port('in'), host: '127.0.0.1', allowHalfOpen: true });
    let text = '';
    // What comes ahead of the answer waits for it.
    socket.end(`${CONNECT}early`);
    socket.on('data', (data) => void (text += data.toString()));
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
  assert.equal(answer, 'HTTP/1.1 200 Connection Established\r\n\r\n220 hello early and goodbye');

  await using client = await session(proxy.port('in'));
  const stream = connectStream(client);
  let got = '';
  stream.setEncoding('latin1');
  stream.on('data', (data: string) => void (got += data));
  assert.equal(await statusOf(stream), 200);
  stream.write('by ');
  stream.end('stream');
  await once(stream, 'close');
  assert.equal(got, '220 hello by stream and goodbye');
  await eventually(() => proxy.log.length === 2, 'the log lines');
  for (const line of proxy.log) {
    assert.deepEqual([line['method'], line['status'], line['cluster']], ['CONNECT', 200, 'db']);
    assert.ok(Number(line['bytesIn']) > 0 && Number(line['bytesOut']) > 0);
  }
  server.close();
});

test('undici’s tunnels, and several streams of one connection, go through', async () => {
  const app = http.createServer((_, response) => response.end('x'.repeat(200_000)));
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  await using proxy = await gateway([(app.address() as AddressInfo).port]);
  const agent = new ProxyAgent({
    uri: `http://127.0.0.1:${proxy.port('in')}`,
    proxyTunnel: true,
    headers: { 'x-key': 'open' },
  });
  const { statusCode, body } = await request('http://db.example:5432/', { dispatcher: agent });
  assert.deepEqual([statusCode, (await body.text()).length], [200, 200_000]);
  await agent.close();
  await using client = await session(proxy.port('in'));
  const lengths = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const stream = connectStream(client);
      assert.equal(await statusOf(stream), 200);
      stream.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      let length = 0;
      stream.on('data', (data: Buffer) => void (length += data.length));
      await once(stream, 'end');
      stream.end();
      return length;
    }),
  );
  assert.ok(lengths.every((length) => length > 200_000));
  await eventually(() => proxy.engine.load()[0]?.active === 0, 'nothing in flight');
  app.close();
});

test('between two sidecars it is bytes over mTLS', async () => {
  await using ca = await testAuthority();
  await using app = await rawUpstream((socket, received) => socket.write(received.slice(-1).toUpperCase()));
  const chain = {
    name: 'bytes',
    serverNames: ['5432.port.tutti.internal'],
    applicationProtocols: ['tutti-tcp'],
    tls: { kind: 'mesh' },
    tcp: { cluster: 'app' },
  } as const;
  await using callee = await startEngine({
    tables: tables(
      [{ ...listener('in', '', { direction: 'inbound' }), chains: [chain] }],
      [],
      [cluster('app', [app.port])],
    ),
    identity: ca.identity('db'),
  });
  const tls = { serverName: '5432.port.tutti.internal', spiffeIds: [ca.id('db')] };
  await using caller = await startEngine({
    tables: tables(
      [listener('proxy', 'out', { direction: 'outbound' }, { forwardProxy: true, trustForwarded: true })],
      [routeTable('out', [connectRoute('db')], ['db.example:5432'])],
      [cluster('db', [callee.port('in')], { tls })],
    ),
    identity: ca.identity('web'),
  });
  const answer = await rawExchange(caller.port('proxy'), `${CONNECT}a`, (text) => text.endsWith('A'));
  assert.equal(answer, 'HTTP/1.1 200 Connection Established\r\n\r\nA');
  assert.equal(app.received[0], 'a');
});

test('an endpoint that cannot be reached is passed by, and where none can the answer says so', async () => {
  await using app = await rawUpstream((socket) => void socket.end('bytes'));
  await using proxy = await gateway([1, app.port]);
  for (let turn = 0; turn < 2; turn++) {
    assert.match(await rawExchange(proxy.port('in'), `${CONNECT}x`), /^HTTP\/1\.1 200 [^]*bytes$/);
  }
  await using hopeless = await gateway([1]);
  assert.match(
    await rawExchange(hopeless.port('in'), CONNECT, (text) => text.includes('\r\n\r\n')),
    /^HTTP\/1\.1 503 /,
  );
  await using client = await session(hopeless.port('in'));
  assert.equal(await statusOf(connectStream(client)), 503);
  await using told = await gateway([app.port], { sendProxyProtocol: 1 });
  assert.match(await rawExchange(told.port('in'), CONNECT, (text) => text.includes('bring')), /^HTTP\/1\.1 501 /);
});

for (const [what, head, more] of [
  ['to another host', CONNECT.replaceAll('db.example', 'other.example'), { ':authority': 'other.example:5432' }],
  ['without what the route asks for', CONNECT.replace('open', 'shut'), { 'x-key': 'shut' }],
] as const) {
  test(`CONNECT ${what} is refused as where no route takes any`, async () => {
    await using app = await rawUpstream(() => undefined);
    await using proxy = await gateway([app.port]);
    assert.match(await rawExchange(proxy.port('in'), head), /^HTTP\/1\.1 405 [^]*connect-not-offered-here\n?$/);
    await using client = await session(proxy.port('in'));
    assert.equal(await statusOf(connectStream(client, more)), 405);
    assert.equal(app.connections, 0);
  });
}

test('CONNECT with a body or to no port, and a page asked for, do not become tunnels', async () => {
  await using app = await rawUpstream(() => undefined);
  await using proxy = await gateway([app.port]);
  for (const [head, status] of [
    [CONNECT.replace('X-Key', 'Content-Length: 2\r\nX-Key'), 400],
    [CONNECT.replace('X-Key', 'Transfer-Encoding: chunked\r\nX-Key'), 400],
    [CONNECT.replace('db.example:5432', 'db.example:65536'), 400],
    [CONNECT.replace('db.example:5432', 'me@db.example:5432'), 400],
    ['GET / HTTP/1.1\r\nHost: db.example\r\nX-Key: open\r\nConnection: close\r\n\r\n', 200],
  ] as const) {
    assert.match(await rawExchange(proxy.port('in'), `${head}hi`), new RegExp(`^HTTP/1\\.1 ${status} `), head);
  }
  await using client = await session(proxy.port('in'));
  for (const [more, fate] of [
    [{ 'content-length': 2 }, 'reset'],
    [{ host: 'other.example' }, 'reset'],
    [{ ':authority': 'db.example' }, 400],
    [{ ':authority': 'db.example:65536' }, 400],
  ] as const) {
    const stream = connectStream(client, more);
    const found = await Promise.race([statusOf(stream), once(stream, 'close').then(() => 'reset')]).catch(
      () => 'reset',
    );
    assert.equal(found, fate, JSON.stringify(more));
  }
  assert.equal(app.connections, 0);
});

test('a client that goes away in the middle takes its connection to the cluster along', async () => {
  let open = 0;
  const server = net.createServer((socket) => {
    open++;
    socket.on('error', () => undefined);
    socket.on('close', () => open--);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await using proxy = await gateway([(server.address() as AddressInfo).port]);
  await using client = await session(proxy.port('in'));
  const stream = connectStream(client);
  assert.equal(await statusOf(stream), 200);
  await eventually(() => open === 1, 'the connection');
  stream.close(http2.constants.NGHTTP2_CANCEL);
  await eventually(() => open === 0, 'its end');
  server.close();
});
