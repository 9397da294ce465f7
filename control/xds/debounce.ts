import type { Clock, Timer } from '../../kit/clock.ts';

export interface DebounceOptions {
  /** Runs when nothing was asked for this long, */
  readonly quietMs: number;
  /** and at the latest this long after the first asking. */
  readonly maxMs: number;
}

/** Turns a burst of askings into one run. */
export class Debounce {
  readonly #clock: Clock;
  readonly #options: DebounceOptions;
  readonly #run: () => void;
  #timer: Timer | undefined = undefined;
  #firstMs = 0;
  #closed = false;

  constructor(clock: Clock, options: DebounceOptions, run: () => void) {
    this.#clock = clock;
    this.#options = options;
    this.#run = run;
  }

  ask(): void {
    if (this.#closed) return;
    const now = this.#clock.monotonic();
    if (this.#timer === undefined) this.#firstMs = now;
    this.#timer?.stop();
    const left = this.#firstMs + this.#options.maxMs - now;
    this.#timer = this.#clock.timer(Math.max(0, Math.min(this.#options.quietMs, left)), () => {
      this.#timer = undefined;
      this.#run();
    });
  }

  close(): void {
    this.#closed = true;
    this.#timer?.stop();
    this.#timer = undefined;
  }
}
