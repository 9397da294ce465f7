import { dirname } from 'node:path';

/** Why a store file cannot be used as it is. */
export type RefusalReason =
  | 'in-use'
  | 'corrupt'
  | 'incomplete'
  | 'read-only'
  | 'full'
  | 'foreign'
  | 'newer'
  | 'unreachable';

/** The store file was not opened, and nothing in it was changed. The message says what to do. */
export class StoreRefusedError extends Error {
  override readonly name = 'StoreRefusedError';
  readonly reason: RefusalReason;
  constructor(path: string, reason: RefusalReason, why: string, cause?: unknown) {
    super(`store "${path}": ${why}`, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}

// Primary result codes of SQLite (sqlite.org/rescode.html).
const BUSY = 5;
const LOCKED = 6;
const NO_MEMORY = 7;
const READ_ONLY = 8;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const NOT_A_DATABASE = 26;

/** SQLite's primary result code of an error that it has thrown. */
function resultCode(error: unknown): number | undefined {
  const { errcode } = error as { errcode?: number };
  return errcode === undefined ? undefined : errcode & 0xff;
}

/** Whether the file is held by another connection. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === BUSY || code === LOCKED;
}

/** Whether a failed commit leaves the store as it was, so that a later one may succeed. Not so when the disk has failed. */
export function isPassing(error: unknown): boolean {
  const code = resultCode(error);
  return code === undefined || code === FULL || code === NO_MEMORY || isBusy(error);
}

/** What an error from opening means, with the way back; undefined when it is no answer of SQLite's about the file. */
export function refusalOf(path: string, error: unknown): StoreRefusedError | undefined {
  const said = (error as Error).message;
  const code = resultCode(error);
  if (code === CORRUPT || code === NOT_A_DATABASE) return corrupt(path, said, error);
  if (code === READ_ONLY) return readOnly(path, error);
  if (code === FULL) return full(path, error);
  if (code === CANNOT_OPEN) {
    return new StoreRefusedError(
      path,
      'unreachable',
      `cannot be opened (${said}); see that it is a file, and that this user may enter and write its folder`,
      error,
    );
  }
  return undefined;
}

/** What an error of the file system about the file or its folder means, with the way back. */
export function unwritable(path: string, error: unknown): StoreRefusedError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (['EACCES', 'EROFS', 'EPERM'].includes(code)) return readOnly(path, error);
  if (['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code)) return full(path, error);
  return new StoreRefusedError(
    path,
    'unreachable',
    `cannot be made there (${message}); choose another state folder`,
    error,
  );
}

function readOnly(path: string, error: unknown): StoreRefusedError {
  return new StoreRefusedError(
    path,
    'read-only',
    `cannot be written (${(error as Error).message}); let this user write the file and its folder, or choose another state folder`,
    error,
  );
}

function full(path: string, error: unknown): StoreRefusedError {
  return new StoreRefusedError(
    path,
    'full',
    `the disk is full (${(error as Error).message}); nothing was lost: make room there and try again`,
    error,
  );
}

export function corrupt(path: string, what: string, cause?: unknown): StoreRefusedError {
  return new StoreRefusedError(
    path,
    'corrupt',
    `is corrupt (${what}); put a backup in its place with: tutti store restore BACKUP --data "${dirname(path)}" (keeps this ` +
      `file aside), or move it and "${path}-wal" aside to start anew without it`,
    cause,
  );
}
