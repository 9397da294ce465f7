/**
 * A process for the crash tests to kill: writes to the store named by its first argument, many writers at once, so that commits hold
 * several transactions, and says each on standard output once it is acknowledged: revision, size of the write-ahead log, value. Each
 * transaction writes two keys to the same value. After the number of its third argument it rests, still open.
 */
import { statSync } from 'node:fs';
import { systemClock } from '../../../../kit/clock.ts';
import { silentLog } from '../../../../kit/log.ts';
import { openSqliteStore } from '../sqlite-store.ts';

const WRITERS = 16;
/** The longest value takes several pages. */
const LONGEST = 9000;

const [path = '', round = '', count = '', compacting = ''] = process.argv.slice(2);
const store = await openSqliteStore({ path, clock: systemClock(), log: silentLog() });
let left = Number(count);

/** Resolves when the reader's pipe has it. */
function say(line: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(line, () => resolve()));
}

async function write(writer: number): Promise<void> {
  for (let turn = 0; left > 0; turn++) {
    left -= 1;
    const value = `${round}-${writer}-${turn}-${'x'.repeat((turn * 997 + writer * 131) % LONGEST)}`;
    const pair = (turn + writer) % 11;
    const put = [`/left/${pair}`, `/right/${pair}`].map((key) => ({ key, value }));
    const result = await store.transact({ compare: [], put, delete: turn % 5 === 0 ? ['/d'] : [] });
    if (!result.ok) throw new Error('a write without comparison was refused');
    await say(`${result.revision} ${statSync(`${path}-wal`).size} ${pair} ${value}\n`);
    if (compacting !== '' && turn % 20 === 19) await store.compact(result.revision - 40);
  }
}

await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
await say('done\n');
setInterval(() => {}, 1 << 30);
