import type { ContainerUsage } from '../runtime.ts';
import { type ProcEntry, residentBytes, TICKS_PER_SECOND } from './host/proc-table.ts';

const NANOSECONDS_PER_TICK = 1_000_000_000 / TICKS_PER_SECOND;

/**
 * What each leader's processes use: its descendants and all in its session. Memory is the sum of their resident sets:
 * pages that two of them share count twice.
 */
export function usageOf(
  table: readonly ProcEntry[],
  leaders: readonly number[],
): readonly (ContainerUsage | undefined)[] {
  const byPid = new Map(table.map((entry) => [entry.pid, entry]));
  const wanted = new Set(leaders);
  const sums = new Map<number, { cpuTicks: number; memoryBytes: number }>();
  for (const entry of table) {
    const leader = leaderOf(entry, byPid, wanted);
    if (leader === undefined) continue;
    const sum = sums.get(leader) ?? { cpuTicks: 0, memoryBytes: 0 };
    sum.cpuTicks += entry.cpuTicks;
    sum.memoryBytes += residentBytes(entry);
    sums.set(leader, sum);
  }
  return leaders.map((leader) => {
    const sum = sums.get(leader);
    if (sum === undefined) return undefined;
    return { cpuNanoseconds: sum.cpuTicks * NANOSECONDS_PER_TICK, memoryBytes: sum.memoryBytes };
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
