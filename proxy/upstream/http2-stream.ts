import type { EndpointState } from '../cluster/endpoint-state.ts';
import { ORDINARY } from '../http1/field-kind.ts';
import { MAX_INTERIM_RESPONSES } from '../http1/limits.ts';
import type { Rejection } from '../http1/rejection.ts';
import { NO_EXTENDED_CONNECT, TOO_MANY_INTERIM } from '../http1/rejection.ts';
import { responseFraming } from '../http1/response-framing.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import { websocketAccept } from '../http1/websocket-key.ts';
import { CANCEL, NO_ERROR, PROTOCOL_ERROR, REFUSED_STREAM } from '../http2/frame.ts';
import type { FieldSink } from '../http2/hpack/decoder.ts';
import { encodeLines } from '../http2/hpack/encoder.ts';
import { encodeRequest } from '../http2/render.ts';
import type { Stream, StreamUser } from '../http2/stream.ts';
import { StreamEnd } from '../http2/stream-end.ts';
import { TrailerFields } from '../http2/trailer-fields.ts';
import type { Tunnel } from '../socket/tunnel.ts';
import type { TunnelEnd } from '../socket/tunnel-end.ts';
import type { Carrier, CarrierUser, OutgoingHead } from './carrier.ts';
import type { Http2Connection } from './http2-connection.ts';

/** Another's would mean nothing to the client: its own handshake, if it has one, is answered by us. */
const HANDSHAKE: ReadonlySet<string> = new Set(['sec-websocket-accept']);

/** One request on an HTTP/2 connection to an endpoint. */
export class Http2Stream implements Carrier, StreamUser {
  user: CarrierUser | undefined;
  /** Monotonic time at which this try is over; Infinity when it may take as long as it likes. */
  dueMs = Number.POSITIVE_INFINITY;
  readonly #connection: Http2Connection;
  /** The connection had served requests before, so the server may just have tired of it. */
  readonly #reused: boolean;
  #stream: Stream | undefined = undefined;
  /** Monotonic time at which the head was sent. */
  #sentAtMs: number | undefined = undefined;
  #answered = false;
  #discarding = false;
  #interim = 0;
  #trailers: TrailerFields | undefined = undefined;
  /** Of a stream that is to be a tunnel. */
  #end: StreamEnd | undefined = undefined;
  #tunnel: Tunnel | undefined = undefined;
  #websocketKey = '';

  constructor(connection: Http2Connection, user: CarrierUser, reused: boolean) {
    this.#connection = connection;
    this.user = user;
    this.#reused = reused;
  }

  /** The connection is ready for it. */
  begin(): void {
    const { session, purpose } = this.#connection;
    this.#stream = session.open(this);
    if (purpose === 'tunnel') this.#end = new StreamEnd(session, this.#stream);
  }

  carries(stream: Stream): boolean {
    return this.#stream === stream;
  }

  // What the exchange asks for.

  get endpoint(): EndpointState {
    return this.#connection.endpoint;
  }

  get isConnecting(): boolean {
    return this.#connection.isConnecting;
  }

  get tunnelEnd(): TunnelEnd | undefined {
    return this.#end;
  }

