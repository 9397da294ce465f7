import { readFileSync, statSync, watch } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Timer } from '../../../../kit/clock.ts';
import { readTextIfPresent, writeFileAtomic } from '../../../../kit/disk.ts';
import { makeFolder } from '../../../../kit/make-folder.ts';
import { identifyProcess, isRunning, type ProcessIdentity, signalProcess } from '../../../../kit/process.ts';
import type { Cgroup } from '../cgroup/cgroup.ts';
import type { CgroupFile } from '../cgroup/cgroup-files.ts';
import { bootId } from './proc-table.ts';
import { RUN_ID, type Run, reap } from './reap.ts';
import { type HostCommand, NEVER_TOLD, startSupervisor } from './supervisor.ts';

/**
 * idle: nothing was started. running: the supervisor lives. exited: it does not; how the program ended is known from the
 * file it left, or not at all (`exitCode` 137 then, with a message).
 */
export type HostProcessState =
  | { readonly type: 'idle' }
  | { readonly type: 'running'; readonly startedAtMs: number; readonly pid: number }
  | {
      readonly type: 'exited';
      readonly startedAtMs: number;
      readonly finishedAtMs: number;
      readonly exitCode: number;
      readonly signal?: number;
      readonly isOutOfMemory?: true;
      readonly message?: string;
    };

export interface HostProcessOptions {
  /** Has the run's files; made when missing. */
  readonly folder: string;
  /** The run's id, in the environment of all that it starts. */
  readonly id: string;
  /** The control group in which all of it runs. */
  readonly cgroup?: Cgroup;
  readonly clock: Clock;
  readonly onExit: () => void;
}

interface ProcessRecord extends ProcessIdentity {
  readonly bootId: string;
  readonly startedAtMs: number;
}

// Where no event announces an exit: a supervisor that was itself killed.
const LOOK_EVERY_MS = 1000;

/** A program of the host that outlives the agent: started, found again, stopped with all that it started. */
export class HostProcess {
  readonly #options: HostProcessOptions;
  #state: HostProcessState = { type: 'idle' };
  #leader: ProcessIdentity | undefined;
  #reaped: Promise<boolean> = Promise.resolve(true);
  #look: Timer | undefined;
  #unwatch: () => void = () => undefined;
  /** Its end is seen as it happens, not found later. */
  #isFresh = true;
  #signalled = false;
  #killed = false;
  #waiting: (() => void)[] = [];

  constructor(options: HostProcessOptions) {
    this.#options = options;
  }

  get state(): HostProcessState {
    return this.#state;
  }

  get folder(): string {
    return this.#options.folder;
  }

