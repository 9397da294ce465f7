import { flushCompileCache } from 'node:module';
import type { Clock, Timer } from '../kit/clock.ts';

/** What the first configuration set going has been compiled by then. */
const KEEP_AFTER_MS = 1000;

/**
 * Leaves the code that this process has compiled to those that start after it (NODE_COMPILE_CACHE). Node itself does so when a process
 * ends; a node's proxies are started while the first of them runs. Costs a process nothing that found its code there.
 */
export class CompiledCode {
  readonly #clock: Clock;
  #timer: Timer | undefined = undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be told when the process does what it is for; once is enough. */
  works(): void {
    this.#timer ??= this.#clock.timer(KEEP_AFTER_MS, flushCompileCache);
  }

  close(): void {
    this.#timer?.stop();
  }
}
