import { type ChildProcess, spawn } from 'node:child_process';
import net from 'node:net';
import { type Usage, usage } from '../test/support/process-usage.ts';

/** A child on one core. */
export interface Pinned {
  readonly child: ChildProcess;
  /** The last of what it printed. */
  readonly output: () => string;
}

const OUTPUT_KEPT = 20_000;

/** Starts a command on one core, or on those of a list (taskset), its output kept. */
export function startPinned(
  core: number | string,
  command: readonly string[],
  input: 'ignore' | 'pipe' = 'ignore',
): Pinned {
  const child = spawn('taskset', ['-c', String(core), ...command], { stdio: [input, 'pipe', 'pipe'] });
  let output = '';
  const keep = (data: Buffer): void => void (output = (output + data.toString()).slice(-OUTPUT_KEPT));
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return { child, output: () => output };
}

/** Runs a command on one core to its end and gives what it wrote to standard output. */
export async function runPinned(core: number, command: readonly string[]): Promise<string> {
  const { child, output } = startPinned(core, command);
  let answer = '';
  child.stdout?.on('data', (data: Buffer) => void (answer += data.toString()));
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`run "${command.join(' ')}": exit code ${String(code)}: ${output()}`);
  return answer;
}

export async function stop({ child }: Pinned): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.on('close', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
  await gone;
  clearTimeout(timer);
}

/** Waits until a port takes connections; the process must not have ended. */
export async function listening(process: Pinned, port: number, host = '127.0.0.1'): Promise<void> {
  const until = performance.now() + 10_000;
  while (performance.now() < until) {
    if (process.child.exitCode !== null)
      throw new Error(`"${process.child.spawnargs.join(' ')}": ended at its start: ${process.output()}`);
    const open = await new Promise<boolean>((resolve) => {
      const socket = net.connect({ port, host }, () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`port ${port}: nobody listened within 10 s: ${process.output()}`);
}

/** Of several processes together. */
export function usageOf(processes: readonly Pinned[]): Usage {
  const each = processes.map(({ child }) => usage(child.pid ?? 0));
  return {
    cpuMicros: each.reduce((sum, { cpuMicros }) => sum + cpuMicros, 0),
    rssBytes: each.reduce((sum, { rssBytes }) => sum + rssBytes, 0),
  };
}
