import type { Clock } from '../../../kit/clock.ts';
import { ChangeHistory } from '../change-history.ts';
import {
  type Changes,
  CompactedError,
  type Entry,
  FutureRevisionError,
  type ListOptions,
  type Page,
  type Store,
  StoreClosedError,
  type Transaction,
  type TransactionResult,
  type WatchOptions,
} from '../store.ts';
import { checkTransaction, entryOf, planTransaction } from '../transaction.ts';
import { Watchers } from '../watchers.ts';
import { LeaseTable } from './lease-table.ts';
import { SortedKeys } from './sorted-keys.ts';

export interface MemoryStoreOptions {
  readonly clock: Clock;
}

/** A store that ends with the process: for tests, and the model of what the others must do. */
export function openMemoryStore(options: MemoryStoreOptions): Store {
  return new MemoryStore(options.clock);
}

class MemoryStore implements Store {
  readonly leases: LeaseTable;
  readonly #entries = new Map<string, Entry>();
  readonly #keys = new SortedKeys();
  /** All of the log: compaction alone shortens it. */
  readonly #history = new ChangeHistory(0, {
    maxChanges: Number.POSITIVE_INFINITY,
    maxLength: Number.POSITIVE_INFINITY,
  });
  readonly #watchers: Watchers;
  #revision = 0;
  #closed = false;

  constructor(clock: Clock) {
    this.leases = new LeaseTable(clock);
    const history = this.#history;
    const present = (): number => this.#revision;
    this.#watchers = new Watchers(
      {
        get revision(): number {
          return present();
        },
        get compacted(): number {
          return history.from;
        },
        since: (after, prefix) => history.since(after, prefix),
      },
      clock,
    );
  }

  async revision(): Promise<number> {
    this.#mustBeOpen();
    return this.#revision;
  }

  async get(key: string): Promise<Entry | undefined> {
    this.#mustBeOpen();
    return this.#entries.get(key);
  }

  async list(prefix: string, { revision, limit, after }: ListOptions = {}): Promise<Page> {
    this.#mustBeOpen();
    const shown = revision ?? this.#revision;
    if (shown > this.#revision) throw new FutureRevisionError(shown, this.#revision);
    if (shown < this.#history.from) throw new CompactedError(shown, this.#history.from);
    const all = shown === this.#revision ? this.#present(prefix, after) : this.#past(prefix, after, shown);
    const entries = limit === undefined ? all : all.slice(0, limit);
    const remaining = all.length - entries.length;
    return { entries, revision: shown, more: remaining > 0, remaining };
  }

  async transact(transaction: Transaction): Promise<TransactionResult> {
    checkTransaction(transaction);
    this.#mustBeOpen();
    const plan = planTransaction(transaction, this.#revision + 1, (key) => this.#entries.get(key));
    if (!plan.ok) return plan;
    if (plan.changes.length === 0) return { ok: true, revision: this.#revision };
    this.#revision += 1;
    for (const change of plan.changes) {
      if (change.type === 'put') {
        this.#entries.set(change.key, entryOf(change));
        this.#keys.add(change.key);
      } else {
        this.#entries.delete(change.key);
        this.#keys.delete(change.key);
      }
    }
    this.#history.append(plan.changes);
    this.#watchers.announce(plan.changes);
    return { ok: true, revision: this.#revision };
  }

  watch(prefix: string, options: WatchOptions): AsyncIterable<Changes> {
    this.#mustBeOpen();
    return this.#watchers.watch(prefix, options);
  }

  async compact(revision: number): Promise<void> {
    this.#mustBeOpen();
    if (revision > this.#revision) throw new FutureRevisionError(revision, this.#revision);
    this.#history.forget(revision);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.leases.close();
    this.#watchers.close();
  }

  #present(prefix: string, after = ''): Entry[] {
    return this.#keys.range(prefix, after).map((key) => this.#entries.get(key) as Entry);
  }

  /** The present, with everything that has happened since taken back. */
  #past(prefix: string, after: string | undefined, revision: number): Entry[] {
    const entries = new Map(this.#present(prefix).map((entry) => [entry.key, entry]));
    for (const { key, previous } of this.#history.backTo(revision)) {
      if (!key.startsWith(prefix)) continue;
      if (previous === undefined) entries.delete(key);
      else entries.set(key, previous);
    }
    return [...entries.values()]
      .filter(({ key }) => after === undefined || key > after)
      .sort((one, other) => (one.key < other.key ? -1 : 1));
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new StoreClosedError();
  }
}
