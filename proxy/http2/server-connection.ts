import type { Socket } from 'node:net';
import { Alarm } from '../../kit/timer-wheel.ts';
import type { Downstream } from '../filters/request-draft.ts';
import type { HttpConnectionConfig } from '../listener/listener-config.ts';
import type { Runtime } from '../runtime.ts';
import { Outbox } from '../socket/outbox.ts';
import type { ByteReceiver } from '../socket/shared-read.ts';
import { accountRefused } from '../telemetry/account.ts';
import { CANCEL, errorName } from './frame.ts';
import { RequestFields } from './request-fields.ts';
import { ServerStream } from './server-stream.ts';
import { Session, type SessionEvents } from './session.ts';
import { SessionWriter } from './session-writer.ts';
import type { Stream, StreamUser } from './stream.ts';

type Phase =
  | 'open'
  /** Our last word is written; the client's bytes are thrown away until it closes, or a second is over. */
  | 'lingering'
  | 'closed';

/** As http1/server-connection.ts: closing at once could destroy what the client has not read yet. */
const LINGER_MS = 1000;

// Heads of all connections are read in turn: none outlives its block.
const fields = new RequestFields();

/**
 * One client's HTTP/2 connection. It listens to no socket events itself: whoever owns the socket tells it, because a connection
 * may have begun as HTTP/1.1 (listener/ by ALPN, http1/server-connection.ts by the preface).
 */
export class ServerConnection implements ByteReceiver, SessionEvents {
  readonly runtime: Runtime;
  readonly from: Downstream;
  readonly http: HttpConnectionConfig;
  readonly requestFields = fields;
  readonly session: Session;
  readonly #socket: Socket;
  readonly #outbox: Outbox;
  readonly #writer: SessionWriter;
  readonly #onClose: () => void;
  /** The next moment at which something may be overdue: what it is, is asked when it rings. */
  readonly #alarm: Alarm;
  readonly #streams = new Map<Stream, ServerStream>();
  #phase: Phase = 'open';
  #endAnnounced = false;
  #ended = false;
  #retired = false;
  #quietSinceMs: number;
  /** Monotonic time since which a frame or block has not come to its end; Infinity between two. */
  #withinSinceMs: number;
  #lingerUntilMs = 0;
  #lookedAtMs: number;

