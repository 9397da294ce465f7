import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { sealedWith } from '../../encryption/sealed-text.ts';
import { SECRETS_PREFIX } from '../../encryption/secret-values.ts';
import { checkFormat, integer, logPath } from './database.ts';
import { missingBytes } from './file-length.ts';
import { LogTable } from './log-table.ts';
import { refusalOf, StoreRefusedError } from './refusal.ts';

/** What is in a store file that nobody has open, such as a backup. */
export interface FileSummary {
  readonly revision: number;
  /** History before it is forgotten. */
  readonly compacted: number;
  readonly keys: number;
  readonly fileBytes: number;
  /** Ids of the encryption keys without which its Secrets cannot be read. */
  readonly encryptionKeys: readonly string[];
}

/**
 * Reads a whole file, every page and index of it, and changes nothing. Throws StoreRefusedError for one that is no sound store, or
 * that has a write-ahead log beside it: then it is no finished backup.
 */
export function inspectFile(path: string): FileSummary {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw new StoreRefusedError(path, 'unreachable', 'there is no such file');
  if ((statSync(logPath(path), { throwIfNoEntry: false })?.size ?? 0) > 0) {
    throw new StoreRefusedError(
      path,
      'incomplete',
      `has a write-ahead log beside it, so it is no backup but the file of a store; make one with "tutti store backup"`,
    );
  }
  const missing = missingBytes(path);
  if (missing > 0) throw unsound(path, `its last ${missing} bytes are missing`);
  const database = openUnchanged(path);
  try {
    checkFormat(database, path);
    const [verdict] = Object.values(database.prepare('PRAGMA integrity_check(1)').get() ?? {});
    if (verdict !== 'ok') throw unsound(path, String(verdict));
    const table = new LogTable(database);
    return {
      revision: table.revision(),
      compacted: table.compacted(),
      keys: table.count({ prefix: '', after: '' }),
      fileBytes: integer(database, 'PRAGMA page_count') * integer(database, 'PRAGMA page_size'),
      encryptionKeys: encryptionKeys(database),
    };
  } catch (error) {
    throw refusalHere(path, error);
  } finally {
    database.close();
  }
}

/** Immutable: SQLite neither locks it nor makes files beside it (sqlite.org/uri.html). */
function openUnchanged(path: string): DatabaseSync {
  const url = pathToFileURL(path);
  url.searchParams.set('immutable', '1');
  try {
    return new DatabaseSync(url, { readOnly: true });
  } catch (error) {
    throw refusalHere(path, error);
  }
}

function refusalHere(path: string, error: unknown): unknown {
  const refusal = refusalOf(path, error);
  return refusal?.reason === 'corrupt' ? unsound(path, (error as Error).message, error) : (refusal ?? error);
}

function unsound(path: string, what: string, cause?: unknown): StoreRefusedError {
  return new StoreRefusedError(path, 'corrupt', `is no sound backup (${what}); choose another`, cause);
}

/** History too: a watch may still read it. */
function encryptionKeys(database: DatabaseSync): readonly string[] {
  const heads = database
    .prepare('SELECT DISTINCT substr(value, 1, 64) AS head FROM log WHERE key >= ? AND key < ? AND value IS NOT NULL')
    .all(SECRETS_PREFIX, `${SECRETS_PREFIX}\x7f`);
  return [...new Set(heads.flatMap(({ head }) => sealedWith(String(head)) ?? []))];
}
