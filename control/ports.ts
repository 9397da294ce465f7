import { join } from 'node:path';
import { readTextIfPresent, writeFileAtomic } from '../kit/disk.ts';

/** Ports that the system chose, by use: kept, so that after a restart everyone finds a process where it was. */
export interface KeptPorts {
  /** The port to bind: the one asked for, or for 0 the one of the last run, if there was one. */
  wanted(use: string, asked: number): number;
  /** Writes down what was bound. Read anew before, because control plane and agent may share the file. */
  keep(use: string, port: number): Promise<void>;
}

export async function openKeptPorts(stateFolder: string): Promise<KeptPorts> {
  const path = join(stateFolder, 'ports.json');
  const read = async (): Promise<Map<string, number>> => parsePorts(await readTextIfPresent(path));
  const kept = await read();
  return {
    wanted: (use, asked) => (asked === 0 ? (kept.get(use) ?? 0) : asked),
    keep: async (use, port) => {
      const present = await read();
      if (present.get(use) === port) return;
      present.set(use, port);
      await writeFileAtomic(path, `${JSON.stringify(Object.fromEntries(present), null, 2)}\n`);
    },
  };
}

function parsePorts(text: string | undefined): Map<string, number> {
  if (text === undefined) return new Map();
  try {
    const entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
    return new Map(entries.filter((entry): entry is [string, number] => isPort(entry[1])));
  } catch {
    // Not worth failing for: the system chooses anew.
    return new Map();
  }
}

function isPort(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536;
}
