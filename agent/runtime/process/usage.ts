import type { ContainerUsage } from '../runtime.ts';
import { type ProcEntry, residentBytes, sharedBytes, TICKS_PER_SECOND } from './host/proc-table.ts';

const NANOSECONDS_PER_TICK = 1_000_000_000 / TICKS_PER_SECOND;

/**
 * What each leader's processes use: its descendants and all in its session. Memory is what each has for itself, and once what
 * they share of files, which is the program that they run: several workers of one app do not count it several times.
 */
export function usageOf(
  table: readonly ProcEntry[],
  leaders: readonly number[],
  sharedOf: (entry: ProcEntry) => number = sharedBytes,
): readonly (ContainerUsage | undefined)[] {
  const byPid = new Map(table.map((entry) => [entry.pid, entry]));
  const wanted = new Set(leaders);
  const sums = new Map<number, { cpuTicks: number; privateBytes: number; sharedBytes: number }>();
  for (const entry of table) {
    const leader = leaderOf(entry, byPid, wanted);
    if (leader === undefined) continue;
    const sum = sums.get(leader) ?? { cpuTicks: 0, privateBytes: 0, sharedBytes: 0 };
    sum.cpuTicks += entry.cpuTicks;
    const shared = Math.min(sharedOf(entry), residentBytes(entry));
    sum.privateBytes += residentBytes(entry) - shared;
    sum.sharedBytes = Math.max(sum.sharedBytes, shared);
    sums.set(leader, sum);
  }
  return leaders.map((leader) => {
    const sum = sums.get(leader);
    if (sum === undefined) return undefined;
    return {
      cpuNanoseconds: sum.cpuTicks * NANOSECONDS_PER_TICK,
      memoryBytes: sum.privateBytes + sum.sharedBytes,
    };
  });
}

// Deeper than any real tree; a table read while processes come and go may show a loop.
const MAX_DEPTH = 64;

function leaderOf(
  entry: ProcEntry,
  byPid: ReadonlyMap<number, ProcEntry>,
  leaders: ReadonlySet<number>,
): number | undefined {
  if (leaders.has(entry.session)) return entry.session;
  let ancestor: ProcEntry | undefined = entry;
  for (let depth = 0; depth < MAX_DEPTH && ancestor !== undefined; depth++) {
    if (leaders.has(ancestor.pid)) return ancestor.pid;
    ancestor = byPid.get(ancestor.parent);
  }
  return undefined;
}
