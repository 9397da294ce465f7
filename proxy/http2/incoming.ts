import { DEFAULT_WINDOW_BYTES, windowFrame } from './frame.ts';
import { CONNECTION_WINDOW_BYTES } from './limits.ts';
import type { Outgoing } from './outgoing.ts';
import type { Stream } from './stream.ts';

/** What the peer may still send: windows that shrink as data comes, and grow again as our users take it. */
export class Incoming {
  readonly #outgoing: Outgoing;
  #window = CONNECTION_WINDOW_BYTES;
  #unreturned = 0;

  constructor(outgoing: Outgoing) {
    this.#outgoing = outgoing;
  }

  /** The peer has hardly any room left to send in, on any stream: streams that we hold back keep it. */
  get isStarving(): boolean {
    return this.#window < DEFAULT_WINDOW_BYTES;
  }

  /** Data has come, padding included; false when the connection had no window for it. */
  take(bytes: number): boolean {
    this.#window -= bytes;
    return this.#window >= 0;
  }

  /**
   * A stream's user has taken `count` bytes. Half a window is given back at a time: one WINDOW_UPDATE for many DATA. What a stream keeps
   * back is its own affair: together many of them would keep back all of the connection's window, and nobody could send any more.
   */
  returnTo(stream: Stream, count: number): void {
    stream.unreturned += count;
    stream.withheld += count;
    if (stream.paused) return;
    this.release(stream);
    if (stream.unreturned === 0 || (count > 0 && stream.unreturned < DEFAULT_WINDOW_BYTES >> 1)) return;
    const bytes = stream.unreturned;
    stream.unreturned = 0;
    stream.receiveWindow += bytes;
    if (!stream.remoteEnded) this.#outgoing.write(windowFrame(stream.id, bytes));
  }

  /** The connection's window has what the stream's user has taken, or will never take. */
  release(stream: Stream): void {
    const bytes = stream.withheld;
    stream.withheld = 0;
    this.returnToConnection(bytes);
  }

  /** Bytes that nobody will take any more. */
  returnToConnection(count: number): void {
    this.#unreturned += count;
    if (this.#unreturned < CONNECTION_WINDOW_BYTES >> 1) return;
    this.#window += this.#unreturned;
    this.#outgoing.write(windowFrame(0, this.#unreturned));
    this.#unreturned = 0;
  }
}
