import type { Socket } from 'node:net';
import { JOINED_PIECE_BYTES } from '../http1/limits.ts';
import { DirectWriter } from './direct-write.ts';
import { writeCopy } from './write-copy.ts';

/** Larger text is rare enough for the stream, which counts what waits more finely. */
const MAX_DIRECT_BYTES = 16 * 1024;

/**
 * What is to be written to one socket in this turn. Pieces gather as one latin1 string, so that a message that is at hand
 * whole leaves in a single write; a large piece is copied and written as bytes of its own.
 */
export class Outbox {
  readonly #socket: Socket;
  #direct: DirectWriter | undefined = undefined;
  #text = '';

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get isEmpty(): boolean {
    return this.#text === '';
  }

  /** The socket has more to carry than it should. */
  get isBlocked(): boolean {
    return this.#socket.writableNeedDrain || this.#direct?.isBlocked === true;
  }

  text(piece: string): void {
    this.#text += piece;
  }

  bytes(from: Buffer, start: number, end: number): void {
    if (end - start <= JOINED_PIECE_BYTES) {
      this.#text += from.toString('latin1', start, end);
      return;
    }
    this.flush();
    writeCopy(this.#socket, from, start, end);
  }

  /** Writes what has gathered. False when the socket has more to carry than it should: then stop reading the other side. */
  flush(): boolean {
    if (this.#text !== '') {
      const text = this.#text;
      this.#text = '';
      this.#direct ??= new DirectWriter(this.#socket);
      if (text.length > MAX_DIRECT_BYTES || !this.#direct.write(text)) this.#socket.write(text, 'latin1');
    }
    return !this.isBlocked;
  }
}
