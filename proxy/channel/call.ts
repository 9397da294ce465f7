import { grpcStatusOfHttp, parseGrpcStatus } from '../grpc/status.ts';
import { CANCEL, ENHANCE_YOUR_CALM, NO_ERROR, REFUSED_STREAM } from '../http2/frame.ts';
import type { FieldSink } from '../http2/hpack/decoder.ts';
import { encodeField, METHOD_POST, SCHEME_HTTP, SCHEME_HTTPS } from '../http2/hpack/encoder.ts';
import type { Field } from '../http2/hpack/field.ts';
import type { Session } from '../http2/session.ts';
import type { Stream, StreamUser } from '../http2/stream.ts';
import { CallError } from './call-error.ts';
import { MessageCutter, withPrefix } from './message-cutter.ts';

/** A method, as far as its caller goes; grpc-js' method definitions are such. */
export interface Method<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (message: Request) => Uint8Array;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/** A call with a stream in one direction or in both. */
export interface Call<Request, Response> {
  onMessage(listener: (message: Response) => void): void;
  /** Once: undefined when the server ended it with status 0. Not told of a `cancel` either way but as an error. */
  onEnd(listener: (error: CallError | undefined) => void): void;
  write(message: Request): void;
  /** The client has said all. */
  end(): void;
  /** No more is asked for; what is on its way, at most a window of it, still comes. */
  pause(): void;
  resume(): void;
  cancel(): void;
}

// gRPC's statuses that a client makes itself (statuscodes.md).
const CANCELLED = 1;
const UNKNOWN = 2;
const RESOURCE_EXHAUSTED = 8;
const INTERNAL = 13;
export const UNAVAILABLE = 14;

/** The largest state that a mesh of ours sends at once. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const MAX_HEAD_BYTES = 64 * 1024;

export interface CallSetup {
  readonly session: Session;
  readonly authority: string;
  readonly scheme: 'http' | 'https';
  readonly metadata: Readonly<Record<string, string>>;
}

/** One call on a channel: messages out, messages in, and the status at its end. */
export class ClientCall<Request, Response> implements Call<Request, Response>, StreamUser, FieldSink {
  readonly #method: Method<Request, Response>;
  readonly #setup: CallSetup;
  readonly #cutter = new MessageCutter(MAX_MESSAGE_BYTES);
  #stream: Stream | undefined = undefined;
  /** What was written before the connection was there. */
  #early: Request[] = [];
  #isDone: 'open' | 'half' = 'open';
  #isOver = false;
  #status = 0;
  #contentType = '';
  #grpcStatus: string | undefined = undefined;
  #grpcMessage = '';
  #fieldBytes = 0;
  #onMessage: (message: Response) => void = () => undefined;
  #onEnd: (error: CallError | undefined) => void = () => undefined;

  constructor(method: Method<Request, Response>, setup: CallSetup) {
    this.#method = method;
    this.#setup = setup;
  }

  // What its user asks for.

  onMessage(listener: (message: Response) => void): void {
    this.#onMessage = listener;
  }

  onEnd(listener: (error: CallError | undefined) => void): void {
    this.#onEnd = listener;
  }