  sendHead(head: OutgoingHead): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    const isTunnel = this.#end !== undefined;
    this.#websocketKey = head.websocketKey;
    this.#sentAtMs = this.#connection.runtime.clock.monotonic();
    const { scheme } = this.#connection;
    const block = encodeRequest(head.text, {
      scheme,
      acceptsTrailers: head.acceptsTrailers,
      protocol: isTunnel ? 'websocket' : '',
    });
    this.#connection.session.sendHead(stream, block, head.bodyBytes === 0 && !isTunnel);
  }

  sendBody(from: Buffer, start: number, end: number, text: string | undefined): void {
    if (this.#stream !== undefined) this.#connection.session.sendData(this.#stream, from, start, end, text);
  }

  sendText(text: string): void {
    if (text !== '') this.sendBody(Buffer.from(text, 'latin1'), 0, text.length, text);
  }

  sendEnd(trailers: string): void {
    // A tunnel's end is the tunnel's to send.
    if (this.#stream !== undefined && this.#end === undefined)
      this.#connection.session.sendEnd(this.#stream, encodeLines(trailers));
  }

  flush(): boolean {
    return (this.#stream?.queuedBytes ?? 0) === 0 && !this.#connection.isBlocked;
  }

  awaitHead(nowMs: number, timeoutMs: number): void {
    if (timeoutMs <= 0 || this.#answered) return;
    this.dueMs = nowMs + timeoutMs;
    this.#connection.deadline(nowMs, this.dueMs);
  }

  pause(): void {
    if (this.#stream !== undefined) this.#connection.session.pause(this.#stream);
  }

  resume(): void {
    if (this.#stream !== undefined) this.#connection.session.resume(this.#stream);
  }

  close(): void {
    this.user = undefined;
    this.#tunnel = undefined;
    if (this.#sentAtMs !== undefined && !this.#answered) this.#connection.doubt(this.#sentAtMs);
    this.#giveUp(CANCEL);
  }

  joinTunnel(tunnel: Tunnel): void {
    this.#tunnel = tunnel;
  }

  // What the connection tells.

  timedOut(): void {
    const { user } = this;
    this.close();
    user?.tryFailed({ kind: 'try-timeout' }, 'no answer within the time of one try');
  }

  connectionFailed(phase: 'connecting' | 'open', message: string): void {
    const { user } = this;
    this.user = undefined;
    if (this.#tunnel !== undefined) this.#tunnel.upstreamClosed();
    else if (phase === 'connecting') user?.tryFailed({ kind: 'connect' }, message);
    else this.#broke(user, message, 'may have reached it');
  }

  connectionUnfit(): void {
    const { user } = this;
    this.user = undefined;
    user?.carrierUnfit();
  }

  tunnelNotOffered(): void {
    const { user } = this;
    this.user = undefined;
    this.#connection.runtime.telemetry.rejected('response', NO_EXTENDED_CONNECT.cause);
    user?.brokenAnswer(NO_EXTENDED_CONNECT);
  }

  /** Both sides of the tunnel have ended, or either has cut it off. */
  closed(): void {
    const stream = this.#stream;
    if (stream?.localEnded !== true || !stream.remoteEnded) this.#connection.gaveUp();
    this.#leave();
  }

  // What the session tells.

  fieldSink(block: 'head' | 'trailers'): FieldSink {
    if (block === 'trailers') {
      this.#trailers = new TrailerFields();
      return this.#trailers;
    }
    const { responseFields, runtime } = this.#connection;
    responseFields.start(runtime.responseHead, this.#end === undefined ? 'request' : 'tunnel');
    return responseFields;
  }

  head(last: boolean): 'sound' | 'malformed' {
    const { user } = this;
    const stream = this.#stream;
    if (user === undefined || stream === undefined) return 'sound';
    const head = this.#connection.runtime.responseHead;
    const bodiless = user.method === 'HEAD' || head.status === 204 || head.status === 304;
    const fault = this.#connection.responseFields.finish(last, bodiless);
    if (fault !== undefined) return this.#refuse(user, fault);
    if (head.status < 200 && head.status !== 101) {
      if (++this.#interim > MAX_INTERIM_RESPONSES) return this.#refuse(user, TOO_MANY_INTERIM);
      user.interim(head);
      return 'sound';
    }
    stream.headSeen = true;
    this.#answered = true;
    this.dueMs = Number.POSITIVE_INFINITY;
    if (head.status === 101) return this.#establish(user, head);
    if (this.#end !== undefined) this.#noTunnel(stream);
    if (head.fields.contentLength >= 0) stream.expectedBytes = bodiless ? 0 : head.fields.contentLength;
    const told = responseFraming(head, user.method);
    const framing = last || told === 'none' ? 'none' : told === 'length' ? 'length' : 'chunked';
    if (user.answered(head, framing) === 'discard') {
      this.#discarding = true;
      this.user = undefined;
      if (!last) this.#giveUp(CANCEL);
    } else user.flushDownload();
    return 'sound';
  }

  /** To the engine it is a switch, as an HTTP/1.1 application would have answered. */
  #establish(user: CarrierUser, head: ResponseHead): 'sound' {
    head.fields.removeNames(HANDSHAKE);
    const accept = `sec-websocket-accept: ${websocketAccept(this.#websocketKey)}\r\n`;
    const fault = head.fields.add(accept, 'sec-websocket-accept'.length, ORDINARY);
    if (fault !== undefined) return this.#refuse(user, fault);
    user.answered(head, 'none');
    return 'sound';
  }

  /** The answer is an ordinary one: so was the request. */
  #noTunnel(stream: Stream): void {
    this.#end = undefined;
    stream.isTunnel = false;
    this.#connection.session.sendEnd(stream, '');
  }

  data(from: Buffer, start: number, end: number): void {
    if (this.#tunnel !== undefined) {
      this.#tunnel.fromUpstream(from, start, end);
      return;
    }
    const { user } = this;
    if (user === undefined) return;
    user.download(from, start, end);
    user.flushDownload();
  }

  ended(): void {
    if (this.#tunnel !== undefined) {
      this.#tunnel.upstreamEnded();
      return;
    }
    const { user } = this;
    if (user === undefined) {
      this.#leave();
      return;
    }
    if (this.#trailers?.malformed === true) {
      this.user = undefined;
      this.#giveUp(PROTOCOL_ERROR);
      user.truncated('the trailers are malformed');
      return;
    }
    this.user = undefined;
    // Its answer is whole: the rest of the request is of no use any more.
    if (user.requestDone) this.#leave();
    else this.#giveUp(NO_ERROR);
    user.responseComplete(this.#trailers?.lines ?? '');
  }

  reset(code: number, by: 'peer' | 'session'): void {
    const { user } = this;
    this.user = undefined;
    this.#leave();
    if (this.#tunnel !== undefined) {
      this.#tunnel.upstreamClosed();
      return;
    }
    const untouched = by === 'peer' && code === REFUSED_STREAM;
    this.#broke(user, `the stream was reset with code ${code}`, untouched ? 'did not reach it' : 'may have reached it');
  }

  drained(): void {
    if (!this.flush()) return;
    if (this.#tunnel === undefined) this.user?.upstreamDrained();
    else this.#tunnel.upstreamDrained();
  }

  #broke(user: CarrierUser | undefined, message: string, reached: 'did not reach it' | 'may have reached it'): void {
    if (this.#answered) {
      if (!this.#discarding) user?.truncated(message);
      return;
    }
    const untouched = reached === 'did not reach it' || this.#sentAtMs === undefined;
    user?.tryFailed({ kind: 'reset', written: !untouched, reused: this.#reused }, message);
  }

  #refuse(user: CarrierUser, fault: Rejection): 'sound' {
    this.user = undefined;
    this.#connection.runtime.telemetry.rejected('response', fault.cause);
    this.#giveUp(PROTOCOL_ERROR);
    user.brokenAnswer(fault);
    return 'sound';
  }

  #giveUp(code: number): void {
    const stream = this.#stream;
    if (stream !== undefined) this.#connection.session.reset(stream, code, 'own');
    this.#leave();
    if (stream !== undefined) this.#connection.gaveUp();
  }

  #leave(): void {
    this.#connection.left(this);
  }
}
