import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { Probe } from '../../api/kinds/probe.ts';
import { probeSchema } from '../../api/kinds/probe.ts';
import { systemClock } from '../../kit/clock.ts';
import type { ExecResult } from '../runtime/runtime.ts';
import { type ProbeResult, type ProbeTarget, runProbe } from './handlers.ts';

function target(ports: Readonly<Record<string, number>>, exec?: ProbeTarget['exec']): ProbeTarget {
  const none = (): Promise<ExecResult> => Promise.reject(new Error('no exec here'));
  return { address: '127.0.0.1', port: (port) => ports[port], exec: exec ?? none, clock: systemClock() };
}

/** With time enough, unless told: the default of a second is the machine's too. */
function probe(fields: object): Probe {
  return probeSchema.parse({ timeoutSeconds: 20, ...fields });
}

async function serve(t: TestContext, listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const STATUSES: readonly (readonly [status: number, outcome: ProbeResult['outcome']])[] = [
  [200, 'success'],
  [204, 'success'],
  [304, 'success'],
  [399, 'success'],
  [400, 'failure'],
  [404, 'failure'],
  [503, 'failure'],
];

for (const [status, outcome] of STATUSES) {
  test(`an HTTP answer of ${status} is ${outcome}`, async (t) => {
    const port = await serve(t, (_, response) => response.writeHead(status).end());
    const result = await runProbe(probe({ httpGet: { path: '/healthz', port: 80 } }), target({ 80: port }));
    assert.equal(result.outcome, outcome);
    if (outcome === 'failure') assert.equal(result.message, `HTTP probe failed with statuscode: ${status}`);
  });
}

test('an HTTP probe sends its headers, Host among them, on a connection of its own', async (t) => {
  const seen: unknown[] = [];
  const port = await serve(t, ({ headers, url }, response) => {
    seen.push([url, headers.host, headers['x-a'], headers['user-agent'], headers.connection]);
    response.end();
  });
  const httpHeaders = [
    { name: 'Host', value: 'shop.test' },
    { name: 'X-A', value: '1' },
    { name: 'User-Agent', value: '' },
  ];
  await runProbe(probe({ httpGet: { path: '/a?b=c', port: 'web', httpHeaders } }), target({ web: port }));
  assert.deepEqual(seen, [['/a?b=c', 'shop.test', '1', undefined, 'close']]);
});

test('a redirect is followed on the same host, and is success when it leads elsewhere', async (t) => {
  const port = await serve(t, ({ url }, response) => {
    if (url === '/here') response.writeHead(302, { location: '/down' }).end();
    else if (url === '/away') response.writeHead(302, { location: 'http://elsewhere.test/' }).end();
    else if (url === '/round') response.writeHead(302, { location: '/round' }).end();
    else response.writeHead(500).end();
  });
  const outcome = async (path: string): Promise<string> =>
    (await runProbe(probe({ httpGet: { path, port: 80 } }), target({ 80: port }))).outcome;
  assert.deepEqual(
    [await outcome('/here'), await outcome('/away'), await outcome('/round')],
    ['failure', 'success', 'failure'],
  );
});

test('no answer within the time-out is failure, and so is no listener', async (t) => {
  const port = await serve(t, () => undefined);
  const slow = await runProbe({ ...probe({ httpGet: { port: 80 } }), timeoutSeconds: 0.05 }, target({ 80: port }));
  assert.deepEqual([slow.outcome, /no answer within 0.05s/.test(slow.message)], ['failure', true]);
  const closed = await runProbe(probe({ httpGet: { port: 80 } }), target({ 80: 1 }));
  assert.deepEqual([closed.outcome, /ECONNREFUSED/.test(closed.message)], ['failure', true]);
});

test('a large body does not keep the probe', async (t) => {
  const port = await serve(t, (_, response) => {
    response.on('error', () => undefined);
    const more = (): void => {
      if (!response.destroyed && response.write('x'.repeat(65_536))) setImmediate(more);
    };
    response.on('drain', more);
    more();
  });
  const result = await runProbe(probe({ httpGet: { port: 80 } }), target({ 80: port }));
  assert.deepEqual([result.outcome, result.message.length], ['success', 10_240]);
});

test('a port name that the container does not have is an error of the probe, not of the container', async () => {
  const result = await runProbe(probe({ tcpSocket: { port: 'nope' } }), target({}));
  assert.deepEqual(result, { outcome: 'error', message: 'the container has no port named "nope"' });
});

test('a TCP probe succeeds when the connection opens', async (t) => {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const port = (server.address() as AddressInfo).port;
  assert.equal((await runProbe(probe({ tcpSocket: { port: 80 } }), target({ 80: port }))).outcome, 'success');
  assert.equal((await runProbe(probe({ tcpSocket: { port: 80 } }), target({ 80: 1 }))).outcome, 'failure');
});

test('an exec probe goes by the exit status, and its output is the message', async () => {
  const run = (result: ExecResult): Promise<ProbeResult> =>
    runProbe(
      probe({ exec: { command: ['check'] } }),
      target({}, () => Promise.resolve(result)),
    );
  assert.deepEqual(await run({ exitCode: 0, output: 'fine' }), { outcome: 'success', message: 'fine' });
  assert.deepEqual(await run({ exitCode: 1, output: 'bad' }), { outcome: 'failure', message: 'bad' });
  assert.match((await run({ exitCode: undefined, output: '' })).message, /timed out after 20s/);
});

test('a gRPC probe asks the health service for its service', async (t) => {
  const asked: string[] = [];
  const server = new Server();
  const check = {
    path: '/grpc.health.v1.Health/Check',
    requestStream: false,
    responseStream: false,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
  };
  server.addService(
    { Check: check },
    {
      Check: ({ request }: { request: Buffer }, answer: (error: null, value: Buffer) => void) => {
        const service = request.subarray(2).toString();
        asked.push(service);
        answer(null, Buffer.from(service === 'down' ? [0x08, 0x02] : [0x08, 0x01]));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  t.after(() => server.forceShutdown());
  const outcome = async (service: string): Promise<string> =>
    (await runProbe(probe({ grpc: { port: 80, service } }), target({ 80: port }))).outcome;
  assert.deepEqual(
    [await outcome(''), await outcome('shop'), await outcome('down')],
    ['success', 'success', 'failure'],
  );
  assert.deepEqual(asked, ['', 'shop', 'down']);
});
