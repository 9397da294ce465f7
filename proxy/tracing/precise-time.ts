import type { Clock } from '../../kit/clock.ts';

/** The wall clock may be set: then the spans follow it. */
const MAX_DRIFT_MS = 50;

/** Wall time with fractions of a millisecond: whole milliseconds are longer than most spans. The monotonic clock's are put on it. */
export class PreciseTime {
  readonly #clock: Clock;
  #offsetMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offsetMs = clock.now() - clock.monotonic();
  }

  /** Milliseconds since the epoch. */
  now(): number {
    const monotonic = this.#clock.monotonic();
    const offset = this.#clock.now() - monotonic;
    if (Math.abs(offset - this.#offsetMs) > MAX_DRIFT_MS) this.#offsetMs = offset;
    return monotonic + this.#offsetMs;
  }
}
