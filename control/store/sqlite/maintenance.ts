import { closeSync, openSync, rmSync, statSync } from 'node:fs';
import { backup, DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { integer, logPath } from './database.ts';
import { isBusy, refusalOf } from './refusal.ts';

/** What the file takes on disk, in bytes. */
export interface FileFigures {
  readonly fileBytes: number;
  readonly logBytes: number;
  /** Of the file: pages that hold nothing and will be used again. */
  readonly freeBytes: number;
}

/** Pages copied, or given back, in one go: others' writes get their turn between. */
const PAGES_AT_ONCE = 256;

/** A copy's first step may meet a write under way. */
const COPY_ATTEMPTS = 5;

/** Already one of these is under way, and they would get into each other's way. */
export class MaintenanceBusyError extends Error {
  override readonly name = 'MaintenanceBusyError';
  constructor() {
    super('store: a backup or a compaction is under way; try again when it has ended');
  }
}

/**
 * What is done with an open store file as a file, on the connection that has it: no other may open it. Reads and writes go on
 * meanwhile, but for `rewrite`. One at a time; a second throws MaintenanceBusyError.
 */
export class Maintenance {
  readonly #database: DatabaseSync;
  readonly #path: string;
  #underWay: Promise<unknown> | undefined;

  constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#path = path;
  }

  figures(): FileFigures {
    const pageBytes = integer(this.#database, 'PRAGMA page_size');
    return {
      fileBytes: integer(this.#database, 'PRAGMA page_count') * pageBytes,
      logBytes: statSync(logPath(this.#path), { throwIfNoEntry: false })?.size ?? 0,
      freeBytes: integer(this.#database, 'PRAGMA freelist_count') * pageBytes,
    };
  }

  /**
   * Copies the store as it is when the copy ends into a new file, which its owner alone may read and which is whole by itself.
   * `copied` hears of each step's share, 0 to 1.
   */
  copyTo(to: string, copied: (share: number) => void = () => {}): Promise<void> {
    return this.#alone(async () => {
      closeSync(openSync(to, 'wx', 0o600));
      try {
        await this.#copy(to, copied);
        // Without a log of its own: one file that can be read from anywhere.
        const copy = new DatabaseSync(to);
        try {
          copy.exec('PRAGMA journal_mode = DELETE');
        } finally {
          copy.close();
        }
      } catch (error) {
        rmSync(to, { force: true });
        throw refusalOf(to, error) ?? error;
      }
    });
  }

  /** Gives the free pages back to the system, a few at a time. A file of before, which cannot do that, is rewritten once. */
  shrink(): Promise<void> {
    return this.#alone(async () => {
      if (integer(this.#database, 'PRAGMA auto_vacuum') === 0) {
        this.#rewrite();
        return;
      }
      while (integer(this.#database, 'PRAGMA freelist_count') > 0) {
        this.#database.exec(`PRAGMA incremental_vacuum(${PAGES_AT_ONCE})`);
        await setImmediate();
      }
      this.#emptyLog();
    });
  }

  /** Writes the whole file anew, so that it holds nothing of what was deleted. Everything waits until it is done. */
  rewrite(): Promise<void> {
    return this.#alone(async () => this.#rewrite());
  }

  /** Resolves when nothing is under way. */
  async ended(): Promise<void> {
    await this.#underWay?.catch(() => undefined);
  }

  async #copy(to: string, copied: (share: number) => void): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await backup(this.#database, to, {
          rate: PAGES_AT_ONCE,
          progress: ({ totalPages, remainingPages }) => copied(totalPages === 0 ? 0 : 1 - remainingPages / totalPages),
        });
        return;
      } catch (error) {
        if (!(isBusy(error) || metCommit(error)) || attempt === COPY_ATTEMPTS) throw error;
        await setImmediate();
      }
    }
  }

  #rewrite(): void {
    this.#database.exec('PRAGMA auto_vacuum = INCREMENTAL; VACUUM');
    this.#emptyLog();
  }

  #emptyLog(): void {
    this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#underWay !== undefined) return Promise.reject(new MaintenanceBusyError());
    const done = work().finally(() => {
      this.#underWay = undefined;
    });
    this.#underWay = done;
    return done;
  }
}

/**
 * A copy whose first step comes while a commit is under way: SQLite says SQLITE_BUSY to node, which looks whether pages are left, finds that none were
 * counted yet, and fails with the error of the copy's own file, which is none.
 */
function metCommit(error: unknown): boolean {
  const { code, errcode } = error as { readonly code?: string; readonly errcode?: number };
  return code === 'ERR_SQLITE_ERROR' && errcode === 0;
}
