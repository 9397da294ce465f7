import {
  ACK,
  CONTINUATION,
  DATA,
  DEFAULT_MAX_FRAME_BYTES,
  END_HEADERS,
  END_STREAM,
  ENHANCE_YOUR_CALM,
  FRAME_SIZE_ERROR,
  GOAWAY,
  HAS_PRIORITY,
  HEADERS,
  PADDED,
  PING,
  PREFACE,
  PRIORITY,
  PROTOCOL_ERROR,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  uint31At,
  uint32At,
  WINDOW_UPDATE,
} from './frame.ts';
import { FrameReader, type FrameSink } from './frame-reader.ts';
import { HeaderBlock } from './header-block.ts';

/** A header block as it is on the wire; `from` is valid during the call only. */
export interface WireBlock {
  readonly from: Buffer;
  readonly start: number;
  readonly end: number;
  /** The stream ends with it. */
  readonly last: boolean;
  /** The stream says that it depends on itself. */
  readonly selfish: boolean;
}

/** Takes what frames say, once they are sound by themselves. */
export interface FrameReceiver {
  /** `windowBytes` is what it takes of windows, padding included. */
  onData(streamId: number, from: Buffer, start: number, end: number, windowBytes: number, last: boolean): void;
  onBlock(streamId: number, block: WireBlock): void;
  onReset(streamId: number, code: number): void;
  onSettings(from: Buffer, start: number, end: number): void;
  /** `payload`: latin1. */
  onPing(payload: string): void;
  onGoAway(lastStreamId: number, code: number): void;
  onWindowUpdate(streamId: number, increment: number): void;
  /** A frame that nobody waits for: an acknowledgement, a priority, what is not known. */
  onIdleFrame(): void;
  /** A frame that is wrong for its stream alone. */
  onStreamFault(streamId: number, code: number): void;
  /** The connection cannot go on. */
  onFault(code: number, why: string): void;
}

/** Frames to what they say: sizes, padding, the preface, blocks that go on (RFC 9113 sections 3.4, 4 and 6). Knows no streams. */
export class FrameParser implements FrameSink {
  /** Whole frames so far. */
  frames = 0;
  readonly #receiver: FrameReceiver;
  readonly #reader = new FrameReader(DEFAULT_MAX_FRAME_BYTES);
  readonly #block = new HeaderBlock();
  #phase: 'preface' | 'first-settings' | 'open' | 'stopped';
  #prefaceBytes = 0;

  constructor(role: 'server' | 'client', receiver: FrameReceiver) {
    this.#receiver = receiver;
    this.#phase = role === 'server' ? 'preface' : 'first-settings';
  }

  /** Waits for bytes that must come soon: the preface, the rest of a frame or of a header block. */
  get isWithinSomething(): boolean {
    return this.#phase !== 'open' || this.#block.isOpen || this.#reader.isWithinFrame;
  }

  /** A header block goes on in a frame that has not come. */
  get isWithinBlock(): boolean {
    return this.#block.isOpen;
  }

  /** Nothing more is read. */
  stop(): void {
    this.#phase = 'stopped';
  }

