import { JOINED_PIECE_BYTES } from '../http1/limits.ts';
import {
  CONTINUATION,
  DATA,
  DEFAULT_WINDOW_BYTES,
  END_HEADERS,
  END_STREAM,
  frameHeader,
  HEADERS,
  MAX_WINDOW_BYTES,
} from './frame.ts';
import { NO_DYNAMIC_TABLE } from './hpack/encoder.ts';
import type { PeerSettings } from './settings.ts';
import type { Stream } from './stream.ts';

/** Where a session writes; socket/outbox.ts is one. */
export interface SessionOut {
  /** latin1. */
  text(piece: string): void;
  bytes(from: Buffer, start: number, end: number): void;
  /** The peer takes less than it is sent. */
  readonly isBlocked: boolean;
}

export interface OutgoingEvents {
  /** Something was written, or is held back until `settle`. */
  wrote(): void;
  /** Our side of the stream has ended. */
  sentEnd(stream: Stream): void;
  /** DATA with something in it was sent. */
  sentData(): void;
}

/** What leaves a session: frames in order, data within the peer's windows, and what waits for those. */
export class Outgoing {
  readonly #out: SessionOut;
  readonly #peer: PeerSettings;
  readonly #events: OutgoingEvents;
  readonly #blocked = new Set<Stream>();
  #window = DEFAULT_WINDOW_BYTES;
  #firstBlock = true;
  /** The last piece of data is held back for as long as nothing follows it: most often that is its stream's end, which joins it. */
  #tail = '';
  #tailOf: Stream | undefined = undefined;

  constructor(out: SessionOut, peer: PeerSettings, events: OutgoingEvents) {
    this.#out = out;
    this.#peer = peer;
    this.#events = events;
  }

  get isBlocked(): boolean {
    return this.#out.isBlocked;
  }

  write(frame: string): void {
    this.settle();
    this.#out.text(frame);
    this.#events.wrote();
  }

  /** What was held back leaves too; to be called before the socket is written to. */
  settle(): void {
    if (this.#tailOf !== undefined) this.#releaseTail(this.#tailOf, 0);
  }

  /** A header block of hpack/encoder.ts. */
  block(streamId: number, fields: string, endStream: number): void {
    const block = this.#firstBlock ? NO_DYNAMIC_TABLE + fields : fields;
    this.#firstBlock = false;
    const most = this.#peer.maxFrameBytes;
    if (block.length <= most) {
      this.write(frameHeader(block.length, HEADERS, END_HEADERS | endStream, streamId) + block);
      return;
    }
    this.write(frameHeader(most, HEADERS, endStream, streamId) + block.slice(0, most));
    for (let at = most; at < block.length; at += most) {
      const piece = block.slice(at, at + most);
      const flags = at + most >= block.length ? END_HEADERS : 0;
      this.write(frameHeader(piece.length, CONTINUATION, flags, streamId) + piece);
    }
  }

  /** `text`: the same bytes as latin1, where they are at hand. */
  data(stream: Stream, from: Buffer, start: number, end: number, text: string | undefined): void {
    const at = stream.queuedBytes === 0 ? this.#emit(stream, from, start, end, text) : start;
    if (at === end) return;
    stream.queue.push(Buffer.from(from.subarray(at, end)));
    stream.queuedBytes += end - at;
    this.#blocked.add(stream);
  }

  /** Ends our side of the stream behind what is queued, with a block of trailers or ''. */
  end(stream: Stream, trailers: string): void {
    if (stream.queuedBytes > 0) stream.queuedEnd = trailers;
    else this.#emitEnd(stream, trailers);
  }

  /** The peer has more room; false when that is more than a window can be. */
  grow(increment: number): boolean {
    this.#window += increment;
    if (this.#window > MAX_WINDOW_BYTES) return false;
    this.unblock();
    return true;
  }

  /** Each stream that waits gets its turn; one that still waits goes behind the others. */
  unblock(): void {
    if (this.#blocked.size === 0) return;
    for (const stream of Array.from(this.#blocked)) this.drain(stream);
  }

  /** Sends what a stream has queued, as far as the windows go, and tells its user when nothing is left. */
  drain(stream: Stream): void {
    this.#blocked.delete(stream);
    while (stream.queue.length > 0) {
      const piece = stream.queue[0];
      if (piece === undefined) break;
      const at = this.#emit(stream, piece, 0, piece.length, undefined);
      stream.queuedBytes -= at;
      if (at < piece.length) {
        stream.queue[0] = piece.subarray(at);
        this.#blocked.add(stream);
        return;
      }
      stream.queue.shift();
    }
    if (stream.queuedEnd !== undefined && !stream.localEnded) this.#emitEnd(stream, stream.queuedEnd);
    else stream.user?.drained();
  }

  /** The stream is over: nothing of it is sent any more. */
  forget(stream: Stream): void {
    this.#blocked.delete(stream);
    stream.queue.length = 0;
    stream.queuedBytes = 0;
    if (this.#tailOf !== stream) return;
    this.#window += this.#tail.length;
    this.#tailOf = undefined;
    this.#tail = '';
  }

  /** Returns the offset behind what the windows had room for. */
  #emit(stream: Stream, from: Buffer, start: number, end: number, text: string | undefined): number {
    let at = start;
    while (at < end) {
      const count = Math.min(end - at, stream.sendWindow, this.#window, this.#peer.maxFrameBytes);
      if (count <= 0) return at;
      stream.sendWindow -= count;
      this.#window -= count;
      this.settle();
      if (count <= JOINED_PIECE_BYTES) {
        this.#tail = text !== undefined && text.length === count ? text : from.toString('latin1', at, at + count);
        this.#tailOf = stream;
      } else {
        this.#out.text(frameHeader(count, DATA, 0, stream.id));
        this.#out.bytes(from, at, at + count);
      }
      this.#events.sentData();
      this.#events.wrote();
      at += count;
    }
    return at;
  }

  #emitEnd(stream: Stream, trailers: string): void {
    if (trailers !== '') this.block(stream.id, trailers, END_STREAM);
    else if (this.#tailOf === stream) this.#releaseTail(stream, END_STREAM);
    else this.write(frameHeader(0, DATA, END_STREAM, stream.id));
    this.#events.sentEnd(stream);
  }

  #releaseTail(stream: Stream, flags: number): void {
    this.#out.text(frameHeader(this.#tail.length, DATA, flags, stream.id) + this.#tail);
    this.#tailOf = undefined;
    this.#tail = '';
  }
}
