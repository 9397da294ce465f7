import { MAX_HEAD_BYTES } from '../http1/limits.ts';
import { FloodGuard } from './flood-guard.ts';
import {
  ACK,
  COMPRESSION_ERROR,
  DEFAULT_WINDOW_BYTES,
  ENABLE_CONNECT_PROTOCOL,
  ENABLE_PUSH,
  END_STREAM,
  ENHANCE_YOUR_CALM,
  FLOW_CONTROL_ERROR,
  frameHeader,
  goAwayFrame,
  MAX_CONCURRENT_STREAMS,
  MAX_HEADER_LIST_SIZE,
  MAX_STREAM_ID,
  MAX_WINDOW_BYTES,
  NO_ERROR,
  PING,
  PREFACE,
  PROTOCOL_ERROR,
  REFUSED_STREAM,
  resetFrame,
  SETTINGS_ACK,
  STREAM_CLOSED,
  settingsFrame,
  windowFrame,
} from './frame.ts';
import { FrameParser, type FrameReceiver, type WireBlock } from './frame-parser.ts';
import { type FieldSink, HpackDecoder } from './hpack/decoder.ts';
import { Incoming } from './incoming.ts';
import { CONNECTION_WINDOW_BYTES, MAX_STREAMS, MAX_TABLE_BYTES } from './limits.ts';
import { Outgoing, type OutgoingEvents, type SessionOut } from './outgoing.ts';
import { PeerSettings } from './settings.ts';
import { Stream, type StreamUser } from './stream.ts';
import { StreamNumbers } from './stream-numbers.ts';

export interface SessionEvents {
  /** A peer's new stream. */
  opened(stream: Stream): StreamUser;
  /** The peer has said what it takes: its first SETTINGS. */
  greeted(): void;
  /** A stream is over, whichever way. */
  closed(stream: Stream): void;
  /** The peer takes no streams above `lastStreamId`. */
  goingAway(lastStreamId: number, code: number): void;
  /** The connection cannot go on; the GOAWAY that says why has been written. */
  failed(code: number, why: string): void;
  /** Something was written; `settle` before it leaves. */
  wrote(): void;
}

const CLIENT_SETTINGS = [[ENABLE_PUSH, 0]] as const;
const SERVER_SETTINGS = [
  [MAX_CONCURRENT_STREAMS, MAX_STREAMS],
  [ENABLE_CONNECT_PROTOCOL, 1],
] as const;

const NOWHERE: FieldSink = { field: () => undefined };

/**
 * One HTTP/2 connection without its socket (RFC 9113): bytes in, bytes out, streams between. Knows frames, windows, limits and the life of
 * streams; what a head means is its users' business. Either side of a connection.
 */
export class Session implements FrameReceiver, OutgoingEvents {
  readonly role: 'server' | 'client';
  readonly #peer = new PeerSettings();
  readonly #outgoing: Outgoing;
  readonly #incoming: Incoming;
  readonly #flood = new FloodGuard();
  readonly #events: SessionEvents;
  readonly #parser: FrameParser;
  readonly #decoder = new HpackDecoder(MAX_TABLE_BYTES);
  readonly #streams = new Map<number, Stream>();
  readonly #numbers: StreamNumbers;
  #failed = false;
  #greeted = false;
  #nowMs = 0;
  #feeding = false;
  /** Answered within this read before their request had ended: if its end is in the read too, all is well. */
  readonly #answeredEarly: Stream[] = [];

  constructor(role: 'server' | 'client', out: SessionOut, events: SessionEvents) {
    this.role = role;
    this.#numbers = new StreamNumbers(role);
    this.#outgoing = new Outgoing(out, this.#peer, this);
    this.#incoming = new Incoming(this.#outgoing);
    this.#events = events;
    this.#parser = new FrameParser(role, this);
  }

  /** How many streams the peer takes at once. */
  get peerMaxStreams(): number {
    return this.#peer.maxStreams;
  }

