import type { Clock } from '../../kit/clock.ts';

/** After so long others get a turn: the API server lives in the same process. */
const SLICE_MS = 10;

/**
 * Those that are to be looked at, each once, however often it was asked for. Worked off in slices with the event loop in between,
 * so that a thousand proxies that come at once, or one change for all of them, hold up nobody else.
 */
export class PushQueue<T> {
  readonly #clock: Clock;
  readonly #push: (one: T) => void;
  readonly #waiting = new Set<T>();
  #planned = false;

  constructor(clock: Clock, push: (one: T) => void) {
    this.#clock = clock;
    this.#push = push;
  }

  get size(): number {
    return this.#waiting.size;
  }

  add(one: T): void {
    this.#waiting.add(one);
    this.#plan();
  }

  delete(one: T): void {
    this.#waiting.delete(one);
  }

  #slice(): void {
    this.#planned = false;
    const until = this.#clock.monotonic() + SLICE_MS;
    for (const one of this.#waiting) {
      this.#waiting.delete(one);
      this.#push(one);
      if (this.#clock.monotonic() >= until) break;
    }
    if (this.#waiting.size > 0) this.#plan();
  }

  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    setImmediate(() => this.#slice());
  }
}
