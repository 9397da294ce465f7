import net from 'node:net';
import tls from 'node:tls';
import { controlIdentityCheck } from '../../certs/workload/control-identity.ts';
import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import type { Clock, Timer } from '../../kit/clock.ts';
import { errorName, frameHeader, NO_ERROR, PING } from '../http2/frame.ts';
import { Session, type SessionEvents } from '../http2/session.ts';
import { SessionWriter } from '../http2/session-writer.ts';
import type { Stream, StreamUser } from '../http2/stream.ts';
import { Outbox } from '../socket/outbox.ts';
import { type ByteReceiver, sharedRead } from '../socket/shared-read.ts';
import { type Call, ClientCall, type Method, UNAVAILABLE } from './call.ts';
import { CallError } from './call-error.ts';
import { parseTarget } from './target.ts';

export interface ChannelOptions {
  /** As target.ts reads it. */
  readonly address: string;
  /** Who we are, and who the server must be; plain where it is missing. */
  readonly mesh?: { readonly identity: MeshIdentity; readonly serverSpiffeId: string };
  /** After how long a silence the server is asked whether it is there, and how long it may take to say so. */
  readonly keepalive?: { readonly everyMs: number; readonly timeoutMs: number };
  readonly clock: Clock;
}

export interface Channel {
  open<Request, Response>(
    method: Method<Request, Response>,
    metadata?: Readonly<Record<string, string>>,
  ): Call<Request, Response>;
  /** Every call that is still open ends with UNAVAILABLE. */
  close(): void;
}

// What gRPC's libraries give a connection (connection-backoff.md, MIN_CONNECT_TIMEOUT).
const CONNECT_LIMIT_MS = 20_000;
/** TLS has no server names for addresses (RFC 6066, section 3); who the server is, its SVID says. */
const SERVER_NAME = 'control.tutti.internal';
const PING_FRAME = frameHeader(8, PING, 0, 0) + '\0'.repeat(8);

/**
 * One connection of the proxy itself, to its agent or its control plane, and the gRPC calls on it. It is made once: whoever wants to try
 * again opens another. Address and identity are those of the moment it was opened.
 */
export function openChannel(options: ChannelOptions): Channel {
  return new Connection(options);
}

