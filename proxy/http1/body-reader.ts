import { type BodySink, ChunkDecoder } from './chunk-decoder.ts';

/** How a message's end is known (RFC 9112 section 6.3). Never guessed: the head has said it. */
export type Framing = 'none' | 'length' | 'chunked' | 'until-close';

/** Finds the end of one message's body and hands on what is in it. One per connection, used again. */
export class BodyReader {
  framing: Framing = 'none';
  #left = 0;
  #chunks: ChunkDecoder | undefined = undefined;

  start(framing: Framing, length: number): void {
    this.framing = framing;
    this.#left = framing === 'length' ? length : 0;
    if (framing === 'chunked') {
      this.#chunks ??= new ChunkDecoder();
      this.#chunks.reset();
    }
  }

  /** What came behind a chunked body that is done (RFC 9112 section 7.1.2); '' otherwise. */
  get trailer(): string {
    return this.framing === 'chunked' ? (this.#chunks?.trailer ?? '') : '';
  }

  get done(): boolean {
    switch (this.framing) {
      case 'none':
        return true;
      case 'length':
        return this.#left === 0;
      case 'chunked':
        return this.#chunks?.done === true;
      case 'until-close':
        return false;
      default:
        return this.framing satisfies never;
    }
  }

  /** As ChunkDecoder.feed: the offset behind what belongs to this body, or -1 when it is malformed. */
  feed(from: Buffer, start: number, end: number, sink: BodySink): number {
    switch (this.framing) {
      case 'none':
        return start;
      case 'length': {
        const stop = Math.min(end, start + this.#left);
        this.#left -= stop - start;
        if (stop > start) sink.bodyBytes(from, start, stop);
        return stop;
      }
      case 'chunked':
        return this.#chunks?.feed(from, start, end, sink) ?? -1;
      case 'until-close':
        if (end > start) sink.bodyBytes(from, start, end);
        return end;
      default:
        return this.framing satisfies never;
    }
  }
}
