import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { type Echo, echoClient, echoServer, metadataOf } from '../test-support/grpc-peers.ts';
import { eventually, startEngine } from '../test-support/harness.ts';
import { testAuthority } from '../test-support/mesh.ts';
import { cluster, forward, listener, outlierDetection, route, routeTable, tables } from '../test-support/tables.ts';

/** Client → outbound sidecar → mTLS → inbound sidecar → application, HTTP/2 all the way. */
async function mesh(appPort: number, action: Parameters<typeof forward>[1] = {}) {
  const ca = await testAuthority();
  const plain = listener('inbound', 'inbound', { direction: 'inbound' }, { trustForwarded: true });
  const callee = await startEngine({
    identity: ca.identity('cart'),
    tables: tables(
      [{ ...plain, chains: plain.chains.map((chain) => ({ ...chain, tls: { kind: 'mesh' } as const })) }],
      [routeTable('inbound', [route(forward('app'))])],
      [cluster('app', [appPort], { protocol: 'downstream' })],
    ),
  });
  const tls = { serverName: '8080.port.tutti.internal', spiffeIds: [ca.id('cart')] };
  const caller = await startEngine({
    identity: ca.identity('web'),
    tables: tables(
      [listener('out', 'out', { direction: 'outbound' })],
      [routeTable('out', [route(forward('service', { timeoutMs: 0, ...action }))])],
      [cluster('service', [callee.port('inbound')], { protocol: 'http2', tls, poolIdleMs: 60_000 })],
    ),
  });
  const client = echoClient(caller.port('out'));
  return {
    callee,
    caller,
    echo: client.echo,
    [Symbol.asyncDispose]: async () => {
      client.close();
      await caller.engine.close();
      await callee.engine.close();
      await ca[Symbol.asyncDispose]();
    },
  };
}

function unaryCall(echo: Echo, text: string, options: object = {}) {
  return new Promise<{ error: ServiceError | null; answer: string; head: string; trailer: string }>((resolve) => {
    let head = '';
    let trailer = '';
    let result: { error: ServiceError | null; answer: string } | undefined;
    const call = echo.Unary(Buffer.from(text), metadataOf('x-asked', 'yes'), options, (error, answer) => {
      result = { error, answer: answer?.toString() ?? '' };
    });
    call.on('metadata', (metadata) => void (head = String(metadata.get('x-head')[0] ?? '')));
    call.on('status', ({ metadata }) => {
      trailer = String(metadata.get('x-trailer')[0] ?? metadata.get('why-bin')[0]?.toString() ?? '');
      setImmediate(() => resolve({ ...(result ?? { error: null, answer: '' }), head, trailer }));
    });
  });
}

test('gRPC calls of all four kinds cross two proxies over mTLS, with metadata, trailers and errors', async () => {
  await using app = await echoServer();
  await using path = await mesh(app.port);
  const { echo } = path;

  const hello = await unaryCall(echo, 'hello');
  assert.deepEqual([hello.error, hello.answer, hello.head, hello.trailer], [null, 'hello', 'yes', 'behind']);
  const large = 'x'.repeat(3_000_000);
  assert.ok((await unaryCall(echo, large)).answer === large);

  const failed = await unaryCall(echo, 'fail');
  assert.equal(failed.error?.code, status.FAILED_PRECONDITION);
  assert.equal(failed.error?.details, 'not now: ü');
  assert.equal(failed.trailer, 'bytes');

  const counted = await new Promise<[string[], number, string]>((resolve) => {
    const got: string[] = [];
    const call = echo.Count(Buffer.from('5000'));
    call.on('data', (piece) => void got.push(piece.toString()));
    call.on('status', ({ code, metadata }) => resolve([got, code, String(metadata.get('x-trailer')[0])]));
  });
  assert.deepEqual(
    counted[0],
    Array.from({ length: 5000 }, (_, at) => String(at + 1)),
  );
  assert.deepEqual([counted[1], counted[2]], [status.OK, 'counted']);

  const total = await new Promise<string>((resolve, reject) => {
    const call = echo.Sum((error, answer) => (error === null ? resolve(answer?.toString() ?? '') : reject(error)));
    for (let at = 0; at < 100; at++) call.write(Buffer.alloc(10_000));
    call.end();
  });
  assert.equal(total, '1000000');

  // Each word is sent only when the answer to the one before has come: nothing on the way waits for the end.
  const heard = await new Promise<string[]>((resolve) => {
    const got: string[] = [];
    const call = echo.Chat();
    call.write(Buffer.from('a'));
    call.on('data', (piece) => {
      got.push(piece.toString());
      if (got.length < 5) call.write(Buffer.from('abcde'[got.length] ?? ''));
      else call.end();
    });
    call.on('status', () => resolve(got));
  });
  assert.deepEqual(heard, ['a!', 'b!', 'c!', 'd!', 'e!']);

  const endpoint = path.caller.engine.clusters()[0]?.endpoints[0];
  assert.equal(endpoint?.connectionsOpened, 1);
});

