import { readFileSync } from 'node:fs';

/**
 * Names one run of one process. A pid alone may be given to another process after a crash; with the time the process
 * started (field 22 of /proc/<pid>/stat, in clock ticks since boot) it may not.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** Empty where the system has no /proc: then only the pid tells. */
  readonly startTicks: string;
}

/** The identity of a running process, or undefined when there is none with that pid. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name is in parentheses and may hold spaces and parentheses itself: count fields from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return undefined;
    return { pid, startTicks: fields[19] ?? '' };
  } catch {
    if (process.platform === 'linux') return undefined;
    try {
      process.kill(pid, 0);
      return { pid, startTicks: '' };
    } catch {
      return undefined;
    }
  }
}

/** Whether the very process that was identified still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  const now = identifyProcess(identity.pid);
  return now !== undefined && now.startTicks === identity.startTicks;
}

/** Sends a signal to a process or, with a negative pid, to a process group. False when there is none. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
