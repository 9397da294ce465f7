import type { Socket } from 'node:net';
import { JOINED_PIECE_BYTES } from '../http1/limits.ts';
import { writeCopy } from './write-copy.ts';

/**
 * What is to be written to one socket in this turn. Pieces gather as one latin1 string, so that a message that is at hand
 * whole leaves in a single write; a large piece is copied and written as bytes of its own.
 */
export class Outbox {
  readonly #socket: Socket;
  #text = '';

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get isEmpty(): boolean {
    return this.#text === '';
  }

  /** The socket has more to carry than it should. */
  get isBlocked(): boolean {
    return this.#socket.writableNeedDrain;
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
      this.#socket.write(text, 'latin1');
    }
    return !this.#socket.writableNeedDrain;
  }
}
