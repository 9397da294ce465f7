import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../../kit/clock.ts';
import type { Logger } from '../../../kit/log.ts';
import { ChangeHistory } from '../change-history.ts';
import { decideLease } from '../lease.ts';
import {
  type Change,
  type Changes,
  CompactedError,
  type Entry,
  FutureRevisionError,
  type Leases,
  type ListOptions,
  type Page,
  type Store,
  StoreClosedError,
  type Transaction,
  type TransactionResult,
  type WatchOptions,
} from '../store.ts';
import { checkTransaction, planTransaction } from '../transaction.ts';
import { Watchers } from '../watchers.ts';
import { openDatabase } from './database.ts';
import { GroupCommit } from './group-commit.ts';
import { LeaseRows } from './lease-rows.ts';
import { LogTable } from './log-table.ts';
import { Maintenance } from './maintenance.ts';
import { forgetOwner, noteOwner } from './owner.ts';
import { isPassing, refusalOf, unwritable } from './refusal.ts';

/** What watches find in memory; who is further behind reads the file. */
const RECENT = { maxChanges: 10_000, maxLength: 16 * 1024 * 1024 };

/** Revisions that compaction forgets in one commit, so that others' writes get their turn between. */
const COMPACTION_STEP = 500;

export interface SqliteStoreOptions {
  /** The file; made when missing, with its folder. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The embedded store: one file, one process. Throws StoreRefusedError (refusal.ts), which says what to do, when the file is in
 * use, corrupt, not writable or not ours.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const { path, clock } = options;
  const database = openDatabase(path);
  try {
    noteOwner(path, clock.now());
    return new EmbeddedStore(database, options);
  } catch (error) {
    database.close();
    throw (error as NodeJS.ErrnoException).syscall === undefined ? error : unwritable(path, error);
  }
}

/** A store that is a file, and what can be done with it as such. */
export interface SqliteStore extends Store {
  readonly maintenance: Maintenance;
}

class EmbeddedStore implements SqliteStore {
  readonly leases: Leases;
  readonly maintenance: Maintenance;
  readonly #path: string;
  readonly #log: Logger;
  readonly #database: DatabaseSync;
  readonly #table: LogTable;
  readonly #commits: GroupCommit;
  readonly #recent: ChangeHistory;
  readonly #watchers: Watchers;
  #revision: number;
  #compacted: number;
  /** What the group under way has written. */
  #written: Change[][] = [];
  #compactedInGroup: number | undefined;
  #unusable: Error | undefined;

