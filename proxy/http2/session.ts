import { MAX_HEAD_BYTES } from '../http1/limits.ts';
import { FloodGuard } from './flood-guard.ts';
import {
  ACK,
  COMPRESSION_ERROR,
  CONTINUATION,
  DATA,
  DEFAULT_MAX_FRAME_BYTES,
  DEFAULT_WINDOW_BYTES,
  ENABLE_PUSH,
  END_HEADERS,
  END_STREAM,
  ENHANCE_YOUR_CALM,
  FLOW_CONTROL_ERROR,
  FRAME_SIZE_ERROR,
  frameHeader,
  GOAWAY,
  goAwayFrame,
  HAS_PRIORITY,
  HEADERS,
  MAX_CONCURRENT_STREAMS,
  MAX_HEADER_LIST_SIZE,
  MAX_STREAM_ID,
  MAX_WINDOW_BYTES,
  NO_ERROR,
  PADDED,
  PING,
  PREFACE,
  PRIORITY,
  PROTOCOL_ERROR,
  PUSH_PROMISE,
  REFUSED_STREAM,
  RST_STREAM,
  resetFrame,
  SETTINGS,
  SETTINGS_ACK,
  STREAM_CLOSED,
  settingsFrame,
  uint31At,
  uint32At,
  WINDOW_UPDATE,
  windowFrame,
} from './frame.ts';
import { FrameReader, type FrameSink } from './frame-reader.ts';
import { HeaderBlock } from './header-block.ts';
import { type FieldSink, HpackDecoder } from './hpack/decoder.ts';
import { Incoming } from './incoming.ts';
import { CONNECTION_WINDOW_BYTES, MAX_REMEMBERED_RESETS, MAX_STREAMS, MAX_TABLE_BYTES } from './limits.ts';
import { Outgoing, type OutgoingEvents, type SessionOut } from './outgoing.ts';
import { PeerSettings } from './settings.ts';
import { Stream, type StreamUser } from './stream.ts';

export interface SessionEvents {
  /** A peer's new stream. */
  opened(stream: Stream): StreamUser;
  /** A stream is over, whichever way. */
  closed(stream: Stream): void;
  /** The peer takes no streams above `lastStreamId`. */
  goingAway(lastStreamId: number, code: number): void;
  /** The connection cannot go on; the GOAWAY that says why has been written. */
  failed(code: number, why: string): void;
  /** Something was written; `settle` before it leaves. */
  wrote(): void;
}

const NOWHERE: FieldSink = { field: () => undefined };

/**
 * One HTTP/2 connection without its socket (RFC 9113): bytes in, bytes out, streams between. Knows frames, windows, limits and the life of
 * streams; what a head means is its users' business. Either side of a connection.
 */
export class Session implements FrameSink, OutgoingEvents {
  readonly role: 'server' | 'client';
  readonly #peer = new PeerSettings();
  readonly #outgoing: Outgoing;
  readonly #incoming: Incoming;
  readonly #flood = new FloodGuard();
  readonly #events: SessionEvents;
  readonly #reader = new FrameReader(DEFAULT_MAX_FRAME_BYTES);
  readonly #decoder = new HpackDecoder(MAX_TABLE_BYTES);
  readonly #streams = new Map<number, Stream>();
  /** Streams that we reset: what was on its way to them is ignored (section 5.1). The oldest are forgotten. */
  readonly #resets = new Set<number>();
  /** Whole frames so far. */
  frames = 0;
  #phase: 'preface' | 'first-settings' | 'open' | 'failed';
  #prefaceBytes = 0;
  #nowMs = 0;
  #feeding = false;
  /** Answered within this read before their request had ended: if its end is in the read too, all is well. */
  readonly #answeredEarly: Stream[] = [];
  /** Highest stream of the peer's that was opened. */
  #lastPeerStream = 0;
  #nextOwnStream = 1;
  readonly #block = new HeaderBlock();

  constructor(role: 'server' | 'client', out: SessionOut, events: SessionEvents) {
    this.role = role;
    this.#outgoing = new Outgoing(out, this.#peer, this);
    this.#incoming = new Incoming(this.#outgoing);
    this.#events = events;
    this.#phase = role === 'server' ? 'preface' : 'first-settings';
  }

