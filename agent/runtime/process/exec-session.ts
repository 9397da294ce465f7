import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { Clock } from '../../../kit/clock.ts';
import { newUid } from '../../../kit/ids.ts';
import { identifyProcess, type ProcessIdentity, signalProcess } from '../../../kit/process.ts';
import type { ExecSession, OpenExecOptions, OpenExecResult } from '../runtime.ts';
import type { Cgroup } from './cgroup/cgroup.ts';
import { findExecutable } from './find-executable.ts';
import { RUN_ID, reap } from './host/reap.ts';
import type { HostCommand } from './host/supervisor.ts';
import { resizeTerminal, terminalCommand } from './terminal.ts';

/** In the environment of one such command and of all that it starts: what is to end with the one who asked for it. */
const EXEC_ID = 'TUTTI_EXEC_ID';

/** The run that a command is to be part of. */
export interface ExecPlace {
  readonly runId: string;
  readonly cgroup: Cgroup | undefined;
  readonly clock: Clock;
}

/** Starts a command as part of a run, with its streams open: same environment, folder, user and limits. */
export async function openExecIn(
  command: HostCommand,
  { runId, cgroup, clock }: ExecPlace,
  options: OpenExecOptions,
): Promise<OpenExecResult> {
  const [name = ''] = command.argv;
  const path = command.env['PATH'] ?? '';
  const program = name === '' ? undefined : await findExecutable(name, path, command.cwd);
  if (program === undefined) {
    const where = name.includes('/') ? `in ${command.cwd}` : 'in $PATH';
    return { ok: false, message: `exec: ${JSON.stringify(name)}: executable file not found ${where}` };
  }
  const seen = options.terminal === true ? await terminalCommand(command) : command;
  if (seen === undefined) {
    const message =
      'a terminal (-t) needs the program "script" of util-linux on the node: install it, or leave out -t; -i works without';
    return { ok: false, message };
  }
  const id = newUid();
  const [file = '', ...args] = seen.argv;
  const pipeIf = (wanted: boolean): 'pipe' | 'ignore' => (wanted ? 'pipe' : 'ignore');
  const child = spawn(file, args, {
    cwd: seen.cwd,
    env: { ...seen.env, [RUN_ID]: runId, [EXEC_ID]: id },
    detached: true,
    stdio: [pipeIf(options.stdin), pipeIf(options.stdout), pipeIf(options.stderr && options.terminal !== true)],
    ...(seen.uid === undefined ? {} : { uid: seen.uid }),
    ...(seen.gid === undefined ? {} : { gid: seen.gid }),
  });
  if (child.pid === undefined) {
    const [error] = (await once(child, 'error')) as [Error];
    return { ok: false, message: error.message };
  }
  try {
    // In the turn of its start: nothing that counts has happened without the limits.
    cgroup?.join(child.pid);
  } catch (error) {
    // One that has ended already needs none.
    if (identifyProcess(child.pid) !== undefined) {
      signalProcess(-child.pid, 'SIGKILL');
      return { ok: false, message: `the container's limits: ${(error as Error).message}` };
    }
  }
  const leader = identifyProcess(child.pid) ?? { pid: child.pid, startTicks: '' };
  return { ok: true, session: sessionOf(child, { id, leader, clock, isTerminal: options.terminal === true }) };
}

interface Started {
  readonly id: string;
  readonly leader: ProcessIdentity;
  readonly clock: Clock;
  readonly isTerminal: boolean;
}

function sessionOf(child: ChildProcess, { id, leader, clock, isTerminal }: Started): ExecSession {
  // A program that does not read its input to the end is no failure of ours.
  child.stdin?.on('error', () => undefined);
  // 'close' comes after the last of the output: of what it left running with its output open too, as with Kubernetes.
  const exited = new Promise<number>((resolve) => {
    child.once('close', (code, signal) => {
      resolve(code ?? (signal === null ? 1 : 128 + constants.signals[signal]));
    });
  });
  return {
    stdin: child.stdin ?? undefined,
    stdout: child.stdout ?? undefined,
    stderr: child.stderr ?? undefined,
    exited,
    resize: (size) => {
      if (isTerminal) void resizeTerminal(leader, size, clock).catch(() => undefined);
    },
    kill: async () => {
      const gone = await reap({ id, mark: EXEC_ID, leader }, clock);
      // Whoever else holds them open has moved out of reach; the one who asked has gone.
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
      if (!gone) throw new Error(`end command ${id}: some of it could not be killed`);
    },
  };
}
