import type { Clock, Timer } from '../../kit/clock.ts';

export interface DebounceOptions {
  /** Runs when nothing was asked for this long, */
  readonly quietMs: number;
  /** and at the latest this long after the first asking. */
  readonly maxMs: number;
  /** While this holds, what a run leads to is not done with yet: it waits, but no longer than `busyMs` after the first asking. */
  readonly busy?: () => boolean;
  readonly busyMs?: number;
}

/** Turns a burst of askings into one run. */
export class Debounce {
  readonly #clock: Clock;
  readonly #options: DebounceOptions;
  readonly #run: () => void;
  #timer: Timer | undefined = undefined;
  #firstMs = 0;
  #lastMs = 0;
  #closed = false;

  constructor(clock: Clock, options: DebounceOptions, run: () => void) {
    this.#clock = clock;
    this.#options = options;
    this.#run = run;
  }

  ask(): void {
    if (this.#closed) return;
    this.#lastMs = this.#clock.monotonic();
    if (this.#timer !== undefined) return;
    this.#firstMs = this.#lastMs;
    this.#wait(Math.min(this.#options.quietMs, this.#options.maxMs));
  }

  close(): void {
    this.#closed = true;
    this.#timer?.stop();
    this.#timer = undefined;
  }

  /** One timer for a burst, however many ask: thousands a second do. */
  #wait(delayMs: number): void {
    this.#timer = this.#clock.timer(delayMs, () => {
      const leftMs = this.#leftMs(this.#clock.monotonic());
      if (leftMs > 0) {
        this.#wait(leftMs);
        return;
      }
      this.#timer = undefined;
      this.#run();
    });
  }

  #leftMs(nowMs: number): number {
    const { quietMs, maxMs, busy, busyMs = maxMs } = this.#options;
    const dueMs = Math.min(this.#lastMs + quietMs, this.#firstMs + maxMs);
    if (dueMs > nowMs || busy?.() !== true) return dueMs - nowMs;
    return Math.min(quietMs, this.#firstMs + busyMs - nowMs);
  }
}
