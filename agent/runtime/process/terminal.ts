import { execFile } from 'node:child_process';
import { readlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Clock } from '../../../kit/clock.ts';
import { isRunning, type ProcessIdentity } from '../../../kit/process.ts';
import type { TerminalSize } from '../runtime.ts';
import { findExecutable } from './find-executable.ts';
import { readProcTable } from './host/proc-table.ts';
import type { HostCommand } from './host/supervisor.ts';

/* Node has no pseudo-terminals. util-linux's script(1) makes one, and is on every Debian, Ubuntu and Fedora. */

/** Where the tools of the system are, whatever the container's PATH. */
const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin';

/** A terminal is there within moments of the start. */
const LOOKS = 50;
const LOOK_EVERY_MS = 20;

/** The command as it is run on a terminal of its own. Undefined where the node has no program for that. */
export async function terminalCommand(command: HostCommand): Promise<HostCommand | undefined> {
  const script = process.platform === 'linux' ? await findExecutable('script', SYSTEM_PATH, '/') : undefined;
  if (script === undefined) return undefined;
  const line = `exec ${command.argv.map(quoted).join(' ')}`;
  return {
    ...command,
    // Quiet, its exit code that of the command, and the echo on although its own input is no terminal.
    argv: [script, '-q', '-e', '-E', 'always', '-c', line, '/dev/null'],
    // script takes its shell from there; the kubelet too sets TERM when there is a terminal.
    env: { TERM: 'xterm', ...command.env, SHELL: '/bin/sh' },
  };
}

/** Tells the terminal under `script` its size; the kernel then sends SIGWINCH. Does nothing when it is gone. */
export async function resizeTerminal(script: ProcessIdentity, size: TerminalSize, clock: Clock): Promise<void> {
  for (let look = 0; look < LOOKS && isRunning(script); look++) {
    const terminal = await terminalUnder(script.pid);
    if (terminal !== undefined) {
      const args = ['-F', terminal, 'rows', String(size.rows), 'cols', String(size.columns)];
      await promisify(execFile)('stty', args, { env: { PATH: SYSTEM_PATH } });
      return;
    }
    await clock.sleep(LOOK_EVERY_MS);
  }
}

/** Between its fork and the opening of its terminal the child still has the pipe of its parent. */
async function terminalUnder(pid: number): Promise<string | undefined> {
  for (const { pid: child, parent } of readProcTable()) {
    if (parent !== pid) continue;
    const input = await readlink(`/proc/${child}/fd/0`).catch(() => '');
    if (input.startsWith('/dev/pts/')) return input;
  }
  return undefined;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
