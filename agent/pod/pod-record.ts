import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../../api/kinds/pod.ts';
import { readTextIfPresent, writeFileAtomic } from '../../kit/disk.ts';
import type { AppPorts } from '../environment/platform-variables.ts';

/** Where a pod is on this node's network, for as long as it lives. */
export interface PodPlacement {
  readonly address: string;
  /** Of its sidecar, on the node's address; undefined for a pod without one. */
  readonly meshPort: number | undefined;
  readonly appPorts: AppPorts;
}

/** What is written down of a pod before anything of it runs: enough to take it over while the API server is away. */
export interface PodRecord {
  readonly pod: Pod;
  readonly placement: PodPlacement;
}

export function podFolder(podsFolder: string, uid: string): string {
  return join(podsFolder, uid);
}

export async function writePodRecord(podsFolder: string, record: PodRecord): Promise<void> {
  const path = join(podFolder(podsFolder, record.pod.metadata.uid), 'pod.json');
  await writeFileAtomic(path, `${JSON.stringify(record)}\n`, { mode: 0o600 });
}

/** The pods that an earlier agent wrote down. A folder without a record holds nothing that runs, and goes. */
export async function readPodRecords(podsFolder: string): Promise<readonly PodRecord[]> {
  const records: PodRecord[] = [];
  for (const uid of await readdir(podsFolder).catch(() => [])) {
    const text = await readTextIfPresent(join(podFolder(podsFolder, uid), 'pod.json'));
    if (text === undefined) await rm(podFolder(podsFolder, uid), { recursive: true, force: true });
    else records.push(JSON.parse(text) as PodRecord);
  }
  return records;
}
