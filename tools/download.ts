import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { say } from './on-path.ts';

const ATTEMPTS = 3;
const WAIT_MS = 10_000;
/** What hangs is ended after this, and tried again. */
const LIMIT_MS = 240_000;

/** Something that comes from elsewhere: tried again a few times, since servers and networks are away now and then. Gives whether it came. */
export function download(
  what: string,
  command: readonly [string, ...string[]],
  options: SpawnSyncOptions = {},
): boolean {
  return attempt(what, () => {
    const [program, ...args] = command;
    const stdio: SpawnSyncOptions['stdio'] = ['ignore', 'ignore', 'inherit'];
    const { status, signal, error } = spawnSync(program, args, { stdio, timeout: LIMIT_MS, ...options });
    return status === 0 ? undefined : `"${command.join(' ')}" ${error?.message ?? `ended with ${signal ?? status}`}`;
  });
}

/** Until `run` gives no problem, or has given one too often; each is said. */
export function attempt(what: string, run: () => string | undefined, waitMs = WAIT_MS): boolean {
  for (let turn = 1; ; turn++) {
    const problem = run();
    if (problem === undefined) return true;
    if (turn === ATTEMPTS) {
      say(`${what}: ${problem}; given up after ${ATTEMPTS} attempts`);
      return false;
    }
    say(`${what}: ${problem}; trying again in ${waitMs / 1000} s (attempt ${turn + 1} of ${ATTEMPTS})`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, waitMs);
  }
}