  /** The peer takes WebSockets (RFC 8441). Known once it has greeted. */
  get peerTakesExtendedConnect(): boolean {
    return this.#peer.takesExtendedConnect;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  /** The peer takes less than it is sent. */
  get isBlocked(): boolean {
    return this.#outgoing.isBlocked;
  }

  get hasFailed(): boolean {
    return this.#failed;
  }

  /** Waits for bytes that must come soon: the preface, the rest of a frame or of a header block. */
  get isWithinSomething(): boolean {
    return this.#parser.isWithinSomething;
  }

  /** A header block goes on in a frame that has not come. */
  get isWithinBlock(): boolean {
    return this.#parser.isWithinBlock;
  }

  /** Whole frames so far. */
  get frames(): number {
    return this.#parser.frames;
  }

  /** The peer may send hardly anything, because of what we hold back. */
  get isStarving(): boolean {
    return this.#incoming.isStarving;
  }

  /** A client's side may open no more streams than a connection has numbers for. */
  get isExhausted(): boolean {
    return this.#numbers.isExhausted;
  }

  /** Says hello; to be called once, first. */
  start(): void {
    if (this.role === 'client') this.#outgoing.write(PREFACE);
    this.#outgoing.write(
      settingsFrame([
        ...(this.role === 'client' ? CLIENT_SETTINGS : SERVER_SETTINGS),
        [MAX_HEADER_LIST_SIZE, MAX_HEAD_BYTES],
      ]),
    );
    this.#outgoing.write(windowFrame(0, CONNECTION_WINDOW_BYTES - DEFAULT_WINDOW_BYTES));
    this.#events.wrote();
  }