  get logPath(): string {
    return join(this.#options.folder, 'log');
  }

  /**
   * Starts the program, under the limits in `cgroupFiles`. When it resolves, who it is has been written down. Throws when it
   * cannot be started.
   */
  async start(command: HostCommand, cgroupFiles: readonly CgroupFile[] = []): Promise<void> {
    if (this.#state.type !== 'idle') throw new Error(`start process "${this.#options.id}": is ${this.#state.type}`);
    makeFolder(this.#options.folder, { mode: 0o700 });
    const env = { ...command.env, [RUN_ID]: this.#options.id };
    const supervised = await startSupervisor({ ...command, env }, { log: this.logPath, exit: this.#exitPath });
    const identity = identifyProcess(supervised.pid);
    if (identity === undefined) throw new Error(`start process "${this.#options.id}": ended before it began`);
    const startedAtMs = this.#options.clock.now();
    const record: ProcessRecord = { ...identity, bootId: bootId(), startedAtMs };
    try {
      const { cgroup } = this.#options;
      cgroup?.make(cgroupFiles);
      cgroup?.join(identity.pid);
      await writeFileAtomic(this.#recordPath, `${JSON.stringify(record)}\n`, { mode: 0o600 });
    } catch (error) {
      supervised.abandon();
      throw error;
    }
    this.#leader = identity;
    this.#state = { type: 'running', startedAtMs, pid: identity.pid };
    supervised.child.on('exit', () => this.#settle());
    supervised.go();
    this.#planLook();
  }

  /** Finds again what an earlier agent started here: running, exited, or never started. */
  async adopt(): Promise<void> {
    const text = await readTextIfPresent(this.#recordPath);
    if (text === undefined) return;
    const record = JSON.parse(text) as ProcessRecord;
    // The agent died between writing down who it is and telling it to go: as if it had not been started.
    if (wasNeverTold(this.#exitPath)) return;
    this.#leader = { pid: record.pid, startTicks: record.startTicks };
    this.#state = { type: 'running', startedAtMs: record.startedAtMs, pid: record.pid };
    if (record.bootId !== bootId() || !isRunning(this.#leader)) {
      this.#isFresh = false;
      this.#settle();
      return;
    }
    this.#watchExitFile();
    this.#planLook();
    if (!isRunning(this.#leader)) this.#settle();
  }

  /** A signal to the whole group. */
  signal(signal: NodeJS.Signals): void {
    if (this.#leader !== undefined && isRunning(this.#leader)) signalProcess(-this.#leader.pid, signal);
  }

  /** Stop signal, grace, kill; resolves when nothing of it is left. A second call may shorten the grace of the first. */
  async stop(options: { readonly graceMs: number }): Promise<void> {
    if (this.#state.type === 'running') {
      if (!this.#signalled) this.signal('SIGTERM');
      this.#signalled = true;
      await this.#exitWithin(options.graceMs);
    }
    if (this.#state.type === 'running') await this.#kill();
    if (!(await this.#reaped)) throw new Error(`stop process "${this.#options.id}": some of it could not be killed`);
  }

  /** Resolves when nothing that an exited process started is left. */
  async settled(): Promise<void> {
    await this.#reaped;
  }

  /** Takes the folder away. Only for what does not run. */
  async remove(): Promise<void> {
    if (this.#state.type === 'running') throw new Error(`remove process "${this.#options.id}": it runs`);
    await this.#reaped;
    this.#options.cgroup?.remove();
    await rm(this.#options.folder, { recursive: true, force: true });
  }

  /** Stops watching; what runs goes on. */
  close(): void {
    this.#look?.stop();
    this.#unwatch();
  }

  async #kill(): Promise<void> {
    this.#killed = true;
    const gone = await reap(this.#run(), this.#options.clock);
    this.#settle();
    if (!gone) throw new Error(`stop process "${this.#options.id}": some of it could not be killed`);
  }

  /** Resolves at the exit or after the time, whichever is first. */
  async #exitWithin(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.timer(ms, resolve);
      this.#waiting.push(() => {
        timer.stop();
        resolve();
      });
    });
  }

  /** Notes the exit, once, and kills what the program left behind. */
  #settle(): void {
    if (this.#state.type !== 'running') return;
    this.close();
    this.#state = { type: 'exited', startedAtMs: this.#state.startedAtMs, ...this.#readExit() };
    this.#reaped = reap(this.#run(), this.#options.clock);
    for (const wake of this.#waiting.splice(0)) wake();
    this.#options.onExit();
  }

  #readExit(): Omit<HostProcessState & { type: 'exited' }, 'type' | 'startedAtMs'> {
    const code = readExitCode(this.#exitPath);
    const killed = { finishedAtMs: this.#options.clock.now(), exitCode: 137, signal: 9 };
    // The supervisor is killed with its program, or has seen that end by the same signal.
    if ((code?.exitCode ?? 137) === 137 && this.#options.cgroup?.isOutOfMemory === true) {
      return { ...killed, ...code, isOutOfMemory: true };
    }
    if (code !== undefined) return { ...code, ...signalOf(code.exitCode) };
    return this.#killed ? killed : { ...killed, message: 'how it ended is not known: its supervisor was killed' };
  }

  #planLook(): void {
    this.#look = this.#options.clock.timer(LOOK_EVERY_MS, () => {
      if (this.#leader !== undefined && isRunning(this.#leader)) this.#planLook();
      else this.#settle();
    });
  }

  /** The exit code is the last thing that the supervisor does: it ends within moments. */
  #watchExitFile(): void {
    try {
      const watcher = watch(this.#exitPath, { persistent: false }, () => {
        if (readExitCode(this.#exitPath) !== undefined) this.#settle();
      });
      watcher.on('error', () => watcher.close());
      this.#unwatch = () => watcher.close();
    } catch {
      // No watches left, or no file: the regular look finds the exit a second later.
    }
  }

  #run(): Run {
    const leader = this.#leader ?? { pid: 0, startTicks: '' };
    const { id, cgroup } = this.#options;
    return { id, leader, isFresh: this.#isFresh && leader.pid > 0, ...(cgroup === undefined ? {} : { cgroup }) };
  }

  get #exitPath(): string {
    return join(this.#options.folder, 'exit');
  }

  get #recordPath(): string {
    return join(this.#options.folder, 'process.json');
  }
}

function readExitCode(path: string): { exitCode: number; finishedAtMs: number } | undefined {
  try {
    const match = /^(\d+)\n/.exec(readFileSync(path, 'utf8'));
    return match === null
      ? undefined
      : { exitCode: Number(match[1]), finishedAtMs: Math.round(statSync(path).mtimeMs) };
  } catch {
    return undefined;
  }
}

function wasNeverTold(path: string): boolean {
  try {
    return readFileSync(path, 'utf8').startsWith(NEVER_TOLD);
  } catch {
    return false;
  }
}

/** A shell reports a program that a signal ended as 128 and the signal's number (POSIX sh, 2.8.2). */
function signalOf(exitCode: number): { signal?: number } {
  return exitCode > 128 && exitCode <= 128 + 64 ? { signal: exitCode - 128 } : {};
}