test('a deadline that passes and a call that is cancelled reach the application', async () => {
  await using app = await echoServer();
  await using path = await mesh(app.port);
  // So that its way is there: what the deadline is for is the answer.
  assert.equal((await unaryCall(path.echo, 'hello')).error, null);
  // Long enough for a machine that is held up to bring the call to the application first.
  const late = await unaryCall(path.echo, 'wait', { deadline: Date.now() + 3000 });
  assert.equal(late.error?.code, status.DEADLINE_EXCEEDED);
  await eventually(() => app.cancelled === 1, 'the application to hear of the deadline');
  const call = path.echo.Unary(Buffer.from('wait'), new Metadata(), {}, () => undefined);
  // Not sooner: of a call that is cancelled before it has left, grpc-js sends the beginning and nothing more.
  await eventually(() => app.waiting === 1, 'the second call');
  call.cancel();
  await eventually(() => app.cancelled === 2, 'the application to hear of the cancellation');
  await eventually(() => path.caller.engine.load()[0]?.active === 0, 'nothing in flight');
});

test('where no application is, the callee’s word for it is tried again, and the call fails as UNAVAILABLE', async () => {
  const retry = { retries: 1, on: ['connect-failure'], statuses: [], backoffBaseMs: 1, backoffMaxMs: 1 } as const;
  await using path = await mesh(1, { retry });
  const failed = await unaryCall(path.echo, 'hello');
  assert.equal(failed.error?.code, status.UNAVAILABLE);
  assert.match(failed.error?.details ?? '', /ECONNREFUSED/);
  const [toCallee] = path.caller.engine.clusters();
  assert.equal(toCallee?.retries, 1);
  await eventually(() => path.caller.log.length === 1, 'the log line');
  const [line] = path.caller.log;
  assert.deepEqual([line?.['reason'], line?.['grpcStatus'], line?.['tries']], ['UF', 14, 2]);
});

test('calls that end UNAVAILABLE eject their endpoint; those that their caller got wrong do not', async () => {
  await using one = await echoServer();
  await using two = await echoServer();
  const app = cluster('app', [one.port, two.port], {
    protocol: 'http2',
    outliers: outlierDetection({ maxEjectionPercent: 50 }),
  });
  await using proxy = await startEngine({
    tables: tables([listener('in', 'table')], [routeTable('table', [route(forward('app'))])], [app]),
  });
  const client = echoClient(proxy.port('in'));
  const ejections = (): number =>
    proxy.engine.clusters()[0]?.endpoints.reduce((total, { ejections: own }) => total + own, 0) ?? -1;
  const codes = async (text: string): Promise<ReadonlySet<number>> => {
    const seen = new Set<number>();
    for (let turn = 0; turn < 12; turn++) {
      const { error } = await unaryCall(client.echo, text);
      seen.add(error?.code ?? status.OK);
    }
    return seen;
  };
  assert.deepEqual([await codes('fail'), ejections()], [new Set([status.FAILED_PRECONDITION]), 0]);
  assert.deepEqual([await codes('down'), ejections()], [new Set([status.UNAVAILABLE]), 1]);
  client.close();
});
