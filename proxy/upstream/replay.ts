import { MAX_REPLAY_BYTES } from '../http1/limits.ts';

/**
 * The part of a request's body that has come, framed as it is sent, kept for another try. Once more than the limit is on its
 * way it is let go: then there is no other try.
 */
export class Replay {
  #text = '';
  #open = true;

  /** Everything that came is still here. */
  get isWhole(): boolean {
    return this.#open;
  }

  get text(): string {
    return this.#text;
  }

  get isFull(): boolean {
    return this.#text.length > MAX_REPLAY_BYTES;
  }

  append(piece: string): void {
    if (this.#open) this.#text += piece;
  }

  letGo(): void {
    this.#text = '';
    this.#open = false;
  }
}
