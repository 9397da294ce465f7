import type { Socket } from 'node:net';
import { MESH_HTTP1_PROTOCOL } from '../../api/meta/well-known.ts';
import { Alarm } from '../../kit/timer-wheel.ts';
import type { ClusterState } from '../cluster/cluster-state.ts';
import type { EndpointState } from '../cluster/endpoint-state.ts';
import { errorName, INTERNAL_ERROR } from '../http2/frame.ts';
import { ResponseFields } from '../http2/response-fields.ts';
import { Session, type SessionEvents } from '../http2/session.ts';
import { SessionWriter } from '../http2/session-writer.ts';
import type { Stream, StreamUser } from '../http2/stream.ts';
import type { Runtime } from '../runtime.ts';
import { Outbox } from '../socket/outbox.ts';
import type { ByteReceiver } from '../socket/shared-read.ts';
import type { CarrierUser } from './carrier.ts';
import { dial } from './dial.ts';
import { MAX_CARRIED_STREAMS, wantsHttp1 } from './hop.ts';
import type { Purpose, StreamWanted } from './http2-pool.ts';
import { Http2Stream } from './http2-stream.ts';
import { retirementOf } from './pool.ts';

type Phase =
  /** TCP, or TLS with the check of the peer, is under way; streams wait. */
  | 'connecting'
  /** For tunnels: our preface is sent; whether the peer takes them its SETTINGS will say. Streams wait. */
  | 'greeting'
  | 'open'
  | 'closed';

/** Half of what nghttp2, and we ourselves (http2/limits.ts), let a peer reset in a burst. */
const MAX_RESETS = 500;

// Heads of all connections are read in turn: none outlives its block.
const fields = new ResponseFields();

/** One HTTP/2 connection to an endpoint, shared by as many requests as the endpoint takes at once. */
export class Http2Connection implements ByteReceiver, SessionEvents {
  readonly endpoint: EndpointState;
  /** Of the identity it was made with; 0 without TLS. */
  readonly generation: number;
  readonly hop: StreamWanted['hop'];
  readonly purpose: Purpose;
  readonly scheme: 'http' | 'https';
  readonly session: Session;
  readonly runtime: Runtime;
  readonly responseFields = fields;
  readonly #cluster: ClusterState;
  readonly #mostStreams: number;
  readonly #socket: Socket;
  readonly #outbox: Outbox;
  readonly #writer: SessionWriter;
  /** Connecting, idle, or the time of the next try that is over: which, is asked when it rings. */
  readonly #alarm: Alarm;
  readonly #retireAtMs: number;
  #phase: Phase = 'connecting';
  #waiting: Http2Stream[] = [];
  readonly #streams = new Set<Http2Stream>();
  #served = 0;
  #resets = 0;
  #heardAtMs = 0;
  #retired = false;

