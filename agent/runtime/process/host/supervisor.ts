import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, fchownSync, openSync } from 'node:fs';

/** A program as the host starts it. */
export interface HostCommand {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly uid?: number;
  readonly gid?: number;
}

/** In the exit file of a supervisor whose agent died before it said go. */
export const NEVER_TOLD = 'never';

/**
 * Runs one program and writes down how it ended, so that an exit is explained even when nobody watched it.
 *
 * - It waits for a word on standard input: the program starts only after the agent has written down who this is. If
 *   the agent dies before, the input ends and so does this, with nothing started, and says that it was never told.
 * - Its handlers do nothing, so a signal to the whole group reaches the program and leaves this to record the exit. A
 *   shell resets handlers in what it runs (POSIX sh, "trap"); ignoring the signals instead would be inherited.
 * - The program runs in the foreground: a non-interactive shell's background jobs would ignore SIGINT and SIGQUIT.
 * - The shell's own complaints ("Killed") go nowhere; only the program writes to the log.
 */
const SCRIPT = `
trap : HUP INT QUIT TERM USR1 USR2
read -r go || { echo ${NEVER_TOLD} >&3; exit 125; }
exec 4>&2 2>/dev/null </dev/null
"$@" 2>&4 3>&- 4>&-
echo $? >&3
`;

export interface Supervised {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Lets the program start. */
  go(): void;
  /** Ends the supervisor without starting the program. */
  abandon(): void;
}

export interface SupervisorFiles {
  /** Standard output and error are appended to it, by the program itself. */
  readonly log: string;
  /** Gets the exit code and a newline. */
  readonly exit: string;
}

/** Starts a supervisor in a session and process group of its own. Throws when it cannot be started. */
export async function startSupervisor(command: HostCommand, files: SupervisorFiles): Promise<Supervised> {
  const append = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND;
  const log = openSync(files.log, append, 0o640);
  const exit = openSync(files.exit, append | constants.O_TRUNC, 0o600);
  try {
    // A program that opens /dev/stdout anew needs the right to write to what is behind it.
    if (command.uid !== undefined) fchownSync(log, command.uid, command.gid ?? command.uid);
    const child = spawn('/bin/sh', ['-c', SCRIPT, 'tutti-supervisor', ...command.argv], {
      cwd: command.cwd,
      env: command.env,
      detached: true,
      stdio: ['pipe', log, log, exit],
      ...(command.uid === undefined ? {} : { uid: command.uid }),
      ...(command.gid === undefined ? {} : { gid: command.gid }),
    });
    if (child.pid === undefined) {
      const [error] = (await once(child, 'error')) as [Error];
      throw error;
    }
    return handle(child, child.pid);
  } finally {
    closeSync(log);
    closeSync(exit);
  }
}

function handle(child: ChildProcess, pid: number): Supervised {
  child.unref();
  // The supervisor may be gone when the word is said: its exit tells that, not this pipe.
  child.stdin?.on('error', () => undefined);
  return {
    pid,
    child,
    go: () => void child.stdin?.end('go\n'),
    abandon: () => void child.stdin?.destroy(),
  };
}
