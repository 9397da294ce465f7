import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Change, Entry } from '../store.ts';
import { entryOf, MAX_WRITES } from '../transaction.ts';

/** A row's number holds its revision, so that the log needs no index of its own. 2^53 / 1024 revisions are enough. */
const PLACES = MAX_WRITES;

const firstSeq = (revision: number): number => revision * PLACES;
const revisionOf = (seq: number): number => Math.floor(seq / PLACES);

/** Keys are ASCII up to `~`: this follows every key under a prefix. */
const endOf = (prefix: string): string => `${prefix}\x7f`;

export interface Range {
  readonly prefix: string;
  /** Only keys after this one; all when empty. */
  readonly after: string;
}

interface EntryRow {
  readonly key: string;
  readonly seq: number;
  readonly created: number;
  readonly value: string;
}

interface ChangeRow {
  readonly key: string;
  readonly seq: number;
  readonly value: string | null;
  readonly previousSeq: number | null;
  readonly previousCreated: number;
  readonly previousValue: string;
}

// What was current at a revision: rows that still are and are older, and what the first later change of a key replaced.
const PAST = `
  SELECT key, seq FROM current WHERE key >= :prefix AND key < :end AND key > :after AND seq < :from
  UNION ALL
  SELECT key, previous FROM log WHERE previous > 0 AND seq IN (
    SELECT min(seq) FROM log WHERE seq >= :from AND key >= :prefix AND key < :end AND key > :after GROUP BY key
  )`;

/** The rows of a store file: the append-only log, and which of its rows are current. Every call is one statement or two. */
export class LogTable {
  readonly #get: StatementSync;
  readonly #page: StatementSync;
  readonly #count: StatementSync;
  readonly #pastPage: StatementSync;
  readonly #pastCount: StatementSync;
  readonly #append: StatementSync;
  readonly #point: StatementSync;
  readonly #unpoint: StatementSync;
  readonly #since: StatementSync;
  readonly #newest: StatementSync;
  readonly #compacted: StatementSync;
  readonly #dropReplaced: StatementSync;
  readonly #dropDeletes: StatementSync;
  readonly #setCompacted: StatementSync;

  constructor(database: DatabaseSync) {
    const entry = 'l.key, l.seq, l.created, l.value';
    const inRange = 'key >= :prefix AND key < :end AND key > :after';
    this.#get = database.prepare(`SELECT ${entry} FROM current c JOIN log l ON l.seq = c.seq WHERE c.key = ?`);
    this.#page = database.prepare(
      `SELECT ${entry} FROM (SELECT key, seq FROM current WHERE ${inRange} ORDER BY key LIMIT :limit) c
       JOIN log l ON l.seq = c.seq ORDER BY c.key`,
    );
    this.#count = database.prepare(`SELECT count(*) AS count FROM current WHERE ${inRange}`);
    this.#pastPage = database.prepare(
      `SELECT ${entry} FROM (SELECT key, seq FROM (${PAST}) ORDER BY key LIMIT :limit) c
       JOIN log l ON l.seq = c.seq ORDER BY c.key`,
    );
    this.#pastCount = database.prepare(`SELECT count(*) AS count FROM (${PAST})`);
    this.#append = database.prepare(
      `INSERT INTO log (seq, key, created, previous, value)
       VALUES (:seq, :key, :created, coalesce((SELECT seq FROM current WHERE key = :key), 0), :value)`,
    );
    this.#point = database.prepare(
      'INSERT INTO current (key, seq) VALUES (:key, :seq) ON CONFLICT (key) DO UPDATE SET seq = excluded.seq',
    );
    this.#unpoint = database.prepare('DELETE FROM current WHERE key = ?');
    this.#since = database.prepare(
      `SELECT l.key, l.seq, l.value, p.seq AS previousSeq, p.created AS previousCreated, p.value AS previousValue
       FROM log l LEFT JOIN log p ON p.seq = l.previous
       WHERE l.seq >= :from AND l.key >= :prefix AND l.key < :end ORDER BY l.seq`,
    );
    this.#newest = database.prepare('SELECT coalesce(max(seq), 0) AS seq FROM log');
    this.#compacted = database.prepare('SELECT revision FROM compaction');
    this.#dropReplaced = database.prepare(
      'DELETE FROM log WHERE seq IN (SELECT previous FROM log WHERE seq >= :from AND seq < :end AND previous > 0)',
    );
    this.#dropDeletes = database.prepare('DELETE FROM log WHERE seq >= :from AND seq < :end AND value IS NULL');
    this.#setCompacted = database.prepare('UPDATE compaction SET revision = ?');
  }

  /** The newest revision. Compaction may have taken the last row, if it was a delete, but not the count. */
  revision(): number {
    const { seq } = this.#newest.get() as { seq: number };
    return Math.max(revisionOf(seq), this.compacted());
  }

  compacted(): number {
    return (this.#compacted.get() as { revision: number }).revision;
  }

  get(key: string): Entry | undefined {
    const row = this.#get.get(key) as EntryRow | undefined;
    return row === undefined ? undefined : entryOfRow(row);
  }

  /** Entries in order, at most `limit` (-1: all). At `revision` when given, which must be kept, else now. */
  page(range: Range, limit: number, revision?: number): Entry[] {
    const rows =
      revision === undefined
        ? this.#page.all({ ...bounds(range), limit })
        : this.#pastPage.all({ ...bounds(range), limit, from: firstSeq(revision + 1) });
    return (rows as unknown as EntryRow[]).map(entryOfRow);
  }

  count(range: Range, revision?: number): number {
    const row =
      revision === undefined
        ? this.#count.get(bounds(range))
        : this.#pastCount.get({ ...bounds(range), from: firstSeq(revision + 1) });
    return (row as { count: number }).count;
  }

  /** Writes all changes of one revision. */
  append(changes: readonly Change[]): void {
    for (const [place, change] of changes.entries()) {
      const seq = firstSeq(change.revision) + place;
      const { key } = change;
      if (change.type === 'put') {
        this.#append.run({ seq, key, created: entryOf(change).created, value: change.value });
        this.#point.run({ seq, key });
      } else {
        this.#append.run({ seq, key, created: 0, value: null });
        this.#unpoint.run(key);
      }
    }
  }

  /** Changes after a kept revision under a prefix, read from the file as they are taken. */
  *since(after: number, prefix: string): Generator<Change> {
    const rows = this.#since.iterate({ from: firstSeq(after + 1), prefix, end: endOf(prefix) });
    for (const row of rows as Iterable<unknown>) yield changeOfRow(row as ChangeRow);
  }

  /** Forgets history after `compacted` up to and including `revision`: what it replaced, and its deletes. */
  forget(compacted: number, revision: number): void {
    const span = { from: firstSeq(compacted + 1), end: firstSeq(revision + 1) };
    this.#dropReplaced.run(span);
    this.#dropDeletes.run(span);
    this.#setCompacted.run(revision);
  }
}

function bounds({ prefix, after }: Range): { prefix: string; end: string; after: string } {
  return { prefix, end: endOf(prefix), after };
}

function entryOfRow({ key, value, seq, created }: EntryRow): Entry {
  return { key, value, revision: revisionOf(seq), created };
}

function changeOfRow({ key, seq, value, previousSeq, previousCreated, previousValue }: ChangeRow): Change {
  const previous =
    previousSeq === null
      ? undefined
      : { key, value: previousValue, revision: revisionOf(previousSeq), created: previousCreated };
  const type = value === null ? 'delete' : 'put';
  return { type, key, revision: revisionOf(seq), value: value ?? previousValue, previous };
}
