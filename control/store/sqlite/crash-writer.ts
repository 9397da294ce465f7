/**
 * A process for sqlite-store.test.ts to kill: writes to the store named by its argument, several writers at once, and
 * says each write on standard output once it is acknowledged.
 */
import { systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { openSqliteStore } from './sqlite-store.ts';

const WRITERS = 4;

const [path = '', round = ''] = process.argv.slice(2);
const store = await openSqliteStore({ path, clock: systemClock(), log: silentLog() });

/** Resolves when the reader's pipe has it. */
function say(line: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(line, () => resolve()));
}

async function write(writer: number): Promise<never> {
  for (let turn = 0; ; turn++) {
    const value = `${round}-${writer}-${turn}-${'x'.repeat((turn * 997) % 9000)}`;
    const key = `/k/${(turn + writer) % 11}`;
    const result = await store.transact({ compare: [], put: [{ key, value }], delete: turn % 5 === 0 ? ['/d'] : [] });
    if (!result.ok) throw new Error('a write without comparison was refused');
    await say(`${result.revision} ${key} ${value}\n`);
    if (turn % 50 === 49) await store.compact(result.revision - 40);
  }
}

await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
