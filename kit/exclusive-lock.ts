import { DatabaseSync } from 'node:sqlite';

export interface ExclusiveLock {
  /** Idempotent. */
  release(): void;
}

/**
 * Takes the lock that is the file at `path`, made when it is missing; undefined while another holds it, in this process or
 * another. The system's own lock on the file, which SQLite takes: it ends with its holder, however that ends, so no lock is
 * ever left behind, and two that start at once cannot both have it. Throws when the file cannot be written.
 */
export function lockExclusively(path: string): ExclusiveLock | undefined {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
  return {
    release: () => {
      if (database.isOpen) database.close();
    },
  };
}

/** SQLITE_BUSY (sqlite.org/rescode.html). */
const BUSY = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && Number(error.errcode) % 256 === BUSY;
}
