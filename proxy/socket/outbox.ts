import type { Socket } from 'node:net';
import { JOINED_PIECE_BYTES } from '../http1/limits.ts';
import { DirectWriter } from './direct-write.ts';
import { atTurnEnd } from './turn-end.ts';
import { writeCopy } from './write-copy.ts';

/** Larger text is rare enough for the stream, which counts what waits more finely. */
const MAX_DIRECT_BYTES = 16 * 1024;

/** A turn with more to read than this does not keep the first of them waiting to its end. */
const MAX_WAITING = 64;
/** After so many turns with one writer each there is nothing to put together: waiting would cost, and gain nothing. */
const MAX_LONELY_TURNS = 4;
/** So many flushes are then done at once before one waits again, to see. */
const NOT_WAITING = 64;

/** Those that write when this turn ends. */
let waiting: Outbox[] = [];
let lonelyTurns = 0;
let notWaiting = 0;

const allWaiting = {
  flushNow: (): void => {
    const outboxes = waiting;
    waiting = [];
    for (const outbox of outboxes) outbox.flush();
    if (outboxes.length === 0) return;
    lonelyTurns = outboxes.length > 1 ? 0 : lonelyTurns + 1;
    if (lonelyTurns >= MAX_LONELY_TURNS) notWaiting = NOT_WAITING;
  },
};

/**
 * What is to be written to one socket in this turn. Pieces gather as one latin1 string, so that a message that is at hand
 * whole leaves in a single write; a large piece is copied and written as bytes of its own.
 */
export class Outbox {
  readonly #socket: Socket;
  #direct: DirectWriter | undefined = undefined;
  #text = '';
  #isWaiting = false;
  /** Something was handed to the socket; for its owner to take back. */
  written = false;

  constructor(socket: Socket) {
    this.#socket = socket;
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
    this.written = true;
    writeCopy(this.#socket, from, start, end);
  }

  /** Writes what has gathered. False when the socket has more to carry than it should: then stop reading the other side. */
  flush(): boolean {
    const text = this.#text;
    if (text !== '' && !this.#socket.destroyed) {
      this.written = true;
      this.#direct ??= new DirectWriter(this.#socket);
      if (text.length > MAX_DIRECT_BYTES || !this.#direct.write(text)) this.#socket.write(text, 'latin1');
    }
    this.#text = '';
    this.#isWaiting = false;
    return !this.isBlocked;
  }

  /**
   * As flush, when all that this turn has to read has been read. Reading and writing by turns, each finds the processor's caches full of
   * the other. Who writes to the socket by another way, or ends it, flushes before.
   */
  flushSoon(): boolean {
    if (this.#text.length > MAX_DIRECT_BYTES) return this.flush();
    if (this.#isWaiting || this.#text === '') return !this.isBlocked;
    if (notWaiting > 0) {
      notWaiting--;
      return this.flush();
    }
    this.#isWaiting = true;
    const count = waiting.push(this);
    if (count === 1) atTurnEnd(allWaiting);
    else if (count === MAX_WAITING) allWaiting.flushNow();
    return !this.isBlocked;
  }
}
