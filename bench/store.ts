/**
 * `node bench/store.ts`: durable commits a second of the store's engines, one after the other and many at once, each of one key with a
 * kilobyte of value. Redis by a Unix socket with appendfsync always, SQLite with synchronous FULL: the same disk flushes for both.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRedisStore } from '../control/store/redis/redis-store.ts';
import { openSqliteStore } from '../control/store/sqlite/sqlite-store.ts';
import type { Store } from '../control/store/store.ts';
import { systemClock } from '../kit/clock.ts';
import { silentLog } from '../kit/log.ts';
import { startRedisServer } from '../test/support/redis-server.ts';

const VALUE = 'x'.repeat(1000);
const KEYS = 1000;
const WRITERS = [1, 16, 64, 256];
const ROUND_MS = 2000;
const ROUNDS = 3;

/** Commits a second with so many writers, each waiting for its answer before it writes again. */
async function commitsPerSecond(store: Store, writers: number): Promise<number> {
  const began = performance.now();
  let commits = 0;
  const writer = async (lane: number): Promise<void> => {
    for (let turn = 0; performance.now() - began < ROUND_MS; turn++) {
      const key = `/bench/${(lane * 31 + turn) % KEYS}`;
      await store.transact({ compare: [], put: [{ key, value: VALUE }], delete: [] });
      commits += 1;
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, lane) => writer(lane)));
  await store.compact(await store.revision());
  return (commits / (performance.now() - began)) * 1000;
}

const folder = mkdtempSync(join(tmpdir(), 'tutti-bench-store-'));
const redis = await startRedisServer();
const shared = { clock: systemClock(), log: silentLog() };
const engines: Readonly<Record<string, Store>> = {
  sqlite: await openSqliteStore({ path: join(folder, 'store.db'), ...shared }),
  redis: await openRedisStore({ url: redis.url, ...shared }),
};
try {
  process.stdout.write(
    `commits/s, median of ${ROUNDS} rounds of ${ROUND_MS / 1000} s; writers: ${WRITERS.join(', ')}\n`,
  );
  const rates = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const writers of WRITERS) {
      for (const [name, store] of Object.entries(engines)) {
        const at = `${name} ${writers}`;
        rates.set(at, [...(rates.get(at) ?? []), await commitsPerSecond(store, writers)]);
      }
    }
  }
  for (const name of Object.keys(engines)) {
    const medians = WRITERS.map((writers) => {
      const sorted = (rates.get(`${name} ${writers}`) ?? []).toSorted((one, other) => one - other);
      return String(Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0)).padStart(8);
    });
    process.stdout.write(`${name.padEnd(8)}${medians.join('')}\n`);
  }
} finally {
  for (const store of Object.values(engines)) await store.close();
  await redis.dispose();
  rmSync(folder, { recursive: true, force: true });
}
