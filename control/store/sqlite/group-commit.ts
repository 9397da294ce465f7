import type { DatabaseSync } from 'node:sqlite';

/** Most pieces of work under one commit, so that a turn of the event loop stays short. */
const MAX_GROUP = 512;

/** Most pieces of work that wait. They wait for one turn, so this many have come at once. */
const MAX_WAITING = 65_536;

interface Work {
  readonly run: () => unknown;
  readonly done: (result: never) => void;
  readonly failed: (error: unknown) => void;
}

export interface GroupEvents {
  /** The group is durable; its callers hear of it next. */
  committed(): void;
  /** The group has left nothing behind; its callers hear of it next. */
  rolledBack(error: unknown): void;
}

/**
 * Runs work on the database one after the other; what arrives within one turn of the event loop shares one transaction,
 * and so one flush to disk. A group is durable as a whole or not at all: work that throws fails all of it.
 */
export class GroupCommit {
  readonly #database: DatabaseSync;
  readonly #events: GroupEvents;
  #waiting: Work[] = [];
  #planned: NodeJS.Immediate | undefined;

  constructor(database: DatabaseSync, events: GroupEvents) {
    this.#database = database;
    this.#events = events;
  }

  /** Resolves with the work's result when it is durable. Work is synchronous and writes with statements alone. */
  do<T>(run: () => T): Promise<T> {
    if (this.#waiting.length >= MAX_WAITING) {
      return Promise.reject(new Error(`store: ${MAX_WAITING} writes wait already; try again later`));
    }
    return new Promise((done, failed) => {
      this.#waiting.push({ run, done, failed });
      this.#planned ??= setImmediate(() => this.#commitNext());
    });
  }

  /** Commits what waits, now. */
  flush(): void {
    clearImmediate(this.#planned);
    this.#planned = undefined;
    while (this.#waiting.length > 0) this.#commitGroup();
  }

  /** Rejects what waits. */
  refuse(error: Error): void {
    clearImmediate(this.#planned);
    this.#planned = undefined;
    for (const { failed } of this.#waiting.splice(0)) failed(error);
  }

  #commitNext(): void {
    this.#planned = undefined;
    this.#commitGroup();
    if (this.#waiting.length > 0) this.#planned = setImmediate(() => this.#commitNext());
  }

  #commitGroup(): void {
    const group = this.#waiting.splice(0, MAX_GROUP);
    const results: unknown[] = [];
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      for (const { run } of group) results.push(run());
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#rollBack();
      this.#events.rolledBack(error);
      for (const { failed } of group) failed(error);
      return;
    }
    this.#events.committed();
    for (const [index, { done }] of group.entries()) done(results[index] as never);
  }

  #rollBack(): void {
    // SQLite rolls back by itself after some errors, such as a full disk (sqlite.org/lang_transaction.html, 3.1).
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
  }
}
