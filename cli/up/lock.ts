import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readTextIfPresent } from '../../kit/disk.ts';
import { makeFolder } from '../../kit/make-folder.ts';
import { identifyProcess, isRunning, type ProcessIdentity } from '../../kit/process.ts';
import { CommandError } from '../output/exit-codes.ts';

/**
 * One process of a kind per state folder: whoever holds `<kind>.lock`. The lock of a process that is gone is taken over. Makes the
 * folder when it is missing.
 */
export interface FolderLock {
  release(): Promise<void>;
}

export async function lockFolder(folder: string, kind = 'up'): Promise<FolderLock> {
  try {
    makeFolder(folder);
  } catch (error) {
    throw unusable(folder, error);
  }
  const path = join(folder, `${kind}.lock`);
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const file = await open(path, 'wx', 0o644);
      await file.writeFile(JSON.stringify(identifyProcess(process.pid)));
      await file.close();
      return { release: () => rm(path, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(folder, error);
    }
    const holder = await folderHolder(folder, kind);
    if (holder !== undefined) {
      throw new CommandError(`${folder}: in use by another tutti (process ${holder.pid})`, {
        hint: `use that one, stop it (Ctrl-C there, or "kill ${holder.pid}"), or keep a second one apart with --data and other ports`,
      });
    }
    await rm(path, { force: true });
  }
  throw new CommandError(`${path}: cannot be taken: another tutti is starting`, { hint: 'try again' });
}

/** The running process that holds the folder's lock of this kind. */
export async function folderHolder(folder: string, kind: string): Promise<ProcessIdentity | undefined> {
  const holder = readHolder(await readTextIfPresent(join(folder, `${kind}.lock`)));
  return holder !== undefined && isRunning(holder) ? holder : undefined;
}

/** All of these, or none: `tutti up` is a control plane and an agent too. */
export async function lockFolderAs(folder: string, kinds: readonly string[]): Promise<FolderLock> {
  const held: FolderLock[] = [];
  const release = async (): Promise<void> => {
    for (const lock of held.toReversed()) await lock.release();
  };
  try {
    for (const kind of kinds) held.push(await lockFolder(folder, kind));
  } catch (error) {
    await release();
    throw error;
  }
  return { release };
}

function unusable(folder: string, error: unknown): CommandError {
  return new CommandError(`state folder "${folder}": cannot be written (${(error as Error).message})`, {
    hint: 'let this user write it, or choose another with --data',
    cause: error,
  });
}

function readHolder(text: string | undefined): ProcessIdentity | undefined {
  try {
    return JSON.parse(text ?? '') as ProcessIdentity;
  } catch {
    // Cut short by a crash while it was written: nobody holds it.
    return undefined;
  }
}
