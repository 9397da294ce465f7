import { after, before, test } from 'node:test';
import { systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { needs } from '../../../test/support/programs.ts';
import { type RedisServer, startRedisServer } from '../../../test/support/redis-server.ts';
import { storeConformance } from '../conformance.ts';
import { openRedisStore } from './redis-store.ts';

const { skip } = needs('redis-server');

if (skip === false) conformance();
else void test('store conformance: redis', { skip });

function conformance(): void {
  let server: RedisServer;
  let stores = 0;
  before(async () => {
    server = await startRedisServer();
  });
  after(() => server.dispose());
  storeConformance('redis', async () => {
    let shiftMs = 0;
    const store = await openRedisStore({
      url: server.url,
      cluster: `store-${++stores}`,
      clock: systemClock(),
      log: silentLog(),
      leaseShiftMs: () => shiftMs,
    });
    return {
      store,
      advance: async (byMs) => {
        shiftMs += byMs;
      },
      dispose: () => store.close(),
    };
  });
}