  feed(from: Buffer, start: number, end: number): void {
    let at = start;
    if (this.#phase === 'preface') at = this.#readPreface(from, at, end);
    if (this.#phase === 'first-settings' || this.#phase === 'open') this.#reader.feed(from, at, end, this);
  }

  frame(type: number, flags: number, streamId: number, from: Buffer, start: number, end: number): boolean {
    this.frames++;
    if (this.#phase === 'first-settings' && (type !== SETTINGS || (flags & ACK) !== 0)) {
      return this.#fault(PROTOCOL_ERROR, 'the first frame is no SETTINGS');
    }
    if (this.#block.isOpen && (type !== CONTINUATION || streamId !== this.#block.streamId)) {
      return this.#fault(PROTOCOL_ERROR, 'a header block was interrupted');
    }
    switch (type) {
      case DATA:
        return this.#data(flags, streamId, from, start, end);
      case HEADERS:
        return this.#headers(flags, streamId, from, start, end);
      case PRIORITY:
        return this.#priority(streamId, from, start, end);
      case RST_STREAM:
        if (end - start !== 4) return this.#fault(FRAME_SIZE_ERROR, 'RST_STREAM of a wrong size');
        this.#receiver.onReset(streamId, uint32At(from, start));
        return this.#goesOn();
      case SETTINGS:
        return this.#settings(flags, streamId, from, start, end);
      case PUSH_PROMISE:
        // We never let a server push (section 8.4), and a client may not.
        return this.#fault(PROTOCOL_ERROR, 'PUSH_PROMISE');
      case PING:
        return this.#ping(flags, streamId, from, start, end);
      case GOAWAY:
        if (streamId !== 0) return this.#fault(PROTOCOL_ERROR, 'GOAWAY on a stream');
        if (end - start < 8) return this.#fault(FRAME_SIZE_ERROR, 'GOAWAY of a wrong size');
        this.#receiver.onGoAway(uint31At(from, start), uint32At(from, start + 4));
        return this.#goesOn();
      case WINDOW_UPDATE:
        if (end - start !== 4) return this.#fault(FRAME_SIZE_ERROR, 'WINDOW_UPDATE of a wrong size');
        this.#receiver.onWindowUpdate(streamId, uint31At(from, start));
        return this.#goesOn();
      case CONTINUATION:
        return this.#continuation(flags, streamId, from, start, end);
      default:
        // Section 4.1: what is not known is ignored.
        return this.#idle();
    }
  }

  frameTooLarge(): void {
    this.#fault(FRAME_SIZE_ERROR, 'a frame is larger than SETTINGS_MAX_FRAME_SIZE');
  }

  #readPreface(from: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && this.#prefaceBytes < PREFACE.length) {
      if (from[at] !== PREFACE.charCodeAt(this.#prefaceBytes)) {
        this.#fault(PROTOCOL_ERROR, 'the connection preface is wrong');
        return end;
      }
      at++;
      this.#prefaceBytes++;
    }
    if (this.#prefaceBytes === PREFACE.length) this.#phase = 'first-settings';
    return at;
  }

  #data(flags: number, streamId: number, from: Buffer, start: number, end: number): boolean {
    let dataStart = start;
    let dataEnd = end;
    if ((flags & PADDED) !== 0) {
      dataStart = start + 1;
      dataEnd = end - (from[start] ?? 0);
      if (end === start || dataEnd < dataStart) return this.#fault(PROTOCOL_ERROR, 'more padding than payload');
    }
    this.#receiver.onData(streamId, from, dataStart, dataEnd, end - start, (flags & END_STREAM) !== 0);
    return this.#goesOn();
  }

  #headers(flags: number, streamId: number, from: Buffer, start: number, end: number): boolean {
    if (streamId === 0) return this.#fault(PROTOCOL_ERROR, 'HEADERS on stream 0');
    const padded = (flags & PADDED) !== 0;
    let at = padded ? start + 1 : start;
    const prioritized = (flags & HAS_PRIORITY) !== 0;
    // Priorities are deprecated (section 5.3.2) and ignored; a stream that depends on itself still was never allowed.
    const selfish = prioritized && uint31At(from, at) === streamId;
    if (prioritized) at += 5;
    if (at > end) return this.#fault(FRAME_SIZE_ERROR, 'HEADERS of a wrong size');
    const stop = padded ? end - (from[start] ?? 0) : end;
    if (at > stop) return this.#fault(PROTOCOL_ERROR, 'more padding than payload');
    if ((flags & END_HEADERS) === 0) {
      this.#block.begin(streamId, flags);
      this.#block.append(from, at, stop);
      return true;
    }
    this.#receiver.onBlock(streamId, { from, start: at, end: stop, last: (flags & END_STREAM) !== 0, selfish });
    return this.#goesOn();
  }

  #continuation(flags: number, streamId: number, from: Buffer, start: number, end: number): boolean {
    if (!this.#block.isOpen) return this.#fault(PROTOCOL_ERROR, 'CONTINUATION without a header block');
    if (!this.#block.append(from, start, end)) return this.#fault(ENHANCE_YOUR_CALM, 'a header block is too large');
    if ((flags & END_HEADERS) === 0) return true;
    const last = (this.#block.flags & END_STREAM) !== 0;
    const block = this.#block.take();
    this.#receiver.onBlock(streamId, { from: block, start: 0, end: block.length, last, selfish: false });
    return this.#goesOn();
  }

  #priority(streamId: number, from: Buffer, start: number, end: number): boolean {
    if (streamId === 0) return this.#fault(PROTOCOL_ERROR, 'PRIORITY on stream 0');
    if (end - start !== 5) this.#receiver.onStreamFault(streamId, FRAME_SIZE_ERROR);
    else if (uint31At(from, start) === streamId) this.#receiver.onStreamFault(streamId, PROTOCOL_ERROR);
    else return this.#idle();
    return this.#goesOn();
  }

  #settings(flags: number, streamId: number, from: Buffer, start: number, end: number): boolean {
    const length = end - start;
    const isAck = (flags & ACK) !== 0;
    if (streamId !== 0) return this.#fault(PROTOCOL_ERROR, 'SETTINGS on a stream');
    if (isAck ? length !== 0 : length % 6 !== 0) return this.#fault(FRAME_SIZE_ERROR, 'SETTINGS of a wrong size');
    // The first are no more than is due.
    if (this.#phase === 'open' && !this.#idle()) return false;
    this.#phase = 'open';
    if (!isAck) this.#receiver.onSettings(from, start, end);
    return this.#goesOn();
  }

  #ping(flags: number, streamId: number, from: Buffer, start: number, end: number): boolean {
    if (streamId !== 0) return this.#fault(PROTOCOL_ERROR, 'PING on a stream');
    if (end - start !== 8) return this.#fault(FRAME_SIZE_ERROR, 'PING of a wrong size');
    if (!this.#idle()) return false;
    if ((flags & ACK) === 0) this.#receiver.onPing(from.toString('latin1', start, end));
    return this.#goesOn();
  }

  #idle(): boolean {
    this.#receiver.onIdleFrame();
    return this.#goesOn();
  }

  #fault(code: number, why: string): false {
    this.#receiver.onFault(code, why);
    return false;
  }

  /** Whether the receiver still wants frames. */
  #goesOn(): boolean {
    return this.#phase !== 'stopped';
  }
}
