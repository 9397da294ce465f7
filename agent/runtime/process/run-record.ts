import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readTextIfPresent, writeFileAtomic } from '../../../kit/disk.ts';
import type { ContainerKey } from '../runtime.ts';
import type { HostCommand } from './host/supervisor.ts';

/** What is written down about a run before it starts: enough to adopt it, and to run a command beside it. */
export interface RunRecord {
  readonly key: ContainerKey;
  readonly image: string;
  readonly imageId: string;
  readonly command: HostCommand;
  readonly labels?: Readonly<Record<string, string>>;
  /** The folder of its control group, when it has one. */
  readonly cgroup?: string;
}

/** `<pods>/<uid>/containers/<name>/<attempt>/`: one folder for each run. */
export function runFolder(podsFolder: string, { podUid, container, attempt }: ContainerKey): string {
  return join(podsFolder, podUid, 'containers', container, String(attempt));
}

/** Holds Secrets' values in its environment: for the agent's user alone. */
export async function writeRunRecord(folder: string, record: RunRecord): Promise<void> {
  await writeFileAtomic(join(folder, 'run.json'), `${JSON.stringify(record)}\n`, { mode: 0o600 });
}

/** Every run folder there is; without a record when a crash came between making the folder and writing it. */
export async function findRunRecords(
  podsFolder: string,
): Promise<readonly { readonly folder: string; readonly record: RunRecord | undefined }[]> {
  const found: { folder: string; record: RunRecord | undefined }[] = [];
  for (const uid of await foldersIn(podsFolder)) {
    const containers = join(podsFolder, uid, 'containers');
    for (const name of await foldersIn(containers)) {
      for (const attempt of await foldersIn(join(containers, name))) {
        const folder = join(containers, name, attempt);
        const text = await readTextIfPresent(join(folder, 'run.json'));
        found.push({ folder, record: text === undefined ? undefined : (JSON.parse(text) as RunRecord) });
      }
    }
  }
  return found;
}

async function foldersIn(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