  write(message: Request): void {
    if (this.#isOver) return;
    if (this.#stream === undefined) this.#early.push(message);
    else {
      const bytes = withPrefix(this.#method.requestSerialize(message));
      this.#setup.session.sendData(this.#stream, bytes, 0, bytes.length);
    }
  }

  end(): void {
    this.#isDone = 'half';
    if (this.#stream !== undefined) this.#setup.session.sendEnd(this.#stream, '');
  }

  pause(): void {
    if (this.#stream !== undefined) this.#setup.session.pause(this.#stream);
  }

  resume(): void {
    if (this.#stream !== undefined) this.#setup.session.resume(this.#stream);
  }

  cancel(): void {
    this.#giveUp(CANCEL, new CallError(CANCELLED, 'cancelled by the client'));
  }

  // What the channel tells.

  /** The connection is there. */
  begin(): void {
    if (this.#isOver) return;
    const { session, scheme, authority, metadata } = this.#setup;
    const stream = session.open(this);
    this.#stream = stream;
    let block = METHOD_POST + (scheme === 'https' ? SCHEME_HTTPS : SCHEME_HTTP);
    block += encodeField(':path', this.#method.path) + encodeField(':authority', authority);
    block += encodeField('te', 'trailers') + encodeField('content-type', 'application/grpc');
    for (const [name, value] of Object.entries(metadata)) block += encodeField(name, value);
    session.sendHead(stream, block, false);
    for (const message of this.#early.splice(0)) this.write(message);
    if (this.#isDone === 'half') this.end();
  }

  /** There is no connection any more, or there never was one. */
  failed(error: CallError): void {
    this.#finish(error);
  }

  // What the session tells.

  fieldSink(_block: 'head' | 'trailers'): FieldSink {
    return this;
  }

  field({ name, value, pseudo, sound, size }: Field): void {
    this.#fieldBytes += size;
    if (!sound || this.#fieldBytes > MAX_HEAD_BYTES) return;
    if (pseudo === 'status') this.#status = Number(value);
    else if (name === 'content-type') this.#contentType = value;
    else if (name === 'grpc-status') this.#grpcStatus = value;
    else if (name === 'grpc-message') this.#grpcMessage = value;
  }

  head(last: boolean): 'sound' | 'malformed' {
    if (this.#stream === undefined || !(this.#status >= 100 && this.#status < 600)) return 'malformed';
    if (this.#status < 200) return last ? 'malformed' : 'sound';
    this.#stream.headSeen = true;
    if (last) return 'sound';
    if (this.#status !== 200) {
      this.#giveUp(CANCEL, new CallError(grpcStatusOfHttp(this.#status), `HTTP status ${this.#status}`));
    } else if (!/^application\/grpc(?:[+;]|$)/.test(this.#contentType)) {
      this.#giveUp(CANCEL, new CallError(UNKNOWN, `content type "${this.#contentType}": wanted application/grpc`));
    }
    return 'sound';
  }

  data(from: Buffer, start: number, end: number): void {
    if (this.#isOver) return;
    const fault = this.#cutter.take(from, start, end, (message) => this.#message(message));
    if (fault !== undefined) this.#giveUp(CANCEL, new CallError(RESOURCE_EXHAUSTED, fault));
  }

  #message(bytes: Buffer): void {
    if (this.#isOver) return;
    let message: Response;
    try {
      message = this.#method.responseDeserialize(bytes);
    } catch (error) {
      this.#giveUp(CANCEL, new CallError(INTERNAL, `a message cannot be read: ${(error as Error).message}`));
      return;
    }
    this.#onMessage(message);
  }

  ended(): void {
    // What the request has left to say is of no use any more.
    if (this.#stream?.closed === false) this.#setup.session.reset(this.#stream, NO_ERROR, 'own');
    this.#finish(this.#outcome());
  }

  #outcome(): CallError | undefined {
    if (this.#grpcStatus === undefined) {
      if (this.#status === 200) return new CallError(UNKNOWN, 'the call ended without a status');
      return new CallError(grpcStatusOfHttp(this.#status), `HTTP status ${this.#status}`);
    }
    const code = parseGrpcStatus(this.#grpcStatus);
    if (code !== 0) return new CallError(code, unescaped(this.#grpcMessage));
    return this.#cutter.isBetweenMessages ? undefined : new CallError(INTERNAL, 'the call ended within a message');
  }

  reset(code: number, by: 'peer' | 'session'): void {
    const who = by === 'peer' ? 'the server' : 'a breach of HTTP/2';
    this.#finish(new CallError(statusOfReset(code), `the stream was reset by ${who}, code ${code}`));
  }

  drained(): void {
    // Requests are few and small: what waits for windows is the session's.
  }

  #giveUp(code: number, error: CallError): void {
    if (this.#stream?.closed === false) this.#setup.session.reset(this.#stream, code, 'own');
    this.#finish(error);
  }

  #finish(error: CallError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#early = [];
    this.#onEnd(error);
  }
}

/** PROTOCOL-HTTP2.md, "Errors". */
function statusOfReset(code: number): number {
  if (code === REFUSED_STREAM) return UNAVAILABLE;
  if (code === CANCEL) return CANCELLED;
  return code === ENHANCE_YOUR_CALM ? RESOURCE_EXHAUSTED : INTERNAL;
}

/** `grpc-message` is percent-encoded UTF-8; what is not stays as it is. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