  constructor(runtime: Runtime, socket: Socket, from: Downstream, http: HttpConnectionConfig, onClose: () => void) {
    this.runtime = runtime;
    this.#socket = socket;
    this.from = from;
    this.http = http;
    this.#onClose = onClose;
    this.#outbox = new Outbox(socket);
    this.session = new Session('server', this.#outbox, this);
    this.#writer = new SessionWriter(this.session, this.#outbox);
    this.#alarm = new Alarm(() => this.#alarmed());
    const now = runtime.clock.monotonic();
    this.#quietSinceMs = now;
    this.#withinSinceMs = now;
    this.#lookedAtMs = now;
    runtime.wheel.set(this.#alarm, now, Math.min(http.headerTimeoutMs, http.idleTimeoutMs));
    this.session.start();
  }

  get isBlocked(): boolean {
    return this.#outbox.isBlocked;
  }

  /** Asks the client to go elsewhere with what is new; what still comes is served. */
  drain(): void {
    this.#announceEnd();
  }

  /** As `drain`, and closes when nothing is in flight. */
  retire(): void {
    this.#retired = true;
    this.#announceEnd();
    if (this.#streams.size === 0) this.#linger();
  }

  close(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#writer.stop();
    this.runtime.wheel.remove(this.#alarm);
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const stream of streams) stream.abandoned();
    this.session.abandon(CANCEL);
    this.#socket.destroy();
    this.#onClose();
  }

  // What the socket tells.

  receive(from: Buffer, count: number): void {
    if (this.#phase !== 'open') return;
    const now = this.runtime.clock.monotonic();
    const before = this.session.frames;
    this.session.feed(from, 0, count, now);
    if (!this.session.isWithinSomething) this.#withinSinceMs = Number.POSITIVE_INFINITY;
    else if (this.#withinSinceMs === Number.POSITIVE_INFINITY) this.#within(now);
    else if (this.session.frames > before && !this.session.isWithinBlock) this.#within(now);
  }

  socketDrained(): void {
    this.session.unblocked();
    for (const stream of Array.from(this.#streams.values())) stream.drained();
  }

  socketEnded(): void {
    this.#ended = true;
    // A client that ends its side sends no WINDOW_UPDATE and no more requests; what is on its way may still reach it.
    if (this.#streams.size === 0 || this.from.direction === 'inbound') this.close();
  }

  // What the session tells.

  opened(stream: Stream): StreamUser {
    const user = new ServerStream(this, stream);
    this.#streams.set(stream, user);
    return user;
  }

  greeted(): void {
    // Nothing that a client says of itself is waited for.
  }

  closed(stream: Stream): void {
    const user = this.#streams.get(stream);
    this.#streams.delete(stream);
    user?.closed();
    if (this.#streams.size > 0 || this.#phase !== 'open') return;
    this.#quietSinceMs = this.runtime.clock.monotonic();
    if (this.#ended || this.#retired) this.#linger();
  }

  goingAway(): void {
    // The client opens no more streams; it will close when it has its answers.
  }

  failed(code: number, why: string): void {
    this.runtime.telemetry.rejected('request', `http2-${errorName(code)}`);
    this.runtime.log.debug(`HTTP/2 connection of "${this.from.peerAddress}" ended with ${errorName(code)}: ${why}`);
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const stream of streams) stream.abandoned();
    this.session.abandon(CANCEL);
    this.#linger();
  }

  wrote(): void {
    this.#writer.wrote();
  }

  // What streams tell.

  /** An answer is complete. */
  answered(): void {
    if (this.runtime.leaving || (this.runtime.draining && this.from.direction !== 'outbound')) this.drain();
  }

  /** A request that was refused before anything was done with it; status 0: its stream was reset. */
  refused(cause: string, status: number): void {
    this.runtime.telemetry.rejected('request', cause);
    accountRefused(this.runtime, this.from, status, this.http.accessLog);
  }

  /** Some stream's time is over then. */
  deadline(nowMs: number, atMs: number): void {
    if (atMs < this.#alarm.at && this.#phase === 'open') this.runtime.wheel.set(this.#alarm, nowMs, atMs - nowMs);
  }

  #within(nowMs: number): void {
    this.#withinSinceMs = nowMs;
    this.deadline(nowMs, nowMs + this.http.headerTimeoutMs);
  }

  #announceEnd(): void {
    if (this.#endAnnounced) return;
    this.#endAnnounced = true;
    this.session.announceEnd();
  }

  #linger(): void {
    if (this.#phase !== 'open') return;
    this.#phase = 'lingering';
    this.session.end();
    this.#writer.flush();
    this.#socket.end();
    this.#socket.resume();
    const now = this.runtime.clock.monotonic();
    this.#lingerUntilMs = now + LINGER_MS;
    this.runtime.wheel.set(this.#alarm, now, LINGER_MS);
    if (this.#ended) this.#socket.destroySoon();
  }

  #alarmed(): void {
    const now = this.runtime.clock.monotonic();
    if (this.#phase === 'lingering') {
      if (now >= this.#lingerUntilMs) this.close();
      else this.runtime.wheel.set(this.#alarm, now, this.#lingerUntilMs - now);
      return;
    }
    if (now >= this.#withinSinceMs + this.http.headerTimeoutMs) {
      this.runtime.telemetry.rejected('request', 'request-head-timeout');
      this.#linger();
      return;
    }
    if (this.#streams.size === 0 && now >= this.#quietSinceMs + this.http.idleTimeoutMs) {
      this.#linger();
      return;
    }
    this.#lookAtStreams(now);
  }

  /** Ends what is overdue, and files the alarm anew. */
  #lookAtStreams(nowMs: number): void {
    const { idleTimeoutMs, headerTimeoutMs } = this.http;
    const since = this.#streams.size === 0 ? this.#quietSinceMs : nowMs;
    let nextMs = Math.min(since + idleTimeoutMs, this.#withinSinceMs + headerTimeoutMs);
    const standstill = nowMs >= this.#lookedAtMs + idleTimeoutMs;
    if (standstill) this.#lookedAtMs = nowMs;
    for (const stream of Array.from(this.#streams.values())) {
      stream.hurry(nowMs);
      if (stream.dueMs <= nowMs) stream.giveUp('the upstream took too long');
      else if (standstill && stream.progress === stream.seenProgress) stream.giveUp('nothing moved for too long');
      else nextMs = Math.min(nextMs, stream.dueMs, stream.bodyDueMs(nowMs));
      if (standstill) stream.seenProgress = stream.progress;
    }
    if (this.#isOpen()) this.runtime.wheel.set(this.#alarm, nowMs, Math.max(1, nextMs - nowMs));
  }

  #isOpen(): boolean {
    return this.#phase === 'open';
  }
}
