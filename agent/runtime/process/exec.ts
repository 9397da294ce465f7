import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Clock, Timer } from '../../../kit/clock.ts';
import { signalProcess } from '../../../kit/process.ts';
import type { ExecOptions, ExecResult } from '../runtime.ts';
import { RUN_ID } from './host/reap.ts';
import type { HostCommand } from './host/supervisor.ts';

const OUTPUT_WITHIN_MS = 100;

/** Runs a command as part of a run: same environment, folder and user; killed with its children when its time is over. */
export async function execIn(
  command: HostCommand,
  runId: string,
  options: ExecOptions,
  clock: Clock,
): Promise<ExecResult> {
  const [program = '', ...args] = command.argv;
  const child = spawn(program, args, {
    cwd: command.cwd,
    env: { ...command.env, [RUN_ID]: runId },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(command.uid === undefined ? {} : { uid: command.uid }),
    ...(command.gid === undefined ? {} : { gid: command.gid }),
  });
  const output = new BoundedOutput(options.maxOutputBytes);
  child.stdout.on('data', (bytes: Buffer) => output.add(bytes));
  child.stderr.on('data', (bytes: Buffer) => output.add(bytes));
  const exitCode = await new Promise<number | undefined>((resolve) => {
    const timer = clock.timer(options.timeoutMs, () => {
      if (child.pid !== undefined) signalProcess(-child.pid, 'SIGKILL');
      // What a grandchild holds open would keep us here: its time is over too.
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(undefined);
    });
    child.on('error', (error) => {
      timer.stop();
      output.add(Buffer.from(error.message));
      // 127 is what a shell gives for a command that it does not find (POSIX sh 2.8.2).
      resolve(127);
    });
    let last: Timer | undefined;
    child.on('exit', (code, signal) => {
      timer.stop();
      const exitCode = code ?? (signal === null ? 1 : 128 + constants.signals[signal]);
      child.on('close', () => {
        last?.stop();
        resolve(exitCode);
      });
      // Its output is complete at 'close', which a grandchild that holds the pipe open would put off.
      last = clock.timer(OUTPUT_WITHIN_MS, () => {
        child.stdout.destroy();
        child.stderr.destroy();
      });
    });
  });
  return { exitCode, output: output.text };
}

class BoundedOutput {
  readonly #pieces: Buffer[] = [];
  #left: number;

  constructor(maxBytes: number) {
    this.#left = maxBytes;
  }

  add(bytes: Buffer): void {
    const part = bytes.subarray(0, this.#left);
    this.#left -= part.length;
    if (part.length > 0) this.#pieces.push(part);
  }

  get text(): string {
    return Buffer.concat(this.#pieces).toString('utf8');
  }
}
