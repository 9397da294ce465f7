// Certificates that are short of life while nobody is there to renew them: until they end, nobody notices.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startLoad } from '../support/load.ts';
import { pause } from '../support/mesh.ts';
import { type SplitShop, startSplitShop } from '../support/split-shop.ts';

let shop: SplitShop;

before(async () => {
  shop = await startSplitShop(['--svid-ttl', '30s']);
});

after(async () => {
  await shop?.stop();
});

test('a control plane that is away for nearly half the life of every certificate costs no request, then or later', async () => {
  const load = startLoad({ url: `${shop.url}/api/products`, requestsPerSecond: 200 });
  let onNewConnections = 0;
  let result: Awaited<ReturnType<typeof load.stop>>;
  const dial = async (seconds: number): Promise<void> => {
    for (let turn = 0; turn < seconds; turn++) {
      const response = await fetch(`${shop.url}/api/products`, { headers: { connection: 'close' } });
      assert.equal(response.status, 200);
      onNewConnections += 1;
      await pause(1000);
    }
  };
  try {
    // Renewed at half of 30 s at the latest, so each has at least 15 s left now.
    shop.control().signal('SIGKILL');
    await shop.control().exited;
    await dial(9);
    await shop.restartControl();
    // By now every certificate of before has ended.
    await dial(20);
  } finally {
    result = await load.stop();
  }
  assert.equal(result.failed, 0, `${result.failed} of ${result.sent} requests failed: ${result.detail}`);
  assert.equal(onNewConnections, 29);
});
