/**
 * A process for sqlite.test.ts to kill: a store in the file named by its first argument, and clients that use it. Says each call before
 * it is made and each answer, as lines of JSON on standard output, at once: what was called and not answered is what was under way.
 */
import { writeSync } from 'node:fs';
import { openSqliteStore } from '../../control/store/sqlite/sqlite-store.ts';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { seededRandom } from '../../kit/random.ts';
import { runClient } from './clients.ts';

const CLIENTS = 5;
const KEYS = ['/a', '/b', '/c'];

const [path = '', round = '0'] = process.argv.slice(2);
const store = await openSqliteStore({ path, clock: systemClock(), log: silentLog() });

function say(line: unknown): void {
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      // A full pipe: its reader is at work.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

await Promise.all(
  Array.from({ length: CLIENTS }, (_, client) =>
    runClient({
      name: `${round}-${client}`,
      store,
      keys: KEYS,
      random: seededRandom(Number(round) * CLIENTS + client),
      // CLOCK_MONOTONIC: the same for every process of the machine.
      now: () => Number(process.hrtime.bigint()) / 1e6,
      onCall: (call) => say({ call }),
      onAnswer: (answered) => say({ answered }),
      operations: 1_000_000,
      signal: new AbortController().signal,
    }),
  ),
);
