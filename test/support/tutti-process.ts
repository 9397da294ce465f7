import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './eventually.ts';

const root = join(import.meta.dirname, '..', '..');
const main = join(root, 'cli', 'main.ts');

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Ended with SIGKILL after this; a command that hangs is a finding. */
  readonly timeoutMs?: number;
}

/** Runs a `tutti` command to its end. */
export async function tutti(args: readonly string[], options: RunOptions): Promise<Finished> {
  return await run(process.execPath, [main, ...args], options);
}

/** Runs any program to its end. */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<Finished> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, NO_COLOR: '1', ...options.env },
    stdio: 'pipe',
  });
  const output = collect(child);
  // A program may end without having read all of it.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(options.input ?? '');
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 150_000);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return { code, stdout: output.stdout(), stderr: output.stderr() };
}

/** A `tutti` process that stays: up, control, agent. */
export interface RunningTutti {
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  /** Resolves when the text has been printed to either; fails with all that was printed when the process ends before. */
  printed(text: string | RegExp, timeoutMs?: number): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Nobody reads any more what it prints, as when the program at the other end of a pipe has ended. */
  stopReading(): void;
  /** Exit code, or the signal's name. */
  readonly exited: Promise<number | NodeJS.Signals>;
}

export function startTutti(args: readonly string[], options: Pick<RunOptions, 'cwd' | 'env'>): RunningTutti {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: options.cwd,
    env: { ...process.env, NO_COLOR: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = collect(child);
  let ended: number | NodeJS.Signals | undefined;
  const exited = once(child, 'exit').then(([code, signal]) => {
    ended = (code ?? signal) as number | NodeJS.Signals;
    return ended;
  });
  return {
    pid: child.pid ?? 0,
    stdout: () => output.stdout(),
    stderr: () => output.stderr(),
    exited,
    signal: (signal) => void child.kill(signal),
    stopReading: () => {
      child.stdout?.destroy();
      child.stderr?.destroy();
    },
    printed: async (text, timeoutMs = 120_000) => {
      const seen = (): boolean => {
        const all = output.stdout() + output.stderr();
        return typeof text === 'string' ? all.includes(text) : text.test(all);
      };
      await eventually(
        `tutti ${args[0] ?? ''} prints ${String(text)}`,
        () => {
          if (seen()) return true;
          return ended === undefined ? undefined : 'ended';
        },
        timeoutMs,
      ).catch((error: unknown) => {
        throw new Error(
          `tutti ${args.join(' ')} did not print ${String(text)}:\n${output.stdout()}${output.stderr()}`,
          { cause: error },
        );
      });
      if (!seen())
        throw new Error(
          `tutti ${args.join(' ')} ended (${String(ended)}) before it printed ${String(text)}:\n${output.stdout()}${output.stderr()}`,
        );
    },
  };
}

/** Every process that has this text in its command line or its environment: what a start in a folder may have left. */
export function processesNaming(text: string): { readonly pid: number; readonly command: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
        return command !== '' && (command.includes(text) || environment.includes(text))
          ? [{ pid: Number(pid), command }]
          : [];
      } catch {
        return [];
      }
    });
}

function collect(child: ChildProcess): { stdout(): string; stderr(): string } {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return { stdout: () => stdout, stderr: () => stderr };
}
