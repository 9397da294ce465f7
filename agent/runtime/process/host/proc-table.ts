import { readdirSync, readFileSync } from 'node:fs';

/** A process as /proc shows it. Times in clock ticks, which Linux fixes at 100 a second for user space (USER_HZ). */
export interface ProcEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  readonly zombie: boolean;
  /** User and system time, its own and of children it has waited for. */
  readonly cpuTicks: number;
  readonly residentPages: number;
}

export const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

/** Every process that can be seen. Empty where there is no /proc (macOS): callers then have the process group alone. */
export function readProcTable(): readonly ProcEntry[] {
  return pids()
    .map(readProcEntry)
    .filter((entry) => entry !== undefined);
}

/** One process; undefined when it has ended. Fields as in proc_pid_stat(5), counted after the command name, which may hold spaces and parentheses itself. */
export function readProcEntry(pid: number): ProcEntry | undefined {
  const stat = readQuietly(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const number = (field: number): number => Number(fields[field - 3] ?? 0);
  return {
    pid,
    parent: number(4),
    group: number(5),
    session: number(6),
    zombie: fields[0] === 'Z',
    cpuTicks: number(14) + number(15) + number(16) + number(17),
    residentPages: number(24),
  };
}

export function residentBytes(entry: ProcEntry): number {
  return entry.residentPages * PAGE_BYTES;
}

/** How much of a process' resident set is of files and shared memory (proc_pid_statm(5)). */
export function sharedBytes({ pid }: ProcEntry): number {
  const [, , shared] = (readQuietly(`/proc/${pid}/statm`) ?? '').split(' ');
  return Number(shared ?? 0) * PAGE_BYTES;
}

/** Processes whose environment at their start had `name=value`, or any value when it is left out, with that value. */
export function processesWithEnvironment(name: string, value?: string): readonly { pid: number; value: string }[] {
  const wanted = value === undefined ? `${name}=` : `${name}=${value}\0`;
  const found: { pid: number; value: string }[] = [];
  for (const pid of pids()) {
    const environment = readQuietly(`/proc/${pid}/environ`);
    if (environment === undefined || !environment.includes(wanted)) continue;
    const at = environment.startsWith(wanted) ? 0 : environment.indexOf(`\0${wanted}`) + 1;
    if (at === 0 && !environment.startsWith(wanted)) continue;
    const end = environment.indexOf('\0', at);
    found.push({ pid, value: environment.slice(at + name.length + 1, end < 0 ? undefined : end) });
  }
  return found;
}

/** Tells one start of the machine from the next, so that a pid of before a reboot is never taken for one of now. */
export function bootId(): string {
  return readQuietly('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
}

function pids(): readonly number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/** A process may end between being listed and being read, or belong to another user. */
function readQuietly(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
