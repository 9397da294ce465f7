import { MAX_BLOCK_BYTES, MAX_BLOCK_FRAMES } from './limits.ts';

/** A header block that goes on in CONTINUATION frames; one at a time, for nothing may come between (RFC 9113 section 4.3). */
export class HeaderBlock {
  /** 0 when no block is open. */
  streamId = 0;
  /** Of the HEADERS frame that began it. */
  flags = 0;
  #pieces: Buffer[] = [];
  #bytes = 0;

  get isOpen(): boolean {
    return this.streamId !== 0;
  }

  begin(streamId: number, flags: number): void {
    this.streamId = streamId;
    this.flags = flags;
    this.#pieces = [];
    this.#bytes = 0;
  }

  /** False when it has grown beyond what we take. */
  append(from: Buffer, start: number, end: number): boolean {
    this.#bytes += end - start;
    this.#pieces.push(Buffer.from(from.subarray(start, end)));
    return this.#bytes <= MAX_BLOCK_BYTES && this.#pieces.length <= MAX_BLOCK_FRAMES;
  }

  /** The whole block; none is open any more. */
  take(): Buffer {
    const block = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.streamId = 0;
    return block;
  }
}
