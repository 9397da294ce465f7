import { randomBytes } from 'node:crypto';
import {
  chmod,
  chown,
  lstat,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '../../kit/make-folder.ts';

export interface ProjectedFile {
  /** Relative, without `..`; may have folders. */
  readonly path: string;
  readonly bytes: Buffer;
  readonly mode: number;
  /** Whose it is; the agent's own when missing. */
  readonly uid?: number | undefined;
}

const DATA = '..data';

/**
 * Makes the folder hold exactly these files, all at once: a reader sees the old set or the new one, never a mixture. The
 * layout is the kubelet's (pkg/volume/util/atomic_writer.go), for apps that watch for it: `name → ..data/name`, and `..data`
 * is a link to a folder with a time in its name, replaced by renaming. True when something changed.
 */
export async function writeAtomicFolder(
  folder: string,
  files: readonly ProjectedFile[],
  nowMs: number,
): Promise<boolean> {
  makeFolder(folder, { mode: 0o755 });
  const before = await readlink(join(folder, DATA)).catch(() => undefined);
  if (before !== undefined && (await holds(join(folder, before), files))) return false;
  const name = `..${new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '_').replace('T', '_')}.${randomBytes(4).toString('hex')}`;
  for (const file of files) {
    const path = join(folder, name, file.path);
    makeFolder(dirname(path), { mode: 0o755 });
    await writeFile(path, file.bytes, { mode: 0o600 });
    // After writing, past the umask.
    await chmod(path, file.mode);
    if (file.uid !== undefined) await chown(path, file.uid, -1);
  }
  makeFolder(join(folder, name), { mode: 0o755 });
  const fresh = join(folder, `..data_tmp`);
  await rm(fresh, { force: true });
  await symlink(name, fresh);
  await rename(fresh, join(folder, DATA));
  await linkTops(folder, files);
  await clearOld(folder, name);
  return true;
}

/** One link for each first part of a path; those that are no longer there go. */
async function linkTops(folder: string, files: readonly ProjectedFile[]): Promise<void> {
  const tops = new Set(files.map(({ path }) => path.split('/')[0] ?? ''));
  for (const top of tops) {
    const exists = await lstat(join(folder, top)).then(
      () => true,
      () => false,
    );
    if (!exists) await symlink(join(DATA, top), join(folder, top));
  }
  for (const entry of await readdir(folder)) {
    if (!entry.startsWith('..') && !tops.has(entry)) await unlink(join(folder, entry));
  }
}

async function clearOld(folder: string, present: string): Promise<void> {
  for (const entry of await readdir(folder)) {
    if (entry.startsWith('..') && entry !== DATA && entry !== present) {
      await rm(join(folder, entry), { recursive: true, force: true });
    }
  }
}

async function holds(folder: string, files: readonly ProjectedFile[]): Promise<boolean> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (entries === undefined || entries.filter((entry) => entry.isFile()).length !== files.length) return false;
  for (const { path, bytes, mode } of files) {
    const at = join(folder, path);
    const same = await readFile(at).then(
      (present) => present.equals(bytes),
      () => false,
    );
    if (!same || ((await lstat(at)).mode & 0o777) !== mode) return false;
  }
  return true;
}
