import { callKind } from '../grpc/call-kind.ts';
import { BodyRate } from '../http1/body-rate.ts';
import type { Framing } from '../http1/body-reader.ts';
import { MAX_HEADERS } from '../http1/limits.ts';
import { type OwnAnswer, ownHeadLines } from '../http1/own-answer.ts';
import { BODY_TIMEOUT, CONNECT_REFUSED, type Rejection, TOO_MANY_FIELDS } from '../http1/rejection.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { CompiledEdits } from '../route/header-edits.ts';
import { offersConnect, planRequest } from '../route/plan.ts';
import type { Tunnel } from '../socket/tunnel.ts';
import type { TunnelEnd } from '../socket/tunnel-end.ts';
import type { Client, OwnReply } from '../upstream/client.ts';
import { Exchange } from '../upstream/exchange.ts';
import { INTERNAL_ERROR, PROTOCOL_ERROR } from './frame.ts';
import type { FieldSink } from './hpack/decoder.ts';
import { encodeLines } from './hpack/encoder.ts';
import { encodeOwnHead, encodeResponse } from './render.ts';
import type { ServerConnection } from './server-connection.ts';
import type { Stream, StreamUser } from './stream.ts';
import { StreamEnd } from './stream-end.ts';
import { TrailerFields } from './trailer-fields.ts';

const NOTHING = Buffer.alloc(0);
const NOT_TO_CONNECT: ReadonlySet<string> = new Set(['sec-websocket-accept']);

/** One request of an HTTP/2 client, and its answer. */
export class ServerStream implements Client, StreamUser {
  readonly protocol = 'http2';
  /** Monotonic time at which the route's time is over; Infinity when it has none. */
  dueMs = Number.POSITIVE_INFINITY;
  /** What the exchange's progress was when the connection last looked. */
  seenProgress = -1;
  readonly #connection: ServerConnection;
  readonly #stream: Stream;
  #exchange: Exchange | undefined = undefined;
  #isHead = false;
  #trailers: TrailerFields | undefined = undefined;
  /** At the edge, of a body that is to be whole before its answer begins. */
  #bodyRate: BodyRate | undefined = undefined;
  /** The client waits with its body for a word of the upstream's (Expect: 100-continue). */
  #bodyInDoubt = false;
  /** Of a CONNECT, extended or not. */
  #end: StreamEnd | undefined = undefined;
  #tunnel: Tunnel | undefined = undefined;

  constructor(connection: ServerConnection, stream: Stream) {
    this.#connection = connection;
    this.#stream = stream;
  }

  get progress(): number {
    return this.#exchange?.progress ?? 0;
  }

  get tunnelEnd(): TunnelEnd | undefined {
    return this.#end;
  }

