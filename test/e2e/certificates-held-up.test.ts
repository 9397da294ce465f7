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

/** Renewed at half of 30 s at the latest, so each certificate has at least 15 s left at any moment. */
const LEFT_SECONDS = 15;
/** For all to be renewed, once somebody is there to do it. */
const RENEWAL_SECONDS = 4;

test('a control plane that is away for nearly half the life of every certificate costs no request, then or later', async () => {
  // However slow the machine starts it, it must be there again before the first certificate ends: that is not what is measured.
  const awaySeconds = Math.floor(LEFT_SECONDS - RENEWAL_SECONDS - (1.5 * shop.controlStartMs) / 1000);
  assert.ok(awaySeconds >= 2, `the control plane takes ${Math.round(shop.controlStartMs)} ms to start`);
  const load = startLoad({ url: `${shop.url}/api/products`, requestsPerSecond: 200 });
  let onNewConnections = 0;
  let result: Awaited<ReturnType<typeof load.stop>>;
  const dial = async (seconds: number): Promise<void> => {
    for (const until = performance.now() + seconds * 1000; performance.now() < until; ) {
      const response = await fetch(`${shop.url}/api/products`, { headers: { connection: 'close' } });
      assert.equal(response.status, 200);
      onNewConnections += 1;
      await pause(1000);
    }
  };
  try {
    shop.control().signal('SIGKILL');
    await shop.control().exited;
    await dial(awaySeconds);
    await shop.restartControl();
    // By now every certificate of before has ended.
    await dial(20);
  } finally {
    result = await load.stop();
  }
  assert.equal(result.failed, 0, `${result.failed} of ${result.sent} requests failed: ${result.detail}`);
  assert.ok(onNewConnections > 10, `${onNewConnections} new connections`);
});
