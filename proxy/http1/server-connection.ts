import type { Socket } from 'node:net';
import { Alarm } from '../../kit/timer-wheel.ts';
import type { Downstream } from '../filters/request-draft.ts';
import { PREFACE } from '../http2/frame.ts';
import { ServerConnection as Http2ServerConnection } from '../http2/server-connection.ts';
import type { HttpConnectionConfig } from '../listener/listener-config.ts';
import type { CompiledEdits } from '../route/header-edits.ts';
import { offersConnect, planRequest } from '../route/plan.ts';
import type { Runtime } from '../runtime.ts';
import { Outbox } from '../socket/outbox.ts';
import type { ByteReceiver } from '../socket/shared-read.ts';
import type { Tunnel } from '../socket/tunnel.ts';
import { accountRefused } from '../telemetry/account.ts';
import type { Client, OwnReply } from '../upstream/client.ts';
import { Exchange } from '../upstream/exchange.ts';
import { BodyReader, type Framing } from './body-reader.ts';
import type { BodySink } from './chunk-decoder.ts';
import { HeadReader, NOT_WHOLE } from './head-reader.ts';
import { MAX_DISCARDED_BYTES, MAX_HEAD_BYTES, MAX_HEAD_BYTES_INSIDE, MAX_HEADERS } from './limits.ts';
import { MovementWatch } from './movement.ts';
import { partialHeadFault } from './partial-head.ts';
import { Pipelined } from './pipelined.ts';
import {
  BAD_CHUNK,
  BAD_TARGET,
  BAD_VERSION,
  BODY_TIMEOUT,
  CONNECT_REFUSED,
  HEAD_TIMEOUT,
  type Rejection,
  TOO_MANY_FIELDS,
} from './rejection.ts';
import type { RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';
import { ResponseWriter } from './response-writer.ts';
import { trailerLines } from './trailers.ts';

type Phase =
  /** Between two requests, or within a request's head. */
  | 'head'
  /** A request's body is coming. */
  | 'receiving'
  /** The request is whole; what comes now is the next one, and waits. */
  | 'answering'
  /** Answered before the body was whole: its rest is thrown away. */
  | 'discarding'
  /** Our last word is written; the client's bytes are thrown away until it closes, or a second is over. */
  | 'lingering'
  | 'tunnel'
  /** The client began HTTP/2 with prior knowledge: `#successor` reads and writes. */
  | 'http2'
  | 'closed';

/** Envoy's delayed_close_timeout: closing at once could destroy an answer that the client has not read yet. */
const LINGER_MS = 1000;

/** HTTP/2's preface up to what looks like the end of a head. */
const PREFACE_HEAD = PREFACE.slice(0, PREFACE.indexOf('\r\n\r\n') + 4);
const PREFACE_HEAD_BYTES = Buffer.from(PREFACE_HEAD, 'latin1');

/** One client's HTTP/1 connection: reads one request after the other, and answers in their order. */
export class ServerConnection implements ByteReceiver, BodySink, Client {
  readonly protocol = 'http1';
  readonly socket: Socket;
  readonly #runtime: Runtime;
  readonly #from: Downstream;
  readonly #http: HttpConnectionConfig;
  readonly #onClose: (connection: ServerConnection) => void;
  readonly #outbox: Outbox;
  readonly #answer: ResponseWriter;
  readonly #body = new BodyReader();
  readonly #heads: HeadReader;
  readonly #idleAlarm: Alarm;
  readonly #requestAlarm: Alarm;
  #phase: Phase = 'head';
  /** Monotonic time of a partial head's first byte. */
  #headSinceMs = 0;
  #quietSinceMs: number;
  /** Of the exchange at hand. At the edge also of its body, where that did not come with its head. */
  readonly #movement: MovementWatch;
  readonly #pipelined = new Pipelined();
  #consuming = false;
  #ended = false;
  #exchange: Exchange | undefined = undefined;
  #tunnel: Tunnel | undefined = undefined;
  #successor: Http2ServerConnection | undefined = undefined;
  /** The client waits for 100 Continue and has sent nothing: it may never send the body. */
  #bodyInDoubt = false;
  #discarded = 0;
  /** Its listener is gone: the answer at hand is the last. */
  #retired = false;

  constructor(
    runtime: Runtime,
    socket: Socket,
    from: Downstream,
    http: HttpConnectionConfig,
    onClose: (connection: ServerConnection) => void,
  ) {
    this.#runtime = runtime;
    this.socket = socket;
    this.#from = from;
    this.#http = http;
    this.#onClose = onClose;
    this.#heads = new HeadReader(
      from.direction === 'inbound' ? MAX_HEAD_BYTES_INSIDE : MAX_HEAD_BYTES,
      partialHeadFault,
    );
    this.#outbox = new Outbox(socket);
    this.#answer = new ResponseWriter(this.#outbox);
    this.#idleAlarm = new Alarm(() => this.#idleAlarmed());
    this.#requestAlarm = new Alarm(() => this.#exchange?.giveUp(504, 'UT', 'the upstream took too long'));
    this.#movement = new MovementWatch(runtime.clock, http.idleTimeoutMs);
    this.#quietSinceMs = runtime.clock.monotonic();
    runtime.wheel.set(this.#idleAlarm, this.#quietSinceMs, http.idleTimeoutMs);
    socket.setNoDelay(true);
    socket.on('drain', () => this.#drained());
    socket.on('end', () => this.#clientEnded());
    socket.on('error', () => this.close());
    socket.on('close', () => this.close());
  }

  get tunnelEnd(): Socket {
    return this.socket;
  }

  get isIdle(): boolean {
    return this.#phase === 'head' && !this.#heads.isWithin;
  }

  /** HTTP/1.1 has no word for it but the next answer's `Connection: close`. */
  drain(): void {
    this.#successor?.drain();
  }

  /** Finishes what is in flight and closes. */
  retire(): void {
    this.#retired = true;
    this.#successor?.retire();
    if (this.isIdle) this.#linger();
  }

  close(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#pipelined.clear();
    this.#runtime.wheel.remove(this.#idleAlarm);
    this.#runtime.wheel.remove(this.#requestAlarm);
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.clientGone();
    this.#successor?.close();
    // An answer that waits for the turn's end has been given.
    this.#outbox.flush();
    this.socket.destroy();
    this.#onClose(this);
  }

  // Reading.

  receive(from: Buffer, count: number): void {
    if (this.#successor !== undefined) {
      this.#successor.receive(from, count);
      return;
    }
    if (this.#phase === 'tunnel') {
      this.#tunnel?.fromClient(from, 0, count);
      return;
    }
    this.#consume(from, 0, count);
    if (this.#phase === 'receiving' && !this.#movement.isOnBody) this.#watchBody();
    this.#exchange?.flushUpload();
  }

  bodyBytes(from: Buffer, start: number, end: number): void {
    if (this.#bodyInDoubt) this.#bodyBegins();
    if (this.#exchange === undefined) this.#discarded += end - start;
    else this.#exchange.upload(from, start, end);
  }

  #bodyBegins(): void {
    this.#bodyInDoubt = false;
    this.#movement.release();
  }

  #consume(from: Buffer, start: number, end: number): void {
    this.#consuming = true;
    let at = start;
    while (at < end) {
      switch (this.#phase) {
        case 'head':
          // A client that asks and does not read must not fill our memory with answers.
          if (this.#outbox.isBlocked) {
            this.#keepForLater(from, at, end);
            at = end;
          } else at = this.#readHead(from, at, end);
          break;
        case 'receiving':
        case 'discarding':
          at = this.#readBody(from, at, end);
          break;
        case 'answering':
          this.#keepForLater(from, at, end);
          at = end;
          break;
        case 'tunnel':
          this.#tunnel?.fromClient(from, at, end);
          at = end;
          break;
        case 'http2':
          this.#successor?.receive(from.subarray(at, end), end - at);
          at = end;
          break;
        case 'lingering':
        case 'closed':
          at = end;
          break;
        default:
          this.#phase satisfies never;
      }
    }
    this.#consuming = false;
  }

  /** Returns the offset behind the head. */
  #readHead(from: Buffer, start: number, end: number): number {
    const isRest = this.#heads.isWithin;
    let at = start;
    // RFC 9112 section 2.2: an empty line before a request is overlooked; some clients send one after a body.
    if (!isRest) while (at < end && (from[at] === 13 || from[at] === 10)) at++;
    if (at === end) return end;
    const head = this.#runtime.requestHead;
    const behind = this.#heads.read(head, from, at, end);
    if (behind >= 0) {
      this.#begin(head);
      return behind;
    }
    if (behind === NOT_WHOLE) {
      if (!isRest) this.#awaitRest();
      return end;
    }
    if (this.#heads.fault === BAD_VERSION && this.#heads.refused.startsWith(PREFACE_HEAD)) this.#becomeHttp2();
    else this.#reject(this.#heads.fault);
    return this.#heads.behind;
  }

  /** RFC 9113 section 3.3: the client knows that we speak it. Also within CONNECT to a host of the mesh. */
  #becomeHttp2(): void {
    this.#phase = 'http2';
    this.#runtime.wheel.clear(this.#idleAlarm);
    this.#outbox.flush();
    this.#successor = new Http2ServerConnection(this.#runtime, this.socket, this.#from, this.#http, () => this.close());
    if (this.#ended) this.#successor.socketEnded();
    this.#successor?.receive(PREFACE_HEAD_BYTES, PREFACE_HEAD_BYTES.length);
  }

  #awaitRest(): void {
    this.#headSinceMs = this.#runtime.clock.monotonic();
    this.#runtime.wheel.set(this.#idleAlarm, this.#headSinceMs, this.#http.headerTimeoutMs);
  }

  #begin(head: RequestHead): void {
    this.#answer.expect(head);
    if (head.method === 'CONNECT' && !offersConnect(this.#runtime, this.#http, this.#from, head, 'http1')) {
      this.#reject(CONNECT_REFUSED);
      return;
    }
    // RFC 9110 section 7.4: what is not for this connection is not served by it.
    if (head.secureTarget && this.#from.scheme !== 'https') {
      this.#reject(BAD_TARGET);
      return;
    }
    const { fields } = head;
    if (fields.count > MAX_HEADERS && this.#from.direction !== 'inbound') {
      this.#reject(TOO_MANY_FIELDS);
      return;
    }
    this.#body.start(requestFraming(head), fields.contentLength);
    this.#bodyInDoubt = head.expectsContinue && !this.#body.done;
    this.#phase = this.#body.done ? 'answering' : 'receiving';
    this.#movement.begin();
    this.#discarded = 0;
    const exchange = new Exchange(this.#runtime, this, this.#from, this.#http.accessLog, head);
    this.#exchange = exchange;
    exchange.begin(planRequest(this.#runtime, this.#http, this.#from, head));
    if (this.#exchange === exchange && this.#body.done) exchange.uploadDone('', exchange.startedAtMs);
  }

  #readBody(from: Buffer, start: number, end: number): number {
    const at = this.#body.feed(from, start, end, this);
    if (this.#phase !== 'receiving' && this.#phase !== 'discarding') return end;
    if (at < 0) {
      this.#badBody(BAD_CHUNK);
      return end;
    }
    if (!this.#body.done) {
      if (this.#discarded > MAX_DISCARDED_BYTES) this.#linger();
      return end;
    }
    if (this.#phase === 'discarding') this.#phase = 'head';
    else {
      this.#phase = 'answering';
      this.#exchange?.uploadDone(trailerLines(this.#body.trailer));
    }
    return at;
  }

  /** Inside the mesh a body comes at its caller's rate, which the edge has looked at. */
  #watchBody(): void {
    if (this.#from.direction !== 'ingress' || this.#exchange === undefined) return;
    const now = this.#runtime.clock.monotonic();
    // A client that waits for 100 Continue waits for the upstream.
    const isHeld = this.socket.isPaused() || this.#bodyInDoubt;
    this.#rearmed(now, this.#movement.watchBody(now, isHeld ? 'is-held' : 'may-send'));
  }

  #keepForLater(from: Buffer, start: number, end: number): void {
    this.#pipelined.keep(from, start, end);
    if (this.#pipelined.isFull) this.socket.pause();
  }

  /** The request that was pipelined, now that its turn has come. */
  #consumePipelined(): void {
    const waiting = this.#pipelined.take();
    this.#consume(waiting, 0, waiting.length);
    this.#exchange?.flushUpload();
    if (!this.#pipelined.isFull && this.#phase !== 'closed') this.socket.resume();
  }

  // Answering: what the exchange asks for.

  answer({ status, reason, body, fields }: OwnReply, nowMs: number): void {
    this.#settleKeepAlive();
    // RFC 9110 section 15.5.9.
    if (status === 408) this.#answer.keepAlive = false;
    const told = reason !== '' && this.#from.direction === 'inbound' ? `x-tutti-reason: ${reason}\r\n` : '';
    if (status === 200 && this.#exchange?.method === 'CONNECT') this.#answer.established();
    else this.#answer.own(status, body, fields + told);
    this.endResponse(nowMs, '');
  }

  interim(head: ResponseHead): void {
    this.#movement.release();
    this.#answer.interim(head);
    this.flush();
  }

  startResponse(head: ResponseHead, framing: Framing, edits: CompiledEdits | undefined): void {
    if (head.status === 101) this.#answer.switched(head, edits);
    else {
      this.#settleKeepAlive();
      this.#answer.start(head, framing, edits);
    }
  }

  body(from: Buffer, start: number, end: number): void {
    this.#answer.body(from, start, end);
  }

  flush(): boolean {
    return this.#outbox.flushSoon();
  }

  endResponse(nowMs: number, trailers: string): void {
    if (this.#phase === 'closed') return;
    this.#answer.end(trailers);
    this.#exchange = undefined;
    this.#quietSinceMs = nowMs;
    if (!this.#answer.keepAlive) {
      this.#linger();
      return;
    }
    this.#phase = this.#body.done ? 'head' : 'discarding';
    if (this.socket.isPaused()) this.socket.resume();
    // Within #consume the loop goes on by itself: a thousand pipelined answers must not nest a thousand calls.
    if (!this.#consuming) this.#next();
  }

  abort(): void {
    this.#exchange = undefined;
    this.close();
  }

  pauseUpload(): void {
    this.#movement.hold();
    this.socket.pause();
  }

  resumeUpload(): void {
    if (!this.#bodyInDoubt) this.#movement.release();
    if (!this.#pipelined.isFull) this.socket.resume();
  }

  startRequestTimeout(nowMs: number, timeoutMs: number): void {
    this.#runtime.wheel.set(this.#requestAlarm, nowMs, timeoutMs);
  }

  stopRequestTimeout(): void {
    this.#runtime.wheel.clear(this.#requestAlarm);
  }

  joinTunnel(tunnel: Tunnel, establish: 'established' | 'establish'): void {
    if (establish === 'establish') this.#answer.established();
    this.#outbox.flush();
    this.#phase = 'tunnel';
    this.#tunnel = tunnel;
    // What the client sent ahead of the answer.
    const early = this.#pipelined.take();
    tunnel.fromClient(early, 0, early.length);
    if (this.#ended) tunnel.clientEnded();
  }

  #next(): void {
    if (!this.#pipelined.isEmpty && this.#phase === 'head') this.#consumePipelined();
    if (this.#ended && this.isIdle && this.#pipelined.isEmpty) this.#linger();
  }

  #settleKeepAlive(): void {
    const { draining, leaving: left } = this.#runtime;
    const leaving = this.#retired || left || (draining && this.#from.direction !== 'outbound');
    if (this.#bodyInDoubt || leaving) this.#answer.keepAlive = false;
  }

  // Ends.

  #reject(rejection: Rejection): void {
    this.#runtime.telemetry.rejected('request', rejection.cause);
    accountRefused(this.#runtime, this.#from, rejection.status, this.#http.accessLog);
    this.#answer.keepAlive = false;
    this.#answer.own(rejection.status, rejection.cause, '');
    this.#linger();
  }

  #badBody(rejection: Rejection): void {
    this.#runtime.telemetry.rejected('request', rejection.cause);
    this.#answer.keepAlive = false;
    if (this.#exchange === undefined) this.#linger();
    else this.#exchange.giveUp(rejection.status, rejection.status === 408 ? 'DT' : 'DPE', rejection.cause);
  }

  #linger(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'lingering';
    this.#heads.forget();
    this.#pipelined.clear();
    this.#outbox.flush();
    this.socket.end();
    this.socket.resume();
    this.#runtime.wheel.set(this.#idleAlarm, this.#runtime.clock.monotonic(), LINGER_MS);
    if (this.#ended) this.socket.destroySoon();
  }

  #clientEnded(): void {
    this.#ended = true;
    this.#outbox.flush();
    switch (this.#phase) {
      case 'head':
        // What waits for the client to read is still answered.
        if (this.#pipelined.isEmpty) this.socket.destroySoon();
        break;
      case 'discarding':
      case 'lingering':
        this.socket.destroySoon();
        break;
      case 'receiving':
        // The body will never be whole (RFC 9112 section 8).
        this.close();
        break;
      case 'tunnel':
        this.#tunnel?.clientEnded();
        break;
      case 'answering':
        // A client that ends its side may still read (RFC 9112 section 9.6 lets it), and then gets its answer. Our own
        // proxies never do that: their end means that nobody waits any more, and the application should know.
        if (this.#from.direction === 'inbound') this.close();
        break;
      case 'http2':
        this.#successor?.socketEnded();
        break;
      case 'closed':
        break;
      default:
        this.#phase satisfies never;
    }
  }

  #drained(): void {
    this.#successor?.socketDrained();
    if (this.#exchange === undefined) this.#next();
    else this.#exchange.clientDrained();
  }

  /** One alarm for every kind of standstill: which one it is, is asked when it rings. */
  #idleAlarmed(): void {
    const now = this.#runtime.clock.monotonic();
    if (this.#phase === 'lingering') this.close();
    else if (this.#phase === 'head' && this.#heads.isWithin) {
      if (this.#rearmed(now, this.#headSinceMs + this.#http.headerTimeoutMs)) return;
      this.#reject(HEAD_TIMEOUT);
    } else if (this.#exchange === undefined) {
      if (this.#rearmed(now, this.#quietSinceMs + this.#http.idleTimeoutMs)) return;
      this.#linger();
    } else this.#lookAt(this.#exchange, now);
  }

  #lookAt(exchange: Exchange, nowMs: number): void {
    const movement = this.#movement.look(exchange, this.#phase === 'receiving' ? 'coming' : 'come', nowMs);
    if (movement.kind === 'moves') this.#rearmed(nowMs, movement.dueMs);
    else if (movement.kind === 'trickles' || this.#phase === 'receiving') this.#badBody(BODY_TIMEOUT);
    else if (this.#phase === 'tunnel') this.close();
    else {
      exchange.giveUp(504, 'UT', 'nothing moved for too long');
      this.#rearmed(nowMs, nowMs + this.#http.idleTimeoutMs);
    }
  }

  #rearmed(nowMs: number, dueMs: number): boolean {
    if (dueMs <= nowMs || this.#phase === 'closed') return false;
    this.#runtime.wheel.set(this.#idleAlarm, nowMs, dueMs - nowMs);
    return true;
  }
}

/** RFC 9112 section 6.3, for requests: without a word about it there is no body. */
function requestFraming(head: RequestHead): Framing {
  if (head.fields.chunked) return 'chunked';
  return head.fields.contentLength > 0 ? 'length' : 'none';
}
