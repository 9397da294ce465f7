import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openRedisStore } from '../../control/store/redis/redis-store.ts';
import type { Change } from '../../control/store/store.ts';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { seededRandom } from '../../kit/random.ts';
import { cuttingProxy } from '../support/cutting-proxy.ts';
import { needs } from '../support/programs.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { checkHistory } from './checker.ts';
import { runClient } from './clients.ts';
import type { Operation } from './history.ts';
import { checkRevisions, checkWatch } from './revisions.ts';

const ROUNDS = Number(process.env['LINEARIZABILITY_ROUNDS'] ?? 1);
const CLIENTS = 8;
const FAULTS = 6;

for (let round = 0; round < ROUNDS; round++) {
  test(
    `redis is linearizable over kill -9, pauses and cut connections (seed ${round})`,
    needs('redis-server'),
    async (t) => {
      const random = seededRandom(round);
      const clock = systemClock();
      const redis = await startRedisServer();
      t.after(() => redis.dispose());
      const proxy = await cuttingProxy(redis.socketPath);
      t.after(() => proxy.close());
      const open = async (url: string) => {
        const store = await openRedisStore({ url, clock, log: silentLog() });
        t.after(() => store.close());
        return store;
      };
      // As two control planes: one straight, one by way of a network that breaks.
      const stores = [await open(redis.url), await open(proxy.url)];
      const history: Operation[] = [];
      const stop = new AbortController();
      const working = Promise.all(
        Array.from({ length: CLIENTS }, (_, client) =>
          runClient({
            name: `${client}`,
            store: stores[client % stores.length] as (typeof stores)[number],
            keys: ['/a', '/b', '/c', '/d'],
            random: seededRandom(round * CLIENTS + client),
            now: () => performance.now(),
            onAnswer: (operation) => void history.push(operation),
            operations: 20_000,
            signal: stop.signal,
          }),
        ),
      );
      const faults = [
        () => redis.crash(),
        async () => {
          redis.signal('SIGSTOP');
          await clock.sleep(200);
          redis.signal('SIGCONT');
        },
        async () => proxy.cut(),
        async () => {
          proxy.holdAnswers();
          await clock.sleep(50);
          proxy.cut();
        },
        async () => {
          proxy.holdRequests();
          await clock.sleep(50);
          proxy.cutClients();
          await clock.sleep(50);
          await proxy.releaseRequests();
        },
      ];
      for (let turn = 0; turn < FAULTS; turn++) {
        const answered = history.length;
        while (history.length < answered + 60) await clock.sleep(10);
        await (faults[turn < faults.length ? turn : Math.floor(random() * faults.length)] as () => Promise<void>)();
      }
      const answered = history.length;
      while (history.length < answered + 60) await clock.sleep(10);
      stop.abort();
      await working;
      const changes: Change[] = [];
      const present = await (stores[0] as (typeof stores)[number]).revision();
      for await (const batch of (stores[0] as (typeof stores)[number]).watch('', {
        after: 0,
        signal: new AbortController().signal,
      })) {
        changes.push(...batch.changes);
        if (batch.revision >= present) break;
      }
      assert.deepEqual(checkHistory(history), []);
      assert.deepEqual(checkRevisions(history), []);
      assert.deepEqual(checkWatch(history, changes), []);
      const unknown = history.filter(({ answer }) => answer.type === 'unknown').length;
      t.diagnostic(`${history.length} operations, ${present} revisions, ${unknown} without an answer`);
    },
  );
}