  /** How many streams the peer takes at once. */
  get peerMaxStreams(): number {
    return this.#peer.maxStreams;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  get hasFailed(): boolean {
    return this.#phase === 'failed';
  }

  /** Waits for bytes that must come soon: the preface, the rest of a frame or of a header block. */
  get isWithinSomething(): boolean {
    return this.#phase !== 'open' || this.#block.isOpen || this.#reader.isWithinFrame;
  }

  /** A header block goes on in a frame that has not come. */
  get isWithinBlock(): boolean {
    return this.#block.isOpen;
  }

  /** A client's side may open no more streams than a connection has numbers for. */
  get isExhausted(): boolean {
    return this.#nextOwnStream > MAX_STREAM_ID;
  }

  /** Says hello; to be called once, first. */
  start(): void {
    if (this.role === 'client') this.#outgoing.write(PREFACE);
    this.#outgoing.write(
      settingsFrame([
        ...(this.role === 'client' ? [[ENABLE_PUSH, 0] as const] : [[MAX_CONCURRENT_STREAMS, MAX_STREAMS] as const]),
        [MAX_HEADER_LIST_SIZE, MAX_HEAD_BYTES],
      ]),
    );
    this.#outgoing.write(windowFrame(0, CONNECTION_WINDOW_BYTES - DEFAULT_WINDOW_BYTES));
    this.#events.wrote();
  }

  feed(from: Buffer, start: number, end: number, nowMs: number): void {
    this.#nowMs = nowMs;
    let at = start;
    if (this.#phase === 'preface') at = this.#readPreface(from, at, end);
    if (this.#phase === 'preface' || this.#phase === 'failed') return;
    this.#feeding = true;
    this.#reader.feed(from, at, end, this);
    this.#feeding = false;
    for (const stream of this.#answeredEarly.splice(0)) if (!stream.remoteEnded) this.#resetQuietly(stream);
  }

  // What users ask for.

  /** A client's side: a new stream. Its head is to be sent at once. */
  open(user: StreamUser): Stream {
    const stream = new Stream(this.#nextOwnStream, this.#peer.initialWindow, DEFAULT_WINDOW_BYTES);
    this.#nextOwnStream += 2;
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

  sendData(stream: Stream, from: Buffer, start: number, end: number): void {
    if (stream.closed || stream.localEnded || stream.queuedEnd !== undefined) return;
    this.#outgoing.data(stream, from, start, end);
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
    this.#remember(stream.id);
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
    if (this.#phase !== 'failed') this.#outgoing.write(goAwayFrame(MAX_STREAM_ID, NO_ERROR, ''));
  }

  /** The last word of a connection that is closed in peace. */
  end(): void {
    if (this.#phase !== 'failed') this.#outgoing.write(goAwayFrame(this.#lastPeerStream, NO_ERROR, ''));
    this.#phase = 'failed';
  }

  fail(code: number, why: string): void {
    if (this.#phase === 'failed') return;
    this.#phase = 'failed';
    this.#outgoing.write(goAwayFrame(this.#lastPeerStream, code, why));
    this.#events.failed(code, why);
  }

  /** Every stream's user is told that it is over; for a connection that is gone. */
  abandon(code: number): void {
    this.#phase = 'failed';
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

  // Frames.

  frame(type: number, flags: number, streamId: number, from: Buffer, start: number, end: number): boolean {
    this.frames++;
    if (this.#phase === 'first-settings' && (type !== SETTINGS || (flags & ACK) !== 0)) {
      this.fail(PROTOCOL_ERROR, 'the first frame is no SETTINGS');
      return false;
    }
    if (this.#block.isOpen && (type !== CONTINUATION || streamId !== this.#block.streamId)) {
      this.fail(PROTOCOL_ERROR, 'a header block was interrupted');
      return false;
    }
    switch (type) {
      case DATA:
        this.#onData(flags, streamId, from, start, end);
        break;
      case HEADERS:
        this.#onHeaders(flags, streamId, from, start, end);
        break;
      case PRIORITY:
        this.#onPriority(streamId, from, start, end);
        break;
      case RST_STREAM:
        this.#onReset(streamId, from, start, end);
        break;
      case SETTINGS:
        this.#onSettings(flags, streamId, from, start, end);
        break;
      case PUSH_PROMISE:
        // We never let a server push (section 8.4), and a client may not.
        this.fail(PROTOCOL_ERROR, 'PUSH_PROMISE');
        break;
      case PING:
        this.#onPing(flags, streamId, from, start, end);
        break;
      case GOAWAY:
        this.#onGoAway(streamId, from, start, end);
        break;
      case WINDOW_UPDATE:
        this.#onWindowUpdate(streamId, from, start, end);
        break;
      case CONTINUATION:
        this.#onContinuation(flags, streamId, from, start, end);
        break;
      default:
        // Section 4.1: what is not known is ignored.
        this.#spendIdle();
    }
    return this.#phase !== 'failed';
  }

  frameTooLarge(): void {
    this.fail(FRAME_SIZE_ERROR, 'a frame is larger than SETTINGS_MAX_FRAME_SIZE');
  }

  #readPreface(from: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && this.#prefaceBytes < PREFACE.length) {
      if (from[at] !== PREFACE.charCodeAt(this.#prefaceBytes)) {
        this.fail(PROTOCOL_ERROR, 'the connection preface is wrong');
        return end;
      }
      at++;
      this.#prefaceBytes++;
    }
    if (this.#prefaceBytes === PREFACE.length) this.#phase = 'first-settings';
    return at;
  }

  #onData(flags: number, streamId: number, from: Buffer, start: number, end: number): void {
    if (this.#isIdle(streamId)) {
      this.fail(PROTOCOL_ERROR, 'DATA on an idle stream');
      return;
    }
    let dataStart = start;
    let dataEnd = end;
    if ((flags & PADDED) !== 0) {
      dataStart = start + 1;
      dataEnd = end - (from[start] ?? 0);
      if (end === start || dataEnd < dataStart) {
        this.fail(PROTOCOL_ERROR, 'more padding than payload');
        return;
      }
    }
    const length = end - start;
    if (!this.#incoming.take(length)) {
      this.fail(FLOW_CONTROL_ERROR, 'more data than the connection has window for');
      return;
    }
    const stream = this.#streams.get(streamId);
    if (stream === undefined || stream.remoteEnded) {
      this.#incoming.returnToConnection(length);
      this.#dataAfterEnd(streamId, stream);
      return;
    }
    const ends = (flags & END_STREAM) !== 0;
    if (dataEnd > dataStart) this.#flood.worked();
    else if (!ends && !this.#spendIdle()) return;
    this.#takeData(stream, length, from, dataStart, dataEnd, ends);
  }

  #dataAfterEnd(streamId: number, stream: Stream | undefined): void {
    if (stream !== undefined) this.#streamError(stream, STREAM_CLOSED);
    else if (this.#mayBeLate(streamId)) this.#spendIdle();
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

  #onHeaders(flags: number, streamId: number, from: Buffer, start: number, end: number): void {
    let at = start;
    let stop = end;
    if ((flags & PADDED) !== 0) {
      stop -= from[at] ?? 0;
      at++;
    }
    let dependsOn = 0;
    if ((flags & HAS_PRIORITY) !== 0) {
      dependsOn = uint31At(from, at);
      at += 5;
    }
    if (streamId === 0 || at > stop || at > end) {
      this.fail(streamId === 0 || at <= end ? PROTOCOL_ERROR : FRAME_SIZE_ERROR, 'malformed HEADERS');
      return;
    }
    // Priorities are deprecated (section 5.3.2) and ignored; a stream that depends on itself still was never allowed.
    const selfish = (flags & HAS_PRIORITY) !== 0 && dependsOn === streamId;
    if ((flags & END_HEADERS) !== 0) {
      this.#onBlock(streamId, flags, from, at, stop, selfish);
      return;
    }
    this.#block.begin(streamId, flags);
    this.#block.append(from, at, stop);
  }

  #onContinuation(flags: number, streamId: number, from: Buffer, start: number, end: number): void {
    if (!this.#block.isOpen) {
      this.fail(PROTOCOL_ERROR, 'CONTINUATION without a header block');
      return;
    }
    if (!this.#block.append(from, start, end)) {
      this.#calm('a header block is too large');
      return;
    }
    if ((flags & END_HEADERS) === 0) return;
    const { flags: began } = this.#block;
    const block = this.#block.take();
    this.#onBlock(streamId, began, block, 0, block.length, false);
  }

  #onBlock(streamId: number, flags: number, from: Buffer, start: number, end: number, selfish: boolean): void {
    const known = this.#streams.get(streamId);
    const last = (flags & END_STREAM) !== 0;
    if (known !== undefined) this.#nextBlock(known, last && !selfish, from, start, end);
    else if (this.#mayBeLate(streamId)) {
      if (this.#decode(from, start, end, NOWHERE)) this.#spendIdle();
    } else if (!this.#isIdle(streamId)) this.fail(STREAM_CLOSED, 'HEADERS on a closed stream');
    else if (this.role === 'client' || streamId % 2 === 0) this.fail(PROTOCOL_ERROR, 'a stream with a wrong number');
    else this.#newStream(streamId, last, from, start, end, selfish);
  }

  #newStream(streamId: number, last: boolean, from: Buffer, start: number, end: number, selfish: boolean): void {
    this.#lastPeerStream = streamId;
    if (selfish || this.#streams.size >= MAX_STREAMS) {
      if (!this.#decode(from, start, end, NOWHERE)) return;
      this.#outgoing.write(resetFrame(streamId, selfish ? PROTOCOL_ERROR : REFUSED_STREAM));
      this.#remember(streamId);
      if (!this.#flood.reset(this.#nowMs)) this.#calm('too many streams had to be refused');
      return;
    }
    const stream = new Stream(streamId, this.#peer.initialWindow, DEFAULT_WINDOW_BYTES);
    this.#streams.set(streamId, stream);
    stream.user = this.#events.opened(stream);
    this.#flood.worked();
    this.#readHead(stream, last, from, start, end);
  }

  #nextBlock(stream: Stream, last: boolean, from: Buffer, start: number, end: number): void {
    if (stream.remoteEnded) {
      if (this.#decode(from, start, end, NOWHERE)) this.#streamError(stream, STREAM_CLOSED);
    } else if (!stream.headSeen) this.#readHead(stream, last, from, start, end);
    else if (!last) {
      // Section 8.1: trailers end the stream.
      if (this.#decode(from, start, end, NOWHERE)) this.#streamError(stream, PROTOCOL_ERROR);
    } else {
      const sink = stream.user?.fieldSink('trailers') ?? NOWHERE;
      if (!this.#decode(from, start, end, sink)) return;
      stream.remoteEnded = true;
      this.#remoteEnded(stream);
    }
  }

  #readHead(stream: Stream, last: boolean, from: Buffer, start: number, end: number): void {
    const { user } = stream;
    if (user === undefined || !this.#decode(from, start, end, user.fieldSink('head'))) return;
    if (last) stream.remoteEnded = true;
    if (user.head(last) === 'malformed') this.#streamError(stream, PROTOCOL_ERROR);
    else if (last) this.#remoteEnded(stream);
  }

  #decode(from: Buffer, start: number, end: number, sink: FieldSink): boolean {
    if (this.#decoder.decode(from, start, end, sink)) return true;
    this.fail(COMPRESSION_ERROR, 'a header block cannot be decoded');
    return false;
  }

  #onPriority(streamId: number, from: Buffer, start: number, end: number): void {
    if (streamId === 0) this.fail(PROTOCOL_ERROR, 'PRIORITY on stream 0');
    else if (end - start !== 5) this.#streamErrorOn(streamId, FRAME_SIZE_ERROR);
    else if (uint31At(from, start) === streamId) this.#streamErrorOn(streamId, PROTOCOL_ERROR);
    else this.#spendIdle();
  }

  #onReset(streamId: number, from: Buffer, start: number, end: number): void {
    if (end - start !== 4) this.fail(FRAME_SIZE_ERROR, 'RST_STREAM of a wrong size');
    else if (this.#isIdle(streamId)) this.fail(PROTOCOL_ERROR, 'RST_STREAM on an idle stream');
    else {
      const stream = this.#streams.get(streamId);
      if (this.role === 'server' && !this.#flood.reset(this.#nowMs)) {
        this.#calm('too many streams were reset');
        return;
      }
      if (stream === undefined) return;
      const { user } = stream;
      this.#close(stream);
      user?.reset(uint32At(from, start), 'peer');
    }
  }

  #onSettings(flags: number, streamId: number, from: Buffer, start: number, end: number): void {
    const length = end - start;
    const isAck = (flags & ACK) !== 0;
    if (streamId !== 0) this.fail(PROTOCOL_ERROR, 'SETTINGS on a stream');
    else if (isAck ? length !== 0 : length % 6 !== 0) this.fail(FRAME_SIZE_ERROR, 'SETTINGS of a wrong size');
    else if (this.#phase === 'open' && !this.#spendIdle()) return;
    else if (!isAck) {
      this.#phase = 'open';
      if (this.#takeSettings(from, start, end)) this.#control(SETTINGS_ACK);
    }
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
      if (code === NO_ERROR) this.#outgoing.unblock();
    }
    if (code !== NO_ERROR) this.fail(code, 'a setting with a value that it cannot have');
    return code === NO_ERROR;
  }

  #onPing(flags: number, streamId: number, from: Buffer, start: number, end: number): void {
    if (streamId !== 0) this.fail(PROTOCOL_ERROR, 'PING on a stream');
    else if (end - start !== 8) this.fail(FRAME_SIZE_ERROR, 'PING of a wrong size');
    else if (this.#spendIdle() && (flags & ACK) === 0) {
      this.#control(frameHeader(8, PING, ACK, 0) + from.toString('latin1', start, end));
    }
  }

  #onGoAway(streamId: number, from: Buffer, start: number, end: number): void {
    if (streamId !== 0) this.fail(PROTOCOL_ERROR, 'GOAWAY on a stream');
    else if (end - start < 8) this.fail(FRAME_SIZE_ERROR, 'GOAWAY of a wrong size');
    else if (this.#spendIdle()) this.#events.goingAway(uint31At(from, start), uint32At(from, start + 4));
  }

  #onWindowUpdate(streamId: number, from: Buffer, start: number, end: number): void {
    if (end - start !== 4) {
      this.fail(FRAME_SIZE_ERROR, 'WINDOW_UPDATE of a wrong size');
      return;
    }
    if (streamId !== 0 && this.#isIdle(streamId)) {
      this.fail(PROTOCOL_ERROR, 'WINDOW_UPDATE on an idle stream');
      return;
    }
    if (!this.#spendIdle()) return;
    const increment = uint31At(from, start);
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

  // Streams' ends.

  #isIdle(streamId: number): boolean {
    if (streamId === 0) return true;
    const own = streamId % 2 === (this.role === 'client' ? 1 : 0);
    return own ? streamId >= this.#nextOwnStream || this.role === 'server' : streamId > this.#lastPeerStream;
  }

  /** What comes for a stream that this side gave up was on its way (section 5.1). A client's side gives up at will. */
  #mayBeLate(streamId: number): boolean {
    return this.#resets.has(streamId) || (this.role === 'client' && !this.#isIdle(streamId));
  }

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
    else if (this.role === 'server') {
      if (this.#feeding) this.#answeredEarly.push(stream);
      else this.#resetQuietly(stream);
    }
  }

  /** Section 8.1: after a whole answer the rest of a request is not wanted, and that is no error. */
  #resetQuietly(stream: Stream): void {
    if (stream.closed) return;
    this.#outgoing.write(resetFrame(stream.id, NO_ERROR));
    this.#remember(stream.id);
    this.#close(stream);
  }

  #close(stream: Stream): void {
    if (stream.closed) return;
    stream.closed = true;
    this.#streams.delete(stream.id);
    this.#outgoing.forget(stream);
    this.#incoming.returnToConnection(stream.unreturned);
    stream.unreturned = 0;
    if (stream.remoteEnded && stream.localEnded) this.#flood.completed();
    this.#events.closed(stream);
  }

  #streamError(stream: Stream, code: number): void {
    if (stream.closed) return;
    const { user } = stream;
    this.reset(stream, code, 'peer');
    user?.reset(code, 'session');
  }

  #streamErrorOn(streamId: number, code: number): void {
    const stream = this.#streams.get(streamId);
    if (stream !== undefined) this.#streamError(stream, code);
    else {
      this.#control(resetFrame(streamId, code));
      if (!this.#flood.reset(this.#nowMs)) this.#calm('too many broken frames');
    }
  }

  #remember(streamId: number): void {
    this.#resets.add(streamId);
    if (this.#resets.size <= MAX_REMEMBERED_RESETS) return;
    for (const oldest of this.#resets) {
      this.#resets.delete(oldest);
      break;
    }
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
