import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Client,
  credentials,
  Metadata,
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { eventually, startEngine } from '../test-support/harness.ts';
import { testAuthority } from '../test-support/mesh.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../test-support/tables.ts';

const bytes = { serialize: (value: Buffer): Buffer => value, deserialize: (value: Buffer): Buffer => value };
const method = (path: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Echo/${path}`,
  requestStream,
  responseStream,
  requestSerialize: bytes.serialize,
  requestDeserialize: bytes.deserialize,
  responseSerialize: bytes.serialize,
  responseDeserialize: bytes.deserialize,
});
const SERVICE = {
  Unary: method('Unary', false, false),
  Count: method('Count', false, true),
  Sum: method('Sum', true, false),
  Chat: method('Chat', true, true),
};

interface EchoServer extends AsyncDisposable {
  readonly port: number;
  cancelled: number;
}

/** grpc-js as the application. */
async function echoServer(): Promise<EchoServer> {
  const server = new Server();
  const state = { cancelled: 0 };
  server.addService(SERVICE, {
    Unary: (call: never, done: never) => unary(call, done, state),
    Count: count,
    Sum: sum,
    Chat: chat,
  } as never);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    port,
    get cancelled() {
      return state.cancelled;
    },
    [Symbol.asyncDispose]: async () => server.forceShutdown(),
  };
}

interface Call {
  readonly request: Buffer;
  readonly metadata: Metadata;
  sendMetadata(metadata: Metadata): void;
  write(piece: Buffer): boolean;
  end(trailers?: Metadata): void;
  on(event: string, listener: (value: Buffer) => void): void;
}
type Done = (error: object | null, answer?: Buffer, trailers?: Metadata) => void;

function metadataOf(name: string, value: string | Buffer): Metadata {
  const metadata = new Metadata();
  metadata.set(name, value);
  return metadata;
}

function unary(call: Call, done: Done, state: { cancelled: number }): void {
  const text = call.request.toString();
  call.on('cancelled', () => state.cancelled++);
  if (text === 'wait') return;
  if (text.startsWith('fail')) {
    done({
      code: status.FAILED_PRECONDITION,
      details: 'not now: ü',
      metadata: metadataOf('why-bin', Buffer.from('bytes')),
    });
    return;
  }
  call.sendMetadata(metadataOf('x-head', String(call.metadata.get('x-asked')[0] ?? '')));
  done(null, call.request, metadataOf('x-trailer', 'behind'));
}

function count(call: Call): void {
  const most = Number(call.request.toString());
  for (let at = 1; at <= most; at++) call.write(Buffer.from(String(at)));
  call.end(metadataOf('x-trailer', 'counted'));
}

function sum(call: Call, done: Done): void {
  let total = 0;
  call.on('data', (piece) => void (total += piece.length));
  call.on('end', () => done(null, Buffer.from(String(total))));
}

function chat(call: Call): void {
  call.on('data', (piece) => void call.write(Buffer.from(`${piece.toString()}!`)));
  call.on('end', () => call.end());
}

const EchoClient = makeGenericClientConstructor(SERVICE, 'Echo');

interface Reply {
  on(event: 'data', listener: (piece: Buffer) => void): void;
  on(event: 'status', listener: (status: { code: number; metadata: Metadata }) => void): void;
  on(event: 'metadata', listener: (metadata: Metadata) => void): void;
  on(event: 'error' | 'end', listener: () => void): void;
  write(piece: Buffer): void;
  end(): void;
  cancel(): void;
}
type Answered = (error: ServiceError | null, answer?: Buffer) => void;
interface Echo {
  Unary(request: Buffer, metadata: Metadata, options: object, done: Answered): Reply;
  Count(request: Buffer): Reply;
  Sum(done: Answered): Reply;
  Chat(): Reply;
}

/** Client → outbound sidecar → mTLS → inbound sidecar → application, HTTP/2 all the way. */
async function mesh(appPort: number) {
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
      [routeTable('out', [route(forward('service', { timeoutMs: 0 }))])],
      [cluster('service', [callee.port('inbound')], { protocol: 'http2', tls })],
    ),
  });
  const client = new EchoClient(`127.0.0.1:${caller.port('out')}`, credentials.createInsecure());
  return {
    callee,
    caller,
    echo: client as unknown as Echo,
    [Symbol.asyncDispose]: async () => {
      (client as unknown as Client).close();
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
  const late = await unaryCall(path.echo, 'wait', { deadline: Date.now() + 300 });
  assert.equal(late.error?.code, status.DEADLINE_EXCEEDED);
  await eventually(() => app.cancelled === 1, 'the application to hear of the deadline');
  const call = path.echo.Unary(Buffer.from('wait'), new Metadata(), {}, () => undefined);
  await eventually(() => path.callee.engine.load()[0]?.active === 1, 'the second call');
  call.cancel();
  await eventually(() => app.cancelled === 2, 'the application to hear of the cancellation');
  await eventually(() => path.caller.engine.load()[0]?.active === 0, 'nothing in flight');
});

test('where no application is, a call fails as UNAVAILABLE', async () => {
  await using path = await mesh(1);
  assert.equal((await unaryCall(path.echo, 'hello')).error?.code, status.UNAVAILABLE);
});
