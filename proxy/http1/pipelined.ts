import { MAX_PIPELINED_BYTES } from './limits.ts';

/** What a client sent behind a request that is still being answered. Copies: the read's buffer belongs to the next read. */
export class Pipelined {
  #pieces: Buffer[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** Beyond this the client's socket is not read. */
  get isFull(): boolean {
    return this.#bytes > MAX_PIPELINED_BYTES;
  }

  keep(from: Buffer, start: number, end: number): void {
    this.#pieces.push(Buffer.from(from.subarray(start, end)));
    this.#bytes += end - start;
  }

  /** Everything, in one piece; nothing is left here. */
  take(): Buffer {
    const whole = Buffer.concat(this.#pieces);
    this.clear();
    return whole;
  }

  clear(): void {
    this.#pieces = [];
    this.#bytes = 0;
  }
}
