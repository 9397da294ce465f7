// Certificates that are short of life while nobody is there to renew them: until they end, nobody notices.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startLoad } from '../support/load.ts';
import { pause } from '../support/mesh.ts';
import { type SplitShop, startSplitShop } from '../support/split-shop.ts';

let shop: SplitShop;

before(async () => {
  shop = await startSplitShop({ svidSeconds: 30, awaySeconds: 2 });
});

after(async () => {
  await shop?.stop();
});

test('a control plane that is away for nearly half the life of every certificate costs no request, then or later', async () => {
  const load = startLoad({ url: `${shop.url}/api/products`, requestsPerSecond: 200 });
  let onNewConnections = 0;
  let result: Awaited<ReturnType<typeof load.stop>>;
  const dial = async (seconds: number): Promise<void> => {
    for (const until = performance.now() + seconds * 1000; performance.now() < until; ) {
      const response = await fetch(`${shop.url}/api/products`, { headers: { connection: 'close' } });
      assert.equal(response.status, 200, await response.text());
      onNewConnections += 1;
      await pause(1000);
    }
  };
  try {
    shop.control().signal('SIGKILL');
    await shop.control().exited;
    await dial(shop.awaySeconds);
    await shop.restartControl();
    // By now every certificate of before has ended.
    await dial(shop.svidSeconds / 2 + 5);
  } finally {
    result = await load.stop();
  }
  assert.equal(result.failed, 0, `${result.failed} of ${result.sent} requests failed: ${result.detail}`);
  assert.ok(onNewConnections > 5, `${onNewConnections} new connections`);
});
