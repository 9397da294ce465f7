import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder } from './make-folder.ts';

// `fs.promises` where it is used: node loads it then, and a proxy that starts has no use for it yet.

export interface WriteOptions {
  /** Permission bits; 0o644 unless told. Secrets and keys take 0o600. */
  readonly mode?: number;
}

/**
 * Replaces a file's content so that a reader, or a crash at any point, sees the old or the new whole: write beside,
 * flush, rename, flush the folder. Makes the folder when it is missing.
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  options: WriteOptions = {},
): Promise<void> {
  const folder = dirname(path);
  makeFolder(folder);
  const beside = join(folder, `.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const file = await fs.promises.open(beside, 'wx', options.mode ?? 0o644);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await fs.promises.rename(beside, path);
  } catch (error) {
    await fs.promises.rm(beside, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await fs.promises.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The file's text, or undefined when there is no such file. Other errors throw. */
export async function readTextIfPresent(path: string): Promise<string | undefined> {
  try {
    return await fs.promises.readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
