import { closeSync, copyFileSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeFolder } from '../../../kit/make-folder.ts';
import { logPath, openDatabase, restoringPath, syncFolder } from './database.ts';
import { type FileSummary, inspectFile } from './inspect.ts';
import { LogTable } from './log-table.ts';
import { StoreRefusedError, unwritable } from './refusal.ts';

export interface RestoreOptions {
  readonly backup: string;
  /** The store file to be replaced; made when missing, with its folder. No process may have it. */
  readonly path: string;
  /** Wall time. */
  readonly nowMs: number;
}

export interface Restored extends FileSummary {
  /** Of the backup. The store goes on from `revision`. */
  readonly backupRevision: number;
  /** Where the file that was there is now; undefined when there was none. */
  readonly keptAside: string | undefined;
}

/** How far revisions jump at least: etcd's documentation asks for as much (`etcdutl snapshot restore --bump-revision`). */
const BUMP = 1_000_000_000;

/**
 * The revision a restored store goes on from: past any that the lost store can have given, so that no resourceVersion comes twice
 * with another meaning. What the lost store reached is not always known; revisions that grow by less than one a millisecond from a
 * restore to the next never catch up with the clock.
 */
export function revisionAfterRestore(known: readonly number[], nowMs: number): number {
  return Math.max(Math.max(...known) + BUMP, Math.floor(nowMs) - Date.UTC(2020));
}

/**
 * Puts a backup in a store's place. Whoever watched the old one has to list anew: its revisions are all compacted. Leases are free, and
 * their epochs go on past the old ones. The file that was there is kept aside; a crash leaves the old store, the new one, or a refusal
 * that says to restore again. Throws StoreRefusedError.
 */
export function restoreStore({ backup, path, nowMs }: RestoreOptions): Restored {
  const { revision: backupRevision } = inspectFile(backup);
  const known = [backupRevision, revisionOf(path) ?? 0];
  const revision = revisionAfterRestore(known, nowMs);
  const beside = restoringPath(path);
  try {
    makeFolder(dirname(path));
    rmSync(beside, { force: true });
    closeSync(openSync(beside, 'wx', 0o600));
    copyFileSync(backup, beside);
    forgetThePast(beside, revision);
    flush(beside);
    const summary = inspectFile(beside);
    const keptAside = setAside(path, nowMs);
    renameSync(beside, path);
    syncFolder(dirname(path));
    return { ...summary, backupRevision, keptAside };
  } catch (error) {
    if (error instanceof StoreRefusedError) throw error;
    throw (error as NodeJS.ErrnoException).syscall === undefined ? error : unwritable(path, error);
  }
}

/** What the store in the place has reached, if it can be told. One that is in use is refused. */
function revisionOf(path: string): number | undefined {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  try {
    const database = openDatabase(path);
    try {
      return new LogTable(database).revision();
    } finally {
      database.close();
    }
  } catch (error) {
    if (error instanceof StoreRefusedError && error.reason !== 'in-use') return undefined;
    throw error;
  }
}

function forgetThePast(path: string, revision: number): void {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA synchronous = FULL; BEGIN IMMEDIATE');
    const table = new LogTable(database);
    table.forget(table.compacted(), table.revision());
    database.prepare('UPDATE compaction SET revision = ?').run(revision);
    database.prepare("UPDATE leases SET holder = '', expires_ms = 0, epoch = max(epoch + 1, ?)").run(revision);
    database.exec('COMMIT; PRAGMA auto_vacuum = INCREMENTAL; VACUUM');
  } finally {
    database.close();
  }
}

/** The store file first: with it gone a start refuses, as long as the log or the new file is there. */
function setAside(path: string, nowMs: number): string | undefined {
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:.]/g, '');
  const aside = `${path}.before-restore-${stamp}`;
  const moved = [path, logPath(path)].filter((file) => statSync(file, { throwIfNoEntry: false }) !== undefined);
  for (const file of moved) renameSync(file, file === path ? aside : logPath(aside));
  return moved.length === 0 ? undefined : aside;
}

function flush(path: string): void {
  const handle = openSync(path, 'r+');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
