import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describeOwner } from './owner.ts';
import { corrupt, isBusy, refusalOf, StoreRefusedError } from './refusal.ts';

/** Marks a SQLite file as ours: "Tutt". */
const APPLICATION_ID = 0x54_75_74_74;

/** Rises when the tables change. */
const SCHEMA_VERSION = 1;

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
    mkdirSync(dirname(path), { recursive: true });
    closeSync(openSync(path, 'a', 0o600));
  } catch (error) {
    const reason = ['EACCES', 'EROFS', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')
      ? 'read-only'
      : 'unreachable';
    throw new StoreRefusedError(
      path,
      reason,
      `cannot be written (${(error as Error).message}); let this user write the file and its folder, or choose another state folder`,
      error,
    );
  }
  return new DatabaseSync(path, { timeout: 0 });
}

function prepare(database: DatabaseSync, path: string): void {
  // Exclusive before WAL: then the lock lasts as long as the process, and no shared-memory file is needed.
  database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  database.exec('PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384');
  database.exec('BEGIN EXCLUSIVE');
  const applicationId = integer(database, 'PRAGMA application_id');
  const version = integer(database, 'PRAGMA user_version');
  const tables = integer(database, 'SELECT count(*) FROM sqlite_schema');
  if (tables === 0 && applicationId === 0) {
    database.exec(SCHEMA);
  } else if (applicationId !== APPLICATION_ID) {
    throw new StoreRefusedError(path, 'foreign', 'is a SQLite file of another program; choose another path');
  } else if (version > SCHEMA_VERSION) {
    throw new StoreRefusedError(
      path,
      'newer',
      `has format ${version}, this version of Tutti knows up to ${SCHEMA_VERSION}; start the newer version`,
    );
  }
  database.exec('COMMIT');
  const [verdict] = Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {});
  if (verdict !== 'ok') throw corrupt(path, String(verdict));
}

function integer(database: DatabaseSync, sql: string): number {
  return Number(Object.values(database.prepare(sql).get() ?? {})[0]);
}
