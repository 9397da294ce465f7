import { createInterface } from 'node:readline';
import { BEGUN, type LoadOutcome } from './load/outcome.ts';
import { startPinned, stop } from './proxy-process.ts';
import { LOAD_CORE } from './side-by-side.ts';

/** Called while every connection is up: opening and closing them is not what is measured. */
export interface Watch {
  readonly begun: () => void;
  readonly over: () => void;
}

/** Runs a program of load/ to its end. */
export async function runLoad(command: readonly string[], watch?: Watch): Promise<LoadOutcome> {
  const load = startPinned(LOAD_CORE, command, 'pipe');
  try {
    if (load.child.stdout === null) throw new Error('load: has no output');
    for await (const line of createInterface(load.child.stdout)) {
      if (line === BEGUN) watch?.begun();
      else {
        watch?.over();
        return JSON.parse(line) as LoadOutcome;
      }
    }
    throw new Error(`"${command.join(' ')}": ended without a word: ${load.output()}`);
  } finally {
    load.child.stdin?.end();
    await stop(load);
  }
}