  constructor(database: DatabaseSync, { path, clock, log }: SqliteStoreOptions) {
    this.#path = path;
    this.#log = log;
    this.#database = database;
    this.#table = new LogTable(database);
    this.#revision = this.#table.revision();
    this.#compacted = this.#table.compacted();
    this.#recent = new ChangeHistory(this.#revision, RECENT);
    this.#commits = new GroupCommit(database, {
      committed: () => this.#committed(),
      rolledBack: (error) => this.#rolledBack(error),
    });
    this.maintenance = new Maintenance(database, path);
    this.leases = this.#makeLeases(new LeaseRows(database), clock);
    const revision = (): number => this.#revision;
    const compacted = (): number => this.#compacted;
    this.#watchers = new Watchers(
      {
        get revision(): number {
          return revision();
        },
        get compacted(): number {
          return compacted();
        },
        since: (after, prefix) => (after < this.#recent.from ? this.#table : this.#recent).since(after, prefix),
      },
      clock,
    );
  }

  async revision(): Promise<number> {
    this.#mustBeUsable();
    return this.#revision;
  }

  async get(key: string): Promise<Entry | undefined> {
    this.#mustBeUsable();
    return this.#table.get(key);
  }

  async list(prefix: string, { revision, limit, after = '' }: ListOptions = {}): Promise<Page> {
    this.#mustBeUsable();
    const shown = revision ?? this.#revision;
    if (shown > this.#revision) throw new FutureRevisionError(shown, this.#revision);
    if (shown < this.#compacted) throw new CompactedError(shown, this.#compacted);
    const past = shown === this.#revision ? undefined : shown;
    const entries = this.#table.page({ prefix, after }, limit ?? -1, past);
    const full = limit !== undefined && entries.length === limit;
    const remaining = full ? this.#table.count({ prefix, after: entries.at(-1)?.key ?? after }, past) : 0;
    return { entries, revision: shown, more: remaining > 0, remaining };
  }

  async transact(transaction: Transaction): Promise<TransactionResult> {
    checkTransaction(transaction);
    this.#mustBeUsable();
    try {
      return await this.#commits.do(() => this.#carryOut(transaction));
    } catch (error) {
      throw refusalOf(this.#path, error) ?? error;
    }
  }

  watch(prefix: string, options: WatchOptions): AsyncIterable<Changes> {
    this.#mustBeUsable();
    return this.#watchers.watch(prefix, options);
  }

  async compact(revision: number): Promise<void> {
    this.#mustBeUsable();
    if (revision > this.#revision) throw new FutureRevisionError(revision, this.#revision);
    while (this.#compacted < revision) {
      this.#mustBeUsable();
      await this.#commits.do(() => this.#forgetUpTo(revision));
    }
  }

  async close(): Promise<void> {
    if (this.#unusable instanceof StoreClosedError) return;
    if (this.#unusable === undefined) this.#commits.flush();
    this.#unusable = new StoreClosedError();
    this.#watchers.close();
    await this.maintenance.ended();
    this.#database.close();
    forgetOwner(this.#path);
  }

  #carryOut(transaction: Transaction): TransactionResult {
    const present = this.#revision + this.#written.length;
    const plan = planTransaction(transaction, present + 1, (key) => this.#table.get(key));
    if (!plan.ok) return plan;
    if (plan.changes.length === 0) return { ok: true, revision: present };
    this.#table.append(plan.changes);
    this.#written.push([...plan.changes]);
    return { ok: true, revision: present + 1 };
  }

  #forgetUpTo(revision: number): void {
    const compacted = this.#compactedInGroup ?? this.#compacted;
    const reached = Math.min(revision, compacted + COMPACTION_STEP);
    if (reached <= compacted) return;
    this.#table.forget(compacted, reached);
    this.#compactedInGroup = reached;
  }

  #committed(): void {
    const written = this.#written.splice(0);
    this.#revision += written.length;
    for (const changes of written) this.#recent.append(changes);
    if (this.#compactedInGroup !== undefined) {
      this.#compacted = this.#compactedInGroup;
      this.#compactedInGroup = undefined;
      this.#recent.forget(this.#compacted);
    }
    if (written.length > 0) this.#watchers.announce(written.flat());
  }

  #rolledBack(error: unknown): void {
    this.#written = [];
    this.#compactedInGroup = undefined;
    this.#log.error({ error, path: this.#path }, 'store: cannot commit');
    if (isPassing(error)) return;
    // After a failed flush nobody knows what is on disk (fsync reports once): only opening anew tells.
    this.#unusable = new Error(`store "${this.#path}": a write failed; restart to open it anew`, { cause: error });
    this.#commits.refuse(this.#unusable);
    this.#watchers.close();
  }

  #makeLeases(rows: LeaseRows, clock: Clock): Leases {
    return {
      acquire: async (name, holder, ttlMs) => {
        this.#mustBeUsable();
        decideLease(undefined, { holder, ttlMs }, 0);
        return this.#commits.do(() => {
          const record = decideLease(rows.read(name), { holder, ttlMs }, clock.now());
          if (record === undefined) return undefined;
          rows.write(name, record);
          return { epoch: record.epoch };
        });
      },
      release: async (name, holder) => {
        this.#mustBeUsable();
        await this.#commits.do(() => {
          const record = rows.read(name);
          if (record?.holder === holder) rows.write(name, { ...record, holder: '', expiresMs: 0 });
        });
      },
    };
  }

  #mustBeUsable(): void {
    if (this.#unusable !== undefined) throw this.#unusable;
  }
}
