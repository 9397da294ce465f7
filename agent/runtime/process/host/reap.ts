import type { Clock } from '../../../../kit/clock.ts';
import { identifyProcess, isRunning, type ProcessIdentity, signalProcess } from '../../../../kit/process.ts';
import type { Cgroup } from '../cgroup/cgroup.ts';
import { processesWithEnvironment, readProcTable } from './proc-table.ts';

/** In the environment of everything that a run starts, handed down to whatever that starts in turn. */
export const RUN_ID = 'TUTTI_CONTAINER_ID';

/** One run, as its processes can be told from all others. */
export interface Run {
  readonly id: string;
  /** The variable that carries the id, when it is not {@link RUN_ID}. */
  readonly mark?: string;
  /** The supervisor: leader of the run's session and group. */
  readonly leader: ProcessIdentity;
  /** The leader's end was seen as it happened: the number of its session cannot be another's yet. */
  readonly isFresh?: boolean;
  /** Whatever is in it is the run's. */
  readonly cgroup?: Cgroup;
}

// Killing takes effect within a scheduler's turn; what needs longer hangs in the kernel and is reported.
const KILL_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 20;
// A process that begins another program (execve) has no environment for a moment: one look may miss it. A control group misses nobody.
const LOOKS_WITHOUT_GROUP = 2;

/**
 * Every process of the run, the leader included: those in its control group, those whose environment carries its id, wherever
 * they have moved to, and those in the leader's session while the leader lives or has just ended. Later that number may be
 * another's.
 *
 * Where there are no control groups, a process that has left the session and cleaned its environment is not found.
 */
function membersOf(run: Run): readonly ProcessIdentity[] {
  const pids = new Set(processesWithEnvironment(run.mark ?? RUN_ID, run.id).map(({ pid }) => pid));
  for (const pid of run.cgroup?.pids() ?? []) pids.add(pid);
  if (isRunning(run.leader) || run.isFresh === true) {
    if (isRunning(run.leader)) pids.add(run.leader.pid);
    for (const { pid, session, zombie } of readProcTable()) {
      if (session === run.leader.pid && !zombie) pids.add(pid);
    }
  }
  pids.delete(process.pid);
  return [...pids].map(identifyProcess).filter((identity) => identity !== undefined);
}

/** Kills all of the run and waits until it is gone. False when something would not die in time. */
export async function reap(run: Run, clock: Clock): Promise<boolean> {
  const until = clock.monotonic() + KILL_WITHIN_MS;
  const seen = new Map<number, ProcessIdentity>();
  for (let looksLeft = looksOf(run); ; ) {
    for (const identity of membersOf(run)) seen.set(identity.pid, identity);
    const alive = [...seen.values()].filter(isRunning);
    looksLeft = alive.length === 0 ? looksLeft - 1 : looksOf(run);
    if (looksLeft === 0) return true;
    if (alive.length > 0 && clock.monotonic() > until) return false;
    run.cgroup?.kill();
    if (isRunning(run.leader) || run.isFresh === true) kill(-run.leader.pid);
    for (const { pid } of alive) kill(pid);
    await clock.sleep(LOOK_EVERY_MS);
  }
}

/** How many in a row must find nobody. */
function looksOf({ cgroup }: Run): number {
  return cgroup === undefined ? LOOKS_WITHOUT_GROUP : 1;
}

/** A process of another user (a program that changed its user without the right to be killed by us) stays: `reap` says so. */
function kill(pid: number): void {
  try {
    signalProcess(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  }
}