  constructor(runtime: Runtime, { cluster, endpoint, generation, hop, purpose }: Omit<StreamWanted, 'again'>) {
    this.runtime = runtime;
    this.#cluster = cluster;
    this.endpoint = endpoint;
    this.generation = generation;
    this.hop = hop;
    this.purpose = purpose;
    const few = hop === MESH_HTTP1_PROTOCOL || purpose === 'tunnel';
    this.#mostStreams = few ? MAX_CARRIED_STREAMS : Number.POSITIVE_INFINITY;
    this.scheme = cluster.config.tls === undefined ? 'http' : 'https';
    this.#alarm = new Alarm(() => this.#alarmed());
    endpoint.opened++;
    this.#socket = dial(runtime, cluster.config, endpoint.config, {
      receiver: this,
      protocol: hop === 'http2' ? 'h2' : hop,
      connected: () => this.#connected(),
      failed: (message) => this.#failed(message),
      wantsHttp1: () => this.#unfit(),
    });
    this.#outbox = new Outbox(this.#socket);
    this.session = new Session('client', this.#outbox, this);
    this.#writer = new SessionWriter(this.session, this.#outbox);
    this.#socket.setNoDelay(true);
    this.#socket.on('drain', () => this.#drained());
    this.#socket.on('end', () => this.#failed('the upstream closed the connection'));
    this.#socket.on('error', (error) => this.#failed(error.message));
    this.#socket.on('close', () => this.#failed('the connection was closed'));
    const now = runtime.clock.monotonic();
    this.#retireAtMs = retirementOf(cluster.config, now, runtime.random);
    runtime.wheel.set(this.#alarm, now, cluster.config.connectTimeoutMs);
  }

  /** Takes another stream. */
  get hasRoom(): boolean {
    if (this.#retired || this.#phase === 'closed' || this.session.isExhausted || this.#isOld) return false;
    const taken = this.session.streamCount + this.#waiting.length;
    return taken < this.#mostStreams && taken < this.session.peerMaxStreams;
  }

  get #isOld(): boolean {
    return this.runtime.clock.monotonic() >= this.#retireAtMs;
  }

  get isConnecting(): boolean {
    return this.#phase === 'connecting' || this.#phase === 'greeting';
  }

  get isBlocked(): boolean {
    return this.#outbox.isBlocked;
  }

  /** Only where there is room. `again`: a try before this one has failed. */
  open(user: CarrierUser, attempt: 'first' | 'again'): Http2Stream {
    const stream = new Http2Stream(this, user, attempt === 'first' && this.#served > 0);
    this.#served++;
    this.#streams.add(stream);
    if (this.isConnecting) this.#waiting.push(stream);
    else {
      if (this.#streams.size === 1) this.runtime.wheel.clear(this.#alarm);
      stream.begin();
    }
    return stream;
  }

  /**
   * A request that was sent at that time is given up without an answer. If nothing at all was heard since, for longer than a
   * connection may take to be made, the other end may be gone without a word: new requests go by a new connection.
   */
  doubt(sentAtMs: number): void {
    const silentMs = this.runtime.clock.monotonic() - Math.max(sentAtMs, this.#heardAtMs);
    if (this.#heardAtMs <= sentAtMs && silentMs >= this.#cluster.config.connectTimeoutMs) this.retire();
  }

  /** Carries what it has, takes no more. */
  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    const at = this.endpoint.shared.indexOf(this);
    if (at >= 0) this.endpoint.shared.splice(at, 1);
    if (this.#streams.size === 0) this.close();
  }

  close(): void {
    if (this.#phase === 'closed') return;
    if (this.#phase !== 'connecting') {
      this.session.end();
      this.#writer.flush();
    }
    this.#phase = 'closed';
    this.#writer.stop();
    this.runtime.wheel.remove(this.#alarm);
    this.retire();
    this.#socket.destroySoon();
  }

  /** A stream has nothing more to do here. */
  left(stream: Http2Stream): void {
    if (!this.#streams.delete(stream)) return;
    if (this.isConnecting) this.#waiting = this.#waiting.filter((waiting) => waiting !== stream);
    if (this.#streams.size === 0 && this.#phase === 'open') this.#rest();
  }

  /** A stream was reset by us: before the peer takes so many for an attack, new requests go by a new connection. */
  gaveUp(): void {
    if (++this.#resets === MAX_RESETS) this.retire();
  }

  /** Some stream's try is over at that time. */
  deadline(nowMs: number, atMs: number): void {
    if (this.#phase === 'open' && atMs < this.#alarm.at) this.runtime.wheel.set(this.#alarm, nowMs, atMs - nowMs);
  }

  receive(from: Buffer, count: number): void {
    if (this.#phase === 'closed') return;
    if (this.#phase === 'connecting') {
      this.#failed('the upstream sent bytes that nobody asked for');
      return;
    }
    this.#heardAtMs = this.runtime.clock.monotonic();
    this.session.feed(from, 0, count, this.#heardAtMs);
  }

  // What the session tells.

  opened(_stream: Stream): StreamUser {
    throw new Error('a server opened a stream, which the session refuses');
  }

  greeted(): void {
    if (this.#phase !== 'greeting') return;
    if (this.session.peerTakesExtendedConnect) this.#open();
    else for (const stream of this.#cut()) stream.tunnelNotOffered();
  }

  closed(stream: Stream): void {
    // Of a request's end its user knows.
    if (this.purpose === 'tunnel') for (const one of this.#streams) if (one.carries(stream)) one.closed();
  }

  goingAway(lastStreamId: number): void {
    this.retire();
    this.session.abandonAbove(lastStreamId);
  }

  failed(code: number, why: string): void {
    this.runtime.telemetry.rejected('response', `http2-${errorName(code)}`);
    this.#writer.flush();
    this.#failed(`the upstream broke HTTP/2: ${why}`);
  }

  wrote(): void {
    this.#writer.wrote();
  }

  #connected(): void {
    if (this.#phase !== 'connecting') return;
    this.session.start();
    if (this.purpose === 'tunnel') this.#phase = 'greeting';
    else this.#open();
  }

  #open(): void {
    this.#phase = 'open';
    this.runtime.wheel.clear(this.#alarm);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const stream of waiting) {
      stream.begin();
      stream.user?.connected(stream);
    }
    if (this.#streams.size === 0) this.#rest();
  }

  /** Nothing to carry for now. */
  #rest(): void {
    if (this.#retired || this.session.isExhausted || this.#isOld) this.close();
    else this.runtime.wheel.set(this.#alarm, this.runtime.clock.monotonic(), this.#cluster.config.poolIdleMs);
  }

  #failed(message: string): void {
    const phase = this.#phase;
    if (phase === 'closed') return;
    for (const stream of this.#cut()) stream.connectionFailed(phase === 'open' ? 'open' : 'connecting', message);
    this.session.abandon(INTERNAL_ERROR);
  }

  /** The peer is the right one, but does not carry HTTP/1.1 this way. */
  #unfit(): void {
    if (this.#phase !== 'connecting') return;
    wantsHttp1(this.endpoint, this.runtime.clock.monotonic());
    for (const stream of this.#cut()) stream.connectionUnfit();
  }

  /** Ends at once; gives the streams that are to be told. */
  #cut(): Http2Stream[] {
    this.#phase = 'closed';
    this.#writer.stop();
    this.#retired = true;
    const at = this.endpoint.shared.indexOf(this);
    if (at >= 0) this.endpoint.shared.splice(at, 1);
    this.runtime.wheel.remove(this.#alarm);
    this.#socket.destroy();
    const streams = [...this.#streams];
    this.#streams.clear();
    this.#waiting = [];
    return streams;
  }

  #drained(): void {
    this.session.unblocked();
    for (const stream of Array.from(this.#streams)) stream.drained();
  }

  #alarmed(): void {
    if (this.isConnecting) this.#failed('connecting took too long');
    else if (this.#streams.size === 0) this.close();
    else {
      const now = this.runtime.clock.monotonic();
      let nextMs = Number.POSITIVE_INFINITY;
      for (const stream of Array.from(this.#streams)) {
        if (stream.dueMs <= now) stream.timedOut();
        else nextMs = Math.min(nextMs, stream.dueMs);
      }
      if (nextMs < Number.POSITIVE_INFINITY && !this.#isClosed())
        this.runtime.wheel.set(this.#alarm, now, nextMs - now);
    }
  }

  #isClosed(): boolean {
    return this.#phase === 'closed';
  }
}
