import { FRAME_HEADER_BYTES } from './frame.ts';

/** Takes whole frames. `from` is valid during the call only. Returns false when nothing more is wanted. */
export interface FrameSink {
  frame(type: number, flags: number, streamId: number, from: Buffer, start: number, end: number): boolean;
  /** A frame that is longer than we said we take; its payload is not read. */
  frameTooLarge(type: number, streamId: number): void;
}

/** Cuts what is read into frames. A frame that lies in the read whole is handed on where it lies; only one that is cut is copied. */
export class FrameReader {
  readonly #maxBytes: number;
  #held: Buffer | undefined = undefined;
  #heldBytes = 0;

  constructor(maxFrameBytes: number) {
    this.#maxBytes = maxFrameBytes;
  }

  /** A frame has begun and not ended. */
  get isWithinFrame(): boolean {
    return this.#held !== undefined;
  }

  feed(from: Buffer, start: number, end: number, sink: FrameSink): void {
    let at = start;
    if (this.#held !== undefined) at = this.#complete(this.#held, from, at, end, sink);
    while (at >= 0 && at < end) {
      const left = end - at;
      const length = left >= FRAME_HEADER_BYTES ? payloadBytes(from, at) : 0;
      if (left >= FRAME_HEADER_BYTES && length > this.#maxBytes) {
        sink.frameTooLarge(from[at + 3] ?? 0, streamIdAt(from, at));
        return;
      }
      if (left < FRAME_HEADER_BYTES + length || left < FRAME_HEADER_BYTES) {
        this.#hold(from, at, end, length);
        return;
      }
      at = emit(from, at, length, sink);
    }
  }

  #hold(from: Buffer, at: number, end: number, length: number): void {
    // Before its header is whole a frame's length is not known: room for that alone, and for the frame once it is.
    const held = Buffer.allocUnsafe(FRAME_HEADER_BYTES + length);
    from.copy(held, 0, at, end);
    this.#held = held;
    this.#heldBytes = end - at;
  }

  /** Fills up the frame that is held; returns the offset behind it, `end` when it is not whole yet, or -1 to stop. */
  #complete(before: Buffer, from: Buffer, start: number, end: number, sink: FrameSink): number {
    let held = before;
    let at = start;
    if (this.#heldBytes < FRAME_HEADER_BYTES) {
      at += this.#fill(held, FRAME_HEADER_BYTES, from, at, end);
      if (this.#heldBytes < FRAME_HEADER_BYTES) return end;
      const length = payloadBytes(held, 0);
      if (length > this.#maxBytes) {
        this.#held = undefined;
        sink.frameTooLarge(held[3] ?? 0, streamIdAt(held, 0));
        return -1;
      }
      const whole = Buffer.allocUnsafe(FRAME_HEADER_BYTES + length);
      held.copy(whole, 0, 0, FRAME_HEADER_BYTES);
      held = whole;
      this.#held = whole;
    }
    at += this.#fill(held, held.length, from, at, end);
    if (this.#heldBytes < held.length) return end;
    this.#held = undefined;
    this.#heldBytes = 0;
    return emit(held, 0, held.length - FRAME_HEADER_BYTES, sink) < 0 ? -1 : at;
  }

  #fill(held: Buffer, until: number, from: Buffer, at: number, end: number): number {
    const count = Math.min(until - this.#heldBytes, end - at);
    from.copy(held, this.#heldBytes, at, at + count);
    this.#heldBytes += count;
    return count;
  }
}

function emit(from: Buffer, at: number, length: number, sink: FrameSink): number {
  const start = at + FRAME_HEADER_BYTES;
  const goOn = sink.frame(from[at + 3] ?? 0, from[at + 4] ?? 0, streamIdAt(from, at), from, start, start + length);
  return goOn ? start + length : -1;
}

function payloadBytes(from: Buffer, at: number): number {
  return ((from[at] ?? 0) << 16) | ((from[at + 1] ?? 0) << 8) | (from[at + 2] ?? 0);
}

/** Section 4.1: the first bit is reserved and ignored. */
function streamIdAt(from: Buffer, at: number): number {
  return (
    (((from[at + 5] ?? 0) & 127) << 24) | ((from[at + 6] ?? 0) << 16) | ((from[at + 7] ?? 0) << 8) | (from[at + 8] ?? 0)
  );
}
