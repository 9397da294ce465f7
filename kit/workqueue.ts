import { type Backoff, backoffMs } from './backoff.ts';
import type { Clock, Timer } from './clock.ts';
import type { Random } from './random.ts';

export interface WorkqueueOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Runs for one key at a time; a key that is added while its work runs is run again after. Throwing means: retry. */
  readonly work: (key: string, signal: AbortSignal) => Promise<WorkResult>;
  /** Called on each failure, before the retry is planned. */
  readonly onError: (key: string, error: unknown, attempt: number) => void;
  readonly concurrency?: number;
  readonly backoff?: Backoff;
}

/** `requeueAfterMs` asks for another look later, for deadlines that no event announces. */
export type WorkResult = { readonly requeueAfterMs?: number } | undefined;

// client-go's controller defaults are 5 ms to 1000 s (workqueue/default_rate_limiters.go); nothing here should sleep a quarter hour.
const DEFAULT_BACKOFF: Backoff = { baseMs: 5, maxMs: 30_000 };

/**
 * The shell of every controller: a set of dirty keys, worked off level-triggered. Adding a key that waits already is
 * free; no key is ever worked twice at once; a failing key comes back with growing delay.
 */
export class Workqueue {
  readonly #options: WorkqueueOptions;
  readonly #ready: string[] = [];
  readonly #dirty = new Set<string>();
  readonly #running = new Set<string>();
  readonly #attempts = new Map<string, number>();
  readonly #later = new Map<string, { readonly at: number; readonly timer: Timer }>();
  readonly #abort = new AbortController();
  #idle: (() => void)[] = [];

  constructor(options: WorkqueueOptions) {
    this.#options = options;
  }

  add(key: string): void {
    if (this.#abort.signal.aborted || this.#dirty.has(key)) return;
    this.#dirty.add(key);
    if (!this.#running.has(key)) {
      this.#ready.push(key);
      this.#start();
    }
  }

  /** Plans a look at `key`; an earlier plan for the same key stays. */
  addAfter(key: string, delayMs: number): void {
    if (this.#abort.signal.aborted) return;
    const at = this.#options.clock.monotonic() + delayMs;
    const planned = this.#later.get(key);
    if (planned !== undefined) {
      if (planned.at <= at) return;
      planned.timer.stop();
    }
    const timer = this.#options.clock.timer(delayMs, () => {
      this.#later.delete(key);
      this.add(key);
    });
    this.#later.set(key, { at, timer });
  }

  /** Keys that wait or run now; those planned for later do not count. */
  get depth(): number {
    return this.#ready.length + this.#running.size;
  }

  /** Takes no more work, aborts what runs, and resolves when the last work has returned. */
  async close(): Promise<void> {
    this.#abort.abort(new Error('work queue closed'));
    for (const { timer } of this.#later.values()) timer.stop();
    this.#later.clear();
    this.#ready.length = 0;
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #start(): void {
    while (this.#running.size < (this.#options.concurrency ?? 1)) {
      const key = this.#ready.shift();
      if (key === undefined) return;
      this.#dirty.delete(key);
      this.#running.add(key);
      void this.#run(key);
    }
  }

  async #run(key: string): Promise<void> {
    try {
      const result = await this.#options.work(key, this.#abort.signal);
      this.#attempts.delete(key);
      if (result?.requeueAfterMs !== undefined) this.addAfter(key, result.requeueAfterMs);
    } catch (error) {
      if (!this.#abort.signal.aborted) {
        const attempt = this.#attempts.get(key) ?? 0;
        this.#attempts.set(key, attempt + 1);
        this.#options.onError(key, error, attempt);
        this.addAfter(key, backoffMs(attempt, this.#options.backoff ?? DEFAULT_BACKOFF, this.#options.random));
      }
    } finally {
      this.#running.delete(key);
      if (this.#dirty.has(key)) this.#ready.push(key);
      if (this.#abort.signal.aborted) {
        this.#ready.length = 0;
        if (this.#running.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
      } else this.#start();
    }
  }
}
