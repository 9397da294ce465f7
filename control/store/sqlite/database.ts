import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeFolder } from '../../../kit/make-folder.ts';
import { missingBytes } from './file-length.ts';
import { describeOwner, hasOwner } from './owner.ts';
import { corrupt, isBusy, refusalOf, StoreRefusedError, unwritable } from './refusal.ts';
import { checkLog } from './write-ahead-log.ts';

/** Marks a SQLite file as ours: "Tutt". */
const APPLICATION_ID = 0x54_75_74_74;

/** Rises when the tables change. */
const SCHEMA_VERSION = 1;

/** A log that one large write has made longer is cut back to this. SQLite copies it to the file every 1,000 pages, about 4 MiB. */
const LOG_KEPT_BYTES = 16 * 1024 * 1024;

const SCHEMA = `
  -- Append-only. seq is revision x 1024 + place in the transaction; previous is the key's row before this one, or 0.
  -- A delete has no value. The value comes last, so that reading a key does not read a large value's pages.
  CREATE TABLE log (
    seq INTEGER PRIMARY KEY, key TEXT NOT NULL, created INTEGER NOT NULL, previous INTEGER NOT NULL, value TEXT
  ) STRICT;
  -- The newest row of each key that is there.
  CREATE TABLE current (key TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE leases (
    name TEXT PRIMARY KEY, holder TEXT NOT NULL, epoch INTEGER NOT NULL, expires_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE compaction (revision INTEGER NOT NULL) STRICT;
  INSERT INTO compaction VALUES (0);
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** A restored file on its way into its place. */
export function restoringPath(path: string): string {
  return `${path}.restoring`;
}

/** SQLite's write-ahead log of a store file. */
export function logPath(path: string): string {
  return `${path}-wal`;
}

/**
 * Opens a store file for this process alone, makes it when it is missing, and checks it whole. Throws StoreRefusedError
 * for a file that is another's, another process', corrupt or not writable. Readable by its owner only: it holds Secrets.
 */
export function openDatabase(path: string): DatabaseSync {
  const database = connect(path);
  try {
    prepare(database, path);
    return database;
  } catch (error) {
    database.close();
    if (isBusy(error)) {
      throw new StoreRefusedError(
        path,
        'in-use',
        `is in use by ${describeOwner(path)}; stop it, or choose another state folder`,
        error,
      );
    }
    throw refusalOf(path, error) ?? error;
  }
}

function connect(path: string): DatabaseSync {
  try {
    makeFolder(dirname(path));
    if (sizeOf(path) === undefined) create(path);
    // SQLite would open for reading alone what it may not write. Not where a process has it: that could be this one, and closing
    // the file would drop its locks.
    if (!hasOwner(path)) closeSync(openSync(path, 'r+'));
  } catch (error) {
    if (error instanceof StoreRefusedError) throw error;
    throw unwritable(path, error);
  }
  mustBeWhole(path);
  return new DatabaseSync(path, { timeout: 0 });
}

/** Beside its place and then into it: so a file there is never one that a crash left half made. */
function create(path: string): void {
  for (const [companion, what] of [
    [restoringPath(path), 'a restore was cut short; run the same "tutti store restore" again'],
    [logPath(path), 'put the store file back beside its write-ahead log'],
  ] as const) {
    if ((sizeOf(companion) ?? 0) > 0) {
      throw new StoreRefusedError(path, 'incomplete', `is missing, but "${companion}" is there: ${what}`);
    }
  }
  const beside = `${path}.new`;
  for (const leftover of [beside, logPath(beside)]) rmSync(leftover, { force: true });
  closeSync(openSync(beside, 'wx', 0o600));
  try {
    const database = new DatabaseSync(beside);
    try {
      // Before the first table: then pages that are free can be given back bit by bit.
      database.exec(`PRAGMA auto_vacuum = INCREMENTAL; PRAGMA synchronous = FULL; BEGIN; ${SCHEMA} COMMIT`);
    } finally {
      database.close();
    }
    renameSync(beside, path);
    syncFolder(dirname(path));
  } catch (error) {
    for (const leftover of [beside, `${beside}-journal`]) rmSync(leftover, { force: true });
    throw refusalOf(path, error) ?? error;
  }
}

/** Before SQLite sees it: it would start anew with an empty file, and go back to the last sound write of a log without a word. */
function mustBeWhole(path: string): void {
  if (sizeOf(path) === 0) throw corrupt(path, 'it is empty');
  // What a running process is writing looks like anything; the lock tells of it.
  if (hasOwner(path)) return;
  const missing = (sizeOf(logPath(path)) ?? 0) > 0 ? 0 : missingBytes(path);
  if (missing > 0) throw corrupt(path, `its last ${missing} bytes are missing`);
  const log = checkLog(logPath(path));
  if (log.state === 'damaged') {
    throw new StoreRefusedError(
      path,
      'corrupt',
      `its write-ahead log "${logPath(path)}" is damaged at byte ${log.offset} (${log.what}): acknowledged writes are lost. ` +
        'Restore a backup ("tutti store restore" keeps both files aside), or go back to the last sound write ' +
        `without the rest: cut the log there (truncate -s ${log.offset} "${logPath(path)}") and start again`,
    );
  }
}

function prepare(database: DatabaseSync, path: string): void {
  // Exclusive before WAL: then the lock lasts as long as the process, and no shared-memory file is needed.
  database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  database.exec(
    `PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384; PRAGMA journal_size_limit = ${LOG_KEPT_BYTES}`,
  );
  database.exec('BEGIN EXCLUSIVE');
  checkFormat(database, path);
  database.exec('COMMIT');
  const [verdict] = Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {});
  if (verdict !== 'ok') throw corrupt(path, String(verdict));
}

/** Throws StoreRefusedError for a file of another program or of a newer Tutti. */
export function checkFormat(database: DatabaseSync, path: string): void {
  if (integer(database, 'PRAGMA application_id') !== APPLICATION_ID) {
    throw new StoreRefusedError(path, 'foreign', 'is a SQLite file of another program; choose another path');
  }
  const version = integer(database, 'PRAGMA user_version');
  if (version > SCHEMA_VERSION) {
    throw new StoreRefusedError(
      path,
      'newer',
      `has format ${version}, this version of Tutti knows up to ${SCHEMA_VERSION}; start the newer version`,
    );
  }
}

/** The one whole number that a statement gives. */
export function integer(database: DatabaseSync, sql: string): number {
  return Number(Object.values(database.prepare(sql).get() ?? {})[0]);
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