class Connection implements Channel, ByteReceiver, SessionEvents {
  readonly #options: ChannelOptions;
  readonly #socket: net.Socket;
  readonly #outbox: Outbox;
  readonly #session: Session;
  readonly #writer: SessionWriter;
  /** By what the session knows of each. */
  readonly #calls = new Map<StreamUser, Pick<ClientCall<never, never>, 'begin' | 'failed'>>();
  #phase: 'connecting' | 'open' | 'leaving' | 'closed' = 'connecting';
  #timer: Timer;
  #heardAtMs = 0;

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.#socket = connect(options, this, () => this.#connected());
    this.#outbox = new Outbox(this.#socket);
    this.#session = new Session('client', this.#outbox, this);
    this.#writer = new SessionWriter(this.#session, this.#outbox);
    this.#socket.on('drain', () => this.#session.unblocked());
    this.#socket.on('end', () => this.#failed('the server closed the connection'));
    this.#socket.on('error', (error) => this.#failed(error.message));
    this.#socket.on('close', () => this.#failed('the connection was closed'));
    this.#timer = options.clock.timer(CONNECT_LIMIT_MS, () => this.#failed('connecting took too long'));
  }

  open<Request, Response>(
    method: Method<Request, Response>,
    metadata: Readonly<Record<string, string>> = {},
  ): Call<Request, Response> {
    const { mesh, address } = this.#options;
    const scheme = mesh === undefined ? 'http' : 'https';
    const authority = mesh === undefined ? (address.startsWith('unix:') ? 'localhost' : address) : SERVER_NAME;
    const call = new ClientCall(method, { session: this.#session, scheme, authority, metadata });
    if (this.#phase === 'leaving' || this.#phase === 'closed') {
      // As every end: after its caller has said who listens to it.
      queueMicrotask(() => call.failed(new CallError(UNAVAILABLE, 'the server takes no more calls here')));
      return call;
    }
    this.#calls.set(call, call);
    if (this.#phase === 'open') call.begin();
    return call;
  }

  close(): void {
    if (this.#phase === 'closed') return;
    if (this.#phase !== 'connecting') {
      this.#session.end();
      this.#writer.flush();
    }
    this.#stop('the channel was closed');
    this.#socket.destroySoon();
  }

  receive(from: Buffer, count: number): void {
    this.#heardAtMs = this.#options.clock.monotonic();
    if (this.#phase === 'open' || this.#phase === 'leaving') this.#session.feed(from, 0, count, this.#heardAtMs);
  }

  // What the session tells.

  opened(_stream: Stream): StreamUser {
    throw new Error('a server opened a stream, which the session refuses');
  }

  closed({ user }: Stream): void {
    if (user !== undefined) this.#calls.delete(user);
  }

  greeted(): void {
    // No call waits for what the server allows.
  }

  goingAway(lastStreamId: number): void {
    if (this.#phase === 'open') this.#phase = 'leaving';
    this.#session.abandonAbove(lastStreamId);
  }

  failed(code: number, why: string): void {
    this.#writer.flush();
    this.#failed(`the server broke HTTP/2 (${errorName(code)}): ${why}`);
  }

  wrote(): void {
    this.#writer.wrote();
  }

  #connected(): void {
    if (this.#phase !== 'connecting') return;
    const { alpnProtocol } = this.#socket as Partial<tls.TLSSocket>;
    if (this.#options.mesh !== undefined && alpnProtocol !== 'h2') {
      this.#failed('the server does not speak HTTP/2');
      return;
    }
    this.#phase = 'open';
    this.#timer.stop();
    this.#heardAtMs = this.#options.clock.monotonic();
    this.#session.start();
    for (const call of this.#calls.values()) call.begin();
    // Not at the end of the turn: the other side works on it while this one goes on.
    this.#writer.flush();
    this.#watch();
  }

  /** Asks after a silence; whatever comes is an answer. */
  #watch(): void {
    const { keepalive, clock } = this.#options;
    if (keepalive === undefined) return;
    const silentMs = clock.monotonic() - this.#heardAtMs;
    if (silentMs < keepalive.everyMs) {
      this.#timer = clock.timer(keepalive.everyMs - silentMs, () => this.#watch());
      return;
    }
    const askedAtMs = clock.monotonic();
    this.#outbox.text(PING_FRAME);
    this.#writer.flush();
    this.#timer = clock.timer(keepalive.timeoutMs, () => {
      if (this.#heardAtMs >= askedAtMs) this.#watch();
      else this.#failed('the server does not answer any more');
    });
  }

  #failed(message: string): void {
    if (this.#phase === 'closed') return;
    this.#stop(message);
    this.#socket.destroy();
  }

  #stop(message: string): void {
    this.#phase = 'closed';
    this.#timer.stop();
    this.#writer.stop();
    const error = new CallError(UNAVAILABLE, `${this.#options.address}: ${message}`);
    for (const call of Array.from(this.#calls.values())) call.failed(error);
    this.#calls.clear();
    this.#session.abandon(NO_ERROR);
  }
}

function connect({ address, mesh }: ChannelOptions, receiver: ByteReceiver, connected: () => void): net.Socket {
  const target = parseTarget(address);
  if (target === undefined) {
    const socket = new net.Socket();
    return socket.destroy(new Error('no address: wanted host:port, [address]:port or unix:///path'));
  }
  const onread = sharedRead(receiver);
  if (mesh === undefined) {
    const socket = net.connect({ ...target, onread });
    socket.setNoDelay(true);
    return socket.on('connect', connected);
  }
  const { identity, serverSpiffeId } = mesh;
  const options: tls.ConnectionOptions & Pick<net.NetConnectOpts, 'onread'> = {
    ...target,
    servername: SERVER_NAME,
    ALPNProtocols: ['h2'],
    ca: identity.trustBundlePem,
    cert: identity.certificateChainPem,
    key: identity.privateKeyPem,
    checkServerIdentity: controlIdentityCheck(address, serverSpiffeId),
    onread,
  };
  const socket = tls.connect(options);
  socket.setNoDelay(true);
  return socket.on('secureConnect', connected);
}
