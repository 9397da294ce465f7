import type { Clock } from '../../../kit/clock.ts';
import { ChangeHistory } from '../change-history.ts';
import { type Change, StoreClosedError } from '../store.ts';
import type { RedisConnection } from './connection.ts';
import { type LogItem, parseLogItem } from './stored-entry.ts';

/** What watches find in memory; who is further behind reads the stream. */
const RECENT = { maxChanges: 10_000, maxLength: 16 * 1024 * 1024 };

/** One XREAD waits so long; then the store is asked how it is, which also tells of others' compaction. */
const BLOCK_MS = 1000;
const MOST_ITEMS = 256;
const PAUSE_MS = 100;

export interface LogTailOptions {
  /** A connection of its own: XREAD blocks it. */
  readonly connection: RedisConnection;
  readonly clock: Clock;
  readonly logKey: string;
  /** Tells of what has come, each revision whole and once, in order. */
  readonly onChanges: (changes: readonly Change[]) => void;
  /** The stream said nothing for a while, or has a gap: see how the store is. Calls `restart` when the log does not go on. */
  readonly look: () => Promise<void>;
}

interface Awaiting {
  readonly revision: number;
  readonly done: () => void;
  readonly failed: (error: Error) => void;
}

/** Follows the log's stream and keeps its newest part. */
export class LogTail {
  readonly #options: LogTailOptions;
  #recent = new ChangeHistory(0, RECENT);
  #revision = 0;
  #mutation = '';
  #awaiting: Awaiting[] = [];
  #closed = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: LogTailOptions) {
    this.#options = options;
  }

  /** How far it has read. */
  get revision(): number {
    return this.#revision;
  }

  /** The mutation of that revision; empty when nothing was read yet. */
  get mutation(): string {
    return this.#mutation;
  }

  get recent(): ChangeHistory {
    return this.#recent;
  }

  start(revision: number): void {
    this.restart(revision);
    this.#running = this.#follow();
  }

  /** Goes on from here: what was read before is not what led here. */
  restart(revision: number): void {
    this.#recent = new ChangeHistory(revision, RECENT);
    this.#revision = revision;
    this.#mutation = '';
    this.#wake();
  }

  /** Resolves when it has read this revision. */
  reached(revision: number): Promise<void> {
    if (this.#revision >= revision) return Promise.resolve();
    if (this.#closed) return Promise.reject(new StoreClosedError());
    return new Promise((done, failed) => this.#awaiting.push({ revision, done, failed }));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#options.connection.close();
    for (const { failed } of this.#awaiting.splice(0)) failed(new StoreClosedError());
    await this.#running;
  }

  async #follow(): Promise<void> {
    const { connection, clock, logKey, look } = this.#options;
    while (!this.#closed) {
      try {
        const from = this.#revision;
        const reply = (await connection.call(
          ...(['XREAD', 'COUNT', MOST_ITEMS, 'BLOCK', BLOCK_MS, 'STREAMS', logKey, `${from}-0`] as const),
        )) as readonly unknown[] | null;
        if (this.#revision !== from) continue;
        const whole = reply === null ? false : this.#take(itemsOf(reply));
        if (!whole) await look();
      } catch {
        // Whoever waits for an answer hears of a lost connection; here it is tried again until it works.
        if (!this.#closed) await clock.sleep(PAUSE_MS);
      }
    }
  }

  /** False when the stream does not go on where this ended. */
  #take(items: readonly LogItem[]): boolean {
    const told: Change[] = [];
    let whole = true;
    for (const item of items) {
      const { revision, mutation, changes } = parseLogItem(item);
      if (revision !== this.#revision + 1) {
        whole = false;
        break;
      }
      this.#recent.append(changes);
      this.#revision = revision;
      this.#mutation = mutation;
      told.push(...changes);
    }
    if (told.length > 0) this.#options.onChanges(told);
    this.#wake();
    return whole;
  }

  #wake(): void {
    const due = this.#awaiting.filter(({ revision }) => revision <= this.#revision);
    if (due.length === 0) return;
    this.#awaiting = this.#awaiting.filter(({ revision }) => revision > this.#revision);
    for (const { done } of due) done();
  }
}

/** Of `[[stream, items]]`, or the same flat as RESP3's map is given. */
function itemsOf(reply: readonly unknown[]): readonly LogItem[] {
  const [first, second] = reply;
  return (Array.isArray(first) ? (first as readonly unknown[])[1] : second) as readonly LogItem[];
}
