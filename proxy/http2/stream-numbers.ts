import { MAX_STREAM_ID } from './frame.ts';
import { MAX_REMEMBERED_RESETS } from './limits.ts';

/** Which streams there have been (RFC 9113 section 5.1.1): what may come for a stream depends on it when the stream is gone. */
export class StreamNumbers {
  readonly #role: 'server' | 'client';
  /** Highest stream of the peer's that was opened. */
  #lastPeer = 0;
  #nextOwn = 1;
  /** Streams that we reset: what was on its way to them is ignored (section 5.1). The oldest are forgotten. */
  readonly #resets = new Set<number>();

  constructor(role: 'server' | 'client') {
    this.#role = role;
  }

  get lastPeer(): number {
    return this.#lastPeer;
  }

  /** A client's side may open no more streams than a connection has numbers for. */
  get isExhausted(): boolean {
    return this.#nextOwn > MAX_STREAM_ID;
  }

  takeOwn(): number {
    const id = this.#nextOwn;
    this.#nextOwn += 2;
    return id;
  }

  /** The peer opens a stream; false when the number is not one for it to take. */
  takePeer(streamId: number): boolean {
    if (this.#role === 'client' || streamId % 2 === 0) return false;
    this.#lastPeer = streamId;
    return true;
  }

  /** Nobody has opened it yet. */
  isIdle(streamId: number): boolean {
    if (streamId === 0) return true;
    const own = streamId % 2 === (this.#role === 'client' ? 1 : 0);
    return own ? streamId >= this.#nextOwn || this.#role === 'server' : streamId > this.#lastPeer;
  }

  /** What comes for a stream that this side gave up was on its way. A client's side gives up at will. */
  mayBeLate(streamId: number): boolean {
    return this.#resets.has(streamId) || (this.#role === 'client' && !this.isIdle(streamId));
  }

  wasReset(streamId: number): void {
    this.#resets.add(streamId);
    if (this.#resets.size <= MAX_REMEMBERED_RESETS) return;
    for (const oldest of this.#resets) {
      this.#resets.delete(oldest);
      break;
    }
  }
}
