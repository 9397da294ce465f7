import type { Clock, Timer } from '../../kit/clock.ts';
import { takeBatch } from './batch.ts';
import { type Change, type Changes, CompactedError, FutureRevisionError, type WatchOptions } from './store.ts';

/** How long a watch that has seen nothing of its own waits before it is told the store's revision. */
const PROGRESS_MS = 1000;

/** The engine, as watches read it. */
export interface WatchedLog {
  readonly revision: number;
  /** Changes up to and including this revision are forgotten. */
  readonly compacted: number;
  /**
   * Changes after a revision that is kept, under a prefix, oldest first. An iterable is read at once, within one turn; an engine whose
   * log is elsewhere gives a batch when it has it.
   */
  since(after: number, prefix: string): Iterable<Change> | Promise<Changes>;
  /** Resolves when `revision` is no less than it was at this call: for an engine that hears of writes later than their writer. */
  fresh?(): Promise<void>;
}

type Wake = 'start' | 'changes' | 'progress' | 'end';

/** A watch that has read all there is for it. */
interface Waiter {
  readonly prefix: string;
  /** Nothing up to here concerns it. Rises with what others write, so that compaction cannot overtake who waits. */
  reached: number;
  /** The revision that its reader knows of. */
  readonly told: number;
  readonly wake: (why: Wake) => void;
}

/**
 * Every watch of a store. A watch is a position in the log and nothing more: it reads on when its reader asks, so a slow
 * reader costs no memory, and one that compaction overtakes falls out with CompactedError.
 */
export class Watchers {
  readonly #log: WatchedLog;
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiter>();
  #progress: Timer | undefined;
  #closed = false;

  constructor(log: WatchedLog, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  async *watch(prefix: string, { after, signal }: WatchOptions): AsyncGenerator<Changes, void, undefined> {
    let reached = after;
    let told = -1;
    let why: Wake = 'start';
    while (why !== 'end' && !this.#closed && !signal.aborted) {
      if (why === 'start' && this.#log.fresh !== undefined) await this.#log.fresh();
      const reading = this.#read(reached, prefix);
      const batch = reading instanceof Promise ? await reading : reading;
      reached = batch.revision;
      if (batch.changes.length > 0 || why !== 'changes') {
        told = reached;
        yield batch;
      }
      if (this.#log.revision > reached) {
        // More has come while the reader was busy; whether it concerns this watch, only reading tells.
        why = 'changes';
      } else {
        const woken = await this.#wait(prefix, { reached, told }, signal);
        why = woken.why;
        reached = woken.reached;
      }
    }
  }

  /** Wakes the watches that these new changes concern. Call when they are durable. */
  announce(changes: readonly Change[]): void {
    const revision = this.#log.revision;
    for (const waiter of this.#waiting) {
      if (changes.some(({ key }) => key.startsWith(waiter.prefix))) waiter.wake('changes');
      else waiter.reached = revision;
    }
    if (this.#waiting.size > 0) this.#tellProgressLater();
  }

  /** Wakes every watch to look again: the log does not go on from where it was, and who is behind its start falls out. */
  recheck(): void {
    for (const waiter of this.#waiting) waiter.wake('changes');
  }

  close(): void {
    this.#closed = true;
    this.#progress?.stop();
    for (const waiter of this.#waiting) waiter.wake('end');
  }

  #read(after: number, prefix: string): Changes | Promise<Changes> {
    if (after < this.#log.compacted) throw new CompactedError(after, this.#log.compacted);
    if (after > this.#log.revision) throw new FutureRevisionError(after, this.#log.revision);
    const run = this.#log.since(after, prefix);
    return run instanceof Promise ? run : takeBatch(run, this.#log.revision);
  }

  #wait(
    prefix: string,
    { reached, told }: Pick<Waiter, 'reached' | 'told'>,
    signal: AbortSignal,
  ): Promise<{ why: Wake; reached: number }> {
    if (this.#closed || signal.aborted) return Promise.resolve({ why: 'end', reached });
    if (told < this.#log.revision) this.#tellProgressLater();
    return new Promise((resolve) => {
      const onAbort = (): void => waiter.wake('end');
      const waiter: Waiter = {
        prefix,
        reached,
        told,
        wake: (why) => {
          this.#waiting.delete(waiter);
          signal.removeEventListener('abort', onAbort);
          if (this.#waiting.size === 0) this.#stopProgress();
          resolve({ why, reached: waiter.reached });
        },
      };
      this.#waiting.add(waiter);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  #tellProgressLater(): void {
    this.#progress ??= this.#clock.timer(PROGRESS_MS, () => {
      this.#progress = undefined;
      for (const waiter of this.#waiting) if (waiter.told < this.#log.revision) waiter.wake('progress');
    });
  }

  #stopProgress(): void {
    this.#progress?.stop();
    this.#progress = undefined;
  }
}
