import { join } from 'node:path';
import { readTextIfPresent, writeFileAtomic } from '../kit/disk.ts';

/** Ports that the system chose, by use: kept, so that after a restart everyone finds the control plane where it was. */
export interface KeptPorts {
  /** The port to bind: the one asked for, or for 0 the one of the last run, if there was one. */
  wanted(use: string, asked: number): number;
  /** Writes down what was bound. */
  keep(use: string, port: number): Promise<void>;
}

export async function openKeptPorts(stateFolder: string): Promise<KeptPorts> {
  const path = join(stateFolder, 'ports.json');
  const kept = readPorts(await readTextIfPresent(path));
  return {
    wanted: (use, asked) => (asked === 0 ? (kept.get(use) ?? 0) : asked),
    keep: async (use, port) => {
      if (kept.get(use) === port) return;
      kept.set(use, port);
      await writeFileAtomic(path, `${JSON.stringify(Object.fromEntries(kept), null, 2)}\n`);
    },
  };
}

function readPorts(text: string | undefined): Map<string, number> {
  if (text === undefined) return new Map();
  try {
    const entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
    return new Map(entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
  } catch {
    // Not worth failing for: the system chooses anew.
    return new Map();
  }
}
