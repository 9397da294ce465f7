import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import net from 'node:net';

/** A child on one core. */
export interface Pinned {
  readonly child: ChildProcess;
  /** The last of what it printed. */
  readonly output: () => string;
}

const OUTPUT_KEPT = 20_000;

/** Starts a command on one core (taskset), its output kept. */
export function startPinned(core: number, command: readonly string[], input: 'ignore' | 'pipe' = 'ignore'): Pinned {
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

export interface Usage {
  readonly cpuMicros: number;
  readonly rssBytes: number;
}

/** Of several processes together. */
export function usageOf(processes: readonly Pinned[]): Usage {
  const each = processes.map(({ child }) => usage(child.pid ?? 0));
  return {
    cpuMicros: each.reduce((sum, { cpuMicros }) => sum + cpuMicros, 0),
    rssBytes: each.reduce((sum, { rssBytes }) => sum + rssBytes, 0),
  };
}

// Linux' USER_HZ, which /proc/<pid>/stat counts in; 100 on every architecture that Node runs on.
const TICK_MICROS = 10_000;
const PAGE_BYTES = 4096;

/** User and system time and memory of a process and all its descendants (nginx' worker is a child of its master). */
function usage(pid: number): Usage {
  const children = new Map<number, number[]>();
  const own = new Map<number, Usage>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const text = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const fields = text
        .slice(text.lastIndexOf(')') + 2)
        .split(' ')
        .map(Number);
      const [, parent = 0] = fields;
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
      const cpuMicros = ((fields[11] ?? 0) + (fields[12] ?? 0)) * TICK_MICROS;
      own.set(Number(entry), { cpuMicros, rssBytes: (fields[21] ?? 0) * PAGE_BYTES });
    } catch {
      // It ended between the listing and the reading.
    }
  }
  const sum = (of: number): Usage => {
    const mine = own.get(of) ?? { cpuMicros: 0, rssBytes: 0 };
    return (children.get(of) ?? [])
      .map(sum)
      .reduce(
        (total, child) => ({ cpuMicros: total.cpuMicros + child.cpuMicros, rssBytes: total.rssBytes + child.rssBytes }),
        mine,
      );
  };
  return sum(pid);
}