  /** The stream has come to its end: so has what it carried. */
  closed(): void {
    if (this.#tunnel !== undefined) this.abandoned();
  }

  /** When the body is to be looked at again. */
  bodyDueMs(nowMs: number): number {
    const [rate, exchange] = [this.#bodyRate, this.#exchange];
    if (rate === undefined || exchange === undefined) return Number.POSITIVE_INFINITY;
    return rate.dueMs(exchange.bytesIn, nowMs);
  }

  /** As bodies of HTTP/1.1 (http1/body-rate.ts): ends one that trickles. */
  hurry(nowMs: number): void {
    const [rate, exchange] = [this.#bodyRate, this.#exchange];
    if (rate === undefined || exchange === undefined) return;
    if (this.#connection.session.isStarving) {
      // It may not send: its time begins anew.
      this.#watchBody(nowMs);
      return;
    }
    if (rate.dueMs(exchange.bytesIn, nowMs) > nowMs) return;
    this.#bodyRate = undefined;
    this.#connection.runtime.telemetry.rejected('request', BODY_TIMEOUT.cause);
    exchange.giveUp(BODY_TIMEOUT.status, 'DT', BODY_TIMEOUT.cause);
  }

  giveUp(body: string): void {
    this.#exchange?.giveUp(504, 'UT', body);
  }

  /** The connection is gone. */
  abandoned(): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.clientGone();
  }

  // What the session tells.

  fieldSink(block: 'head' | 'trailers'): FieldSink {
    if (block === 'trailers') {
      this.#trailers = new TrailerFields();
      return this.#trailers;
    }
    const { requestFields, runtime } = this.#connection;
    requestFields.start(runtime.requestHead);
    return requestFields;
  }

  head(last: boolean): 'sound' | 'malformed' {
    const { requestFields, runtime, from, http } = this.#connection;
    this.#stream.headSeen = true;
    const verdict = requestFields.finish(last);
    if (verdict === 'malformed') {
      this.#connection.refused('malformed-http2-fields', 0);
      return 'malformed';
    }
    const { requestHead } = runtime;
    this.#isHead = requestHead.method === 'HEAD';
    if (verdict !== 'sound') this.#reject(verdict);
    else if (requestHead.fields.count > MAX_HEADERS && from.direction !== 'inbound') this.#reject(TOO_MANY_FIELDS);
    else if (requestHead.method === 'CONNECT' && !offersConnect(runtime, http, from, requestHead, 'http2'))
      this.#reject(CONNECT_REFUSED);
    else this.#begin(requestHead, last);
    return 'sound';
  }

  data(from: Buffer, start: number, end: number): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    if (this.#tunnel !== undefined) this.#tunnel.fromClient(from, start, end);
    else if (this.#end !== undefined) this.#end.keep(from, start, end);
    else {
      exchange.upload(from, start, end);
      exchange.flushUpload();
    }
  }

  ended(): void {
    this.#bodyRate = undefined;
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    if (this.#end !== undefined) {
      this.#tunnel?.clientEnded();
      return;
    }
    if (this.#trailers?.malformed === true) {
      this.#connection.refused('malformed-http2-fields', 0);
      this.#connection.session.reset(this.#stream, PROTOCOL_ERROR, 'peer');
      this.abandoned();
      return;
    }
    exchange.uploadDone(this.#trailers?.lines ?? '');
    exchange.flushUpload();
  }

  reset(): void {
    this.abandoned();
  }

  drained(): void {
    if (!this.flush()) return;
    if (this.#tunnel === undefined) this.#exchange?.clientDrained();
    else this.#tunnel.clientDrained();
  }

  #begin(head: RequestHead, last: boolean): void {
    const { runtime, from, http } = this.#connection;
    this.#stream.expectedBytes = head.fields.contentLength;
    const exchange = new Exchange(runtime, this, from, http.accessLog, head);
    this.#exchange = exchange;
    if (head.extendedConnect || head.method === 'CONNECT') this.#expectTunnel();
    exchange.begin(planRequest(runtime, http, from, head));
    if (this.#end !== undefined) {
      exchange.uploadDone('');
      exchange.flushUpload();
      return;
    }
    // A request that is whole is told of in `ended`, right after this.
    if (last || this.#exchange !== exchange) return;
    // A call of gRPC has no end of its own, and no rate.
    if (from.direction === 'ingress' && callKind(head.fields) === 'none') {
      this.#bodyInDoubt = head.expectsContinue;
      this.#watchBody(runtime.clock.monotonic());
    }
    exchange.flushUpload();
  }

  #watchBody(nowMs: number): void {
    const rate = new BodyRate(nowMs);
    this.#bodyRate = rate;
    if (this.#bodyInDoubt || this.#stream.paused) rate.hold(nowMs);
    this.#connection.deadline(nowMs, rate.dueMs(0, nowMs));
  }

  /** Until the application has agreed, no more may come than the stream's window has room for. */
  #expectTunnel(): void {
    this.#end = new StreamEnd(this.#connection.session, this.#stream);
    this.#end.pause();
  }

  #reject(rejection: Rejection): void {
    this.#connection.refused(rejection.cause, rejection.status);
    this.#answerOwn(rejection.status, rejection.cause, '');
  }

  // What the exchange asks for.

  answer({ status, reason, body, fields }: OwnReply, nowMs: number): void {
    const told = reason !== '' && this.#connection.from.direction === 'inbound';
    this.#answerOwn(status, body, told ? `${fields}x-tutti-reason: ${reason}\r\n` : fields);
    this.endResponse(nowMs, '');
  }

  interim(head: ResponseHead): void {
    this.#bodyInDoubt = false;
    this.#bodyRate?.release(this.#connection.runtime.clock.monotonic());
    this.#connection.session.sendHead(this.#stream, encodeResponse(head, undefined), false);
  }

  startResponse(head: ResponseHead, framing: Framing, edits: CompiledEdits | undefined): void {
    // From here on both may wait for each other's words: a conversation.
    this.#bodyRate = undefined;
    if (head.status === 101) {
      // RFC 8441 section 5: the answer to CONNECT, which needs no proof of having been understood.
      head.fields.removeNames(NOT_TO_CONNECT);
      this.#connection.session.sendHead(this.#stream, encodeResponse(head, edits, 200), false);
      return;
    }
    this.#stream.isTunnel = false;
    const length = head.fields.contentLength;
    const empty = framing === 'none' || (framing === 'length' && length === 0);
    this.#connection.session.sendHead(this.#stream, encodeResponse(head, edits), empty);
  }

  body(from: Buffer, start: number, end: number): void {
    this.#connection.session.sendData(this.#stream, from, start, end);
  }

  flush(): boolean {
    return this.#stream.queuedBytes === 0 && !this.#connection.isBlocked;
  }

  endResponse(_nowMs: number, trailers: string): void {
    this.#exchange = undefined;
    this.#connection.session.sendEnd(this.#stream, encodeLines(trailers));
    this.#connection.session.resume(this.#stream);
    this.#connection.answered();
  }

  abort(): void {
    this.#exchange = undefined;
    this.#connection.session.reset(this.#stream, INTERNAL_ERROR, 'own');
  }

  pauseUpload(): void {
    this.#bodyRate?.hold(this.#connection.runtime.clock.monotonic());
    this.#connection.session.pause(this.#stream);
  }

  resumeUpload(): void {
    if (!this.#bodyInDoubt) this.#bodyRate?.release(this.#connection.runtime.clock.monotonic());
    this.#connection.session.resume(this.#stream);
  }

  startRequestTimeout(nowMs: number, timeoutMs: number): void {
    this.dueMs = nowMs + timeoutMs;
    this.#connection.deadline(nowMs, this.dueMs);
  }

  stopRequestTimeout(): void {
    this.dueMs = Number.POSITIVE_INFINITY;
  }

  joinTunnel(tunnel: Tunnel, establish: 'established' | 'establish'): void {
    if (establish === 'establish') this.#connection.session.sendHead(this.#stream, encodeOwnHead(200, ''), false);
    this.#tunnel = tunnel;
    const early = this.#end?.take() ?? NOTHING;
    tunnel.fromClient(early, 0, early.length);
    if (this.#stream.remoteEnded) tunnel.clientEnded();
  }

  #answerOwn(status: number, body: string, fields: string): void {
    this.#stream.isTunnel = false;
    const answer: OwnAnswer = { status, body, fields, withoutBody: this.#isHead };
    const { lines, bytes } = ownHeadLines(answer);
    const { session } = this.#connection;
    session.sendHead(this.#stream, encodeOwnHead(status, lines), bytes === '');
    if (bytes === '') return;
    session.sendData(this.#stream, Buffer.from(bytes, 'latin1'), 0, bytes.length);
    session.sendEnd(this.#stream, '');
  }
}
