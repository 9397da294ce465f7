import {
  credentials,
  Metadata,
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
  type ServiceError,
  status,
} from '@grpc/grpc-js';

/** grpc-js as client and application: peers that nobody here wrote. Messages are bytes. */

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

export interface EchoServer extends AsyncDisposable {
  readonly port: number;
  /** Calls that wait for an answer which never comes, and those of them that were given up. */
  readonly waiting: number;
  readonly cancelled: number;
}

interface Waiting {
  waiting: number;
  cancelled: number;
}

/** grpc-js as the application. */
export async function echoServer(): Promise<EchoServer> {
  const server = new Server();
  const state: Waiting = { waiting: 0, cancelled: 0 };
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
    get waiting() {
      return state.waiting;
    },
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

export function metadataOf(name: string, value: string | Buffer): Metadata {
  const metadata = new Metadata();
  metadata.set(name, value);
  return metadata;
}

function unary(call: Call, done: Done, state: Waiting): void {
  const text = call.request.toString();
  if (text === 'wait') {
    state.waiting++;
    let over = false;
    // Told for its deadline, and again for its stream.
    call.on('cancelled', () => {
      if (over) return;
      over = true;
      state.waiting--;
      state.cancelled++;
    });
    return;
  }
  if (text === 'down') {
    done({ code: status.UNAVAILABLE, details: 'the database is away' });
    return;
  }
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
export interface Echo {
  Unary(request: Buffer, metadata: Metadata, options: object, done: Answered): Reply;
  Count(request: Buffer): Reply;
  Sum(done: Answered): Reply;
  Chat(): Reply;
}

export function echoClient(port: number): { readonly echo: Echo; close(): void } {
  const client = new EchoClient(`127.0.0.1:${port}`, credentials.createInsecure());
  // grpc-js makes the methods out of the definition; its types do not say so.
  return { echo: client as unknown as Echo, close: () => client.close() };
}