  feed(from: Buffer, start: number, end: number, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#feeding = true;
    this.#parser.feed(from, start, end);
    this.#feeding = false;
    for (const stream of this.#answeredEarly.splice(0)) if (!stream.remoteEnded) this.#resetQuietly(stream);
  }

  // What users ask for.

  /** A client's side: a new stream. Its head is to be sent at once. */
  open(user: StreamUser): Stream {
    const stream = new Stream(this.#numbers.takeOwn(), this.#peer.initialWindow, DEFAULT_WINDOW_BYTES);
    stream.user = user;
    this.#streams.set(stream.id, stream);
    return stream;
  }

  /** Sends a header block (hpack/encoder.ts makes one). */
  sendHead(stream: Stream, block: string, last: boolean): void {
    if (stream.closed || stream.localEnded) return;
    this.#outgoing.block(stream.id, block, last ? END_STREAM : 0);
    if (last) this.sentEnd(stream);
  }

  /** `text`: the same bytes as latin1, where they are at hand. */
  sendData(stream: Stream, from: Buffer, start: number, end: number, text?: string): void {
    if (stream.closed || stream.localEnded || stream.queuedEnd !== undefined) return;
    this.#outgoing.data(stream, from, start, end, text);
  }

  /** Ends our side of the stream behind what is queued, with a block of trailers or ''. */
  sendEnd(stream: Stream, trailers: string): void {
    if (stream.closed || stream.localEnded) return;
    this.#outgoing.end(stream, trailers);
  }

  /** Gives a stream up. `blame`: whether the peer brought it about (CVE-2025-8671). */
  reset(stream: Stream, code: number, blame: 'peer' | 'own'): void {
    if (stream.closed) return;
    this.#outgoing.write(resetFrame(stream.id, code));
    this.#numbers.wasReset(stream.id);
    this.#close(stream);
    if (blame === 'peer' && !this.#flood.reset(this.#nowMs)) this.#calm('too many streams had to be reset');
  }

  pause(stream: Stream): void {
    stream.paused = true;
  }

  resume(stream: Stream): void {
    if (!stream.paused) return;
    stream.paused = false;
    if (!stream.closed) this.#incoming.returnTo(stream, 0);
  }

  /** Announces the end: streams that still come are served. */
  announceEnd(): void {
    if (!this.#failed) this.#outgoing.write(goAwayFrame(MAX_STREAM_ID, NO_ERROR, ''));
  }

  /** The last word of a connection that is closed in peace. */
  end(): void {
    if (!this.#failed) this.#outgoing.write(goAwayFrame(this.#numbers.lastPeer, NO_ERROR, ''));
    this.#stop();
  }

  fail(code: number, why: string): void {
    if (this.#failed) return;
    this.#stop();
    this.#outgoing.write(goAwayFrame(this.#numbers.lastPeer, code, why));
    this.#events.failed(code, why);
  }

  /** Every stream's user is told that it is over; for a connection that is gone. */
  abandon(code: number): void {
    this.#stop();
    for (const stream of Array.from(this.#streams.values())) {
      const { user } = stream;
      this.#close(stream);
      user?.reset(code, 'session');
    }
  }

  /** A client's side, after the peer's GOAWAY: what it will not look at. */
  abandonAbove(lastStreamId: number): void {
    for (const stream of Array.from(this.#streams.values())) {
      if (stream.id <= lastStreamId) continue;
      const { user } = stream;
      this.#close(stream);
      user?.reset(REFUSED_STREAM, 'peer');
    }
  }

  /** What was held back leaves too; to be called before the socket is written to. */
  settle(): void {
    this.#outgoing.settle();
  }

  /** The peer has taken what was written. */
  unblocked(): void {
    this.#flood.answersRead();
  }

  // What frames say.

  onFault(code: number, why: string): void {
    this.fail(code, why);
  }

  onIdleFrame(): void {
    this.#spendIdle();
  }

  onData(streamId: number, from: Buffer, start: number, end: number, windowBytes: number, last: boolean): void {
    if (this.#numbers.isIdle(streamId)) {
      this.fail(PROTOCOL_ERROR, 'DATA on an idle stream');
      return;
    }
    if (!this.#incoming.take(windowBytes)) {
      this.fail(FLOW_CONTROL_ERROR, 'more data than the connection has window for');
      return;
    }
    const stream = this.#streams.get(streamId);
    if (stream === undefined || stream.remoteEnded) {
      this.#incoming.returnToConnection(windowBytes);
      this.#dataAfterEnd(streamId, stream);
      return;
    }
    if (end > start) this.#flood.worked();
    else if (!last && !this.#spendIdle()) return;
    this.#takeData(stream, windowBytes, from, start, end, last);
  }

  #dataAfterEnd(streamId: number, stream: Stream | undefined): void {
    if (stream !== undefined) this.#streamError(stream, STREAM_CLOSED);
    else if (this.#numbers.mayBeLate(streamId)) this.#spendIdle();
    else this.fail(STREAM_CLOSED, 'DATA on a closed stream');
  }

  #takeData(stream: Stream, length: number, from: Buffer, start: number, end: number, ends: boolean): void {
    stream.receiveWindow -= length;
    stream.received += end - start;
    const excess = stream.expectedBytes >= 0 && stream.received > stream.expectedBytes;
    if (stream.receiveWindow < 0 || excess || !stream.headSeen) {
      this.#incoming.returnToConnection(length);
      this.#streamError(stream, stream.receiveWindow < 0 ? FLOW_CONTROL_ERROR : PROTOCOL_ERROR);
      return;
    }
    if (ends) stream.remoteEnded = true;
    if (end > start) stream.user?.data(from, start, end);
    if (stream.closed) this.#incoming.returnToConnection(length);
    else this.#incoming.returnTo(stream, length);
    if (ends) this.#remoteEnded(stream);
  }

  onBlock(streamId: number, block: WireBlock): void {
    const known = this.#streams.get(streamId);
    if (known !== undefined) this.#nextBlock(known, block);
    else if (this.#numbers.mayBeLate(streamId)) {
      if (this.#decode(block, NOWHERE)) this.#spendIdle();
    } else if (!this.#numbers.isIdle(streamId)) this.fail(STREAM_CLOSED, 'HEADERS on a closed stream');
    else if (!this.#numbers.takePeer(streamId)) this.fail(PROTOCOL_ERROR, 'a stream with a wrong number');
    else this.#newStream(streamId, block);
  }

  #newStream(streamId: number, block: WireBlock): void {
    if (block.selfish || this.#streams.size >= MAX_STREAMS) {
      if (!this.#decode(block, NOWHERE)) return;
      this.#outgoing.write(resetFrame(streamId, block.selfish ? PROTOCOL_ERROR : REFUSED_STREAM));
      this.#numbers.wasReset(streamId);
      if (!this.#flood.reset(this.#nowMs)) this.#calm('too many streams had to be refused');
      return;
    }
    const stream = new Stream(streamId, this.#peer.initialWindow, DEFAULT_WINDOW_BYTES);
    this.#streams.set(streamId, stream);
    stream.user = this.#events.opened(stream);
    this.#flood.worked();
    this.#readHead(stream, block);
  }

  #nextBlock(stream: Stream, block: WireBlock): void {
    if (stream.remoteEnded) {
      if (this.#decode(block, NOWHERE)) this.#streamError(stream, STREAM_CLOSED);
    } else if (!stream.headSeen) this.#readHead(stream, block);
    else if (!block.last || block.selfish) {
      // Section 8.1: trailers end the stream.
      if (this.#decode(block, NOWHERE)) this.#streamError(stream, PROTOCOL_ERROR);
    } else {
      if (!this.#decode(block, stream.user?.fieldSink('trailers') ?? NOWHERE)) return;
      stream.remoteEnded = true;
      this.#remoteEnded(stream);
    }
  }

  #readHead(stream: Stream, block: WireBlock): void {
    const { user } = stream;
    const { last } = block;
    if (user === undefined || !this.#decode(block, user.fieldSink('head'))) return;
    if (last) stream.remoteEnded = true;
    if (user.head(last) === 'malformed') this.#streamError(stream, PROTOCOL_ERROR);
    else if (last) this.#remoteEnded(stream);
  }

  #decode({ from, start, end }: WireBlock, sink: FieldSink): boolean {
    if (this.#decoder.decode(from, start, end, sink)) return true;
    this.fail(COMPRESSION_ERROR, 'a header block cannot be decoded');
    return false;
  }

  onReset(streamId: number, code: number): void {
    if (this.#numbers.isIdle(streamId)) {
      this.fail(PROTOCOL_ERROR, 'RST_STREAM on an idle stream');
      return;
    }
    if (this.role === 'server' && !this.#flood.reset(this.#nowMs)) {
      this.#calm('too many streams were reset');
      return;
    }
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    const { user } = stream;
    this.#close(stream);
    user?.reset(code, 'peer');
  }

  onSettings(from: Buffer, start: number, end: number): void {
    if (!this.#takeSettings(from, start, end)) return;
    // What they make possible follows the acknowledgement, so that the peer knows by which settings it was sent.
    this.#control(SETTINGS_ACK);
    this.#outgoing.unblock();
    if (this.#greeted) return;
    this.#greeted = true;
    this.#events.greeted();
  }

  /** False when it failed the connection. */
  #takeSettings(from: Buffer, start: number, end: number): boolean {
    const before = this.#peer.initialWindow;
    let code = this.#peer.take(from, start, end, this.role);
    const change = this.#peer.initialWindow - before;
    if (code === NO_ERROR && change !== 0) {
      for (const stream of this.#streams.values()) {
        stream.sendWindow += change;
        if (stream.sendWindow > MAX_WINDOW_BYTES) code = FLOW_CONTROL_ERROR;
      }
    }
    if (code !== NO_ERROR) this.fail(code, 'a setting with a value that it cannot have');
    return code === NO_ERROR;
  }

  onPing(payload: string): void {
    this.#control(frameHeader(8, PING, ACK, 0) + payload);
  }

  onGoAway(lastStreamId: number, code: number): void {
    if (this.#spendIdle()) this.#events.goingAway(lastStreamId, code);
  }

  onWindowUpdate(streamId: number, increment: number): void {
    if (streamId !== 0 && this.#numbers.isIdle(streamId)) {
      this.fail(PROTOCOL_ERROR, 'WINDOW_UPDATE on an idle stream');
      return;
    }
    if (!this.#spendIdle()) return;
    if (streamId === 0) {
      if (increment === 0) this.fail(PROTOCOL_ERROR, 'WINDOW_UPDATE of 0');
      else if (!this.#outgoing.grow(increment)) this.fail(FLOW_CONTROL_ERROR, 'the window is too large');
      return;
    }
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    stream.sendWindow += increment;
    if (increment === 0) this.#streamError(stream, PROTOCOL_ERROR);
    else if (stream.sendWindow > MAX_WINDOW_BYTES) this.#streamError(stream, FLOW_CONTROL_ERROR);
    else if (stream.queuedBytes > 0) this.#outgoing.drain(stream);
  }

  onStreamFault(streamId: number, code: number): void {
    const stream = this.#streams.get(streamId);
    if (stream !== undefined) this.#streamError(stream, code);
    else {
      this.#control(resetFrame(streamId, code));
      if (!this.#flood.reset(this.#nowMs)) this.#calm('too many broken frames');
    }
  }

  // Streams' ends.

  #remoteEnded(stream: Stream): void {
    if (stream.closed) return;
    if (stream.expectedBytes >= 0 && stream.received !== stream.expectedBytes) {
      this.#streamError(stream, PROTOCOL_ERROR);
      return;
    }
    if (stream.localEnded) this.#close(stream);
    stream.user?.ended();
  }

  sentEnd(stream: Stream): void {
    stream.localEnded = true;
    if (stream.remoteEnded) this.#close(stream);
    else if (this.role === 'server' && !stream.isTunnel) {
      if (this.#feeding) this.#answeredEarly.push(stream);
      else this.#resetQuietly(stream);
    }
  }

  /** Section 8.1: after a whole answer the rest of a request is not wanted, and that is no error. */
  #resetQuietly(stream: Stream): void {
    if (stream.closed) return;
    this.#outgoing.write(resetFrame(stream.id, NO_ERROR));
    this.#numbers.wasReset(stream.id);
    this.#close(stream);
  }

  #close(stream: Stream): void {
    if (stream.closed) return;
    stream.closed = true;
    this.#streams.delete(stream.id);
    this.#outgoing.forget(stream);
    this.#incoming.release(stream);
    if (stream.remoteEnded && stream.localEnded) this.#flood.completed();
    this.#events.closed(stream);
  }

  #streamError(stream: Stream, code: number): void {
    if (stream.closed) return;
    const { user } = stream;
    this.reset(stream, code, 'peer');
    user?.reset(code, 'session');
  }

  #stop(): void {
    this.#failed = true;
    this.#parser.stop();
  }

  // Floods.

  #spendIdle(): boolean {
    if (this.#flood.idleFrame(this.#nowMs)) return true;
    this.#calm('too many frames that carry nothing');
    return false;
  }

  #calm(why: string): void {
    this.fail(ENHANCE_YOUR_CALM, why);
  }

  /** An answer that the peer makes us give. */
  #control(frame: string): void {
    if (this.#outgoing.isBlocked && !this.#flood.waitingAnswer()) {
      this.#calm('answers are asked for and not read');
      return;
    }
    this.#outgoing.write(frame);
  }

  // What the outgoing half tells.

  wrote(): void {
    this.#events.wrote();
  }

  sentData(): void {
    this.#flood.worked();
  }
}
