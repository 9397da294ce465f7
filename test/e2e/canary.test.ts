import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startLoad } from '../support/load.ts';
import { type RunningShop, startShop } from '../support/shop.ts';

let shop: RunningShop;

before(async () => {
  shop = await startShop();
});

after(async () => {
  await shop?.stop();
});

interface Measured {
  readonly canary: string;
  readonly weight: number;
  readonly shares: readonly {
    readonly service: string;
    readonly requests: number;
    readonly share?: number;
    readonly errors: number;
  }[];
}

test('over 10,000 requests the share of a canary is within one percentage point of its weight', async () => {
  const set = await shop.tutti(
    'canary',
    'catalog',
    '--to',
    'catalog-v2',
    '--weight',
    '10',
    '--measure',
    '100ms',
    '-o',
    'json',
  );
  assert.equal(set.code, 0, set.stderr);
  let v2 = 0;
  let all = 0;
  const one = async (): Promise<void> => {
    const response = await fetch(`${shop.url}/api/products`);
    const text = await response.text();
    assert.equal(response.status, 200, text);
    const { catalog } = JSON.parse(text) as { catalog: { version: string } };
    all += 1;
    if (catalog.version === 'v2') v2 += 1;
  };
  const worker = async (): Promise<void> => {
    for (let turn = 0; turn < 625; turn++) await one();
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  assert.equal(all, 10_000);
  // No dice: each proxy's split is off by some requests at most, however many there were (proxy/route/split.ts).
  const share = (v2 / all) * 100;
  assert.ok(Math.abs(share - 10) < 1, `${v2} of ${all} requests went to v2: ${share.toFixed(2)} %`);
});

test('the command prints the shares that the proxies measured', async () => {
  const load = startLoad({ url: `${shop.url}/api/products`, requestsPerSecond: 200 });
  try {
    const { code, stdout, stderr } = await shop.tutti(
      'canary',
      'catalog',
      '--weight',
      '50',
      '--measure',
      '4s',
      '-o',
      'json',
    );
    assert.equal(code, 0, stderr);
    assert.match(stderr, /catalog-v2: weight 50 % carried by \d+ of \d+ proxies/);
    const measured = JSON.parse(stdout) as Measured;
    assert.equal(measured.canary, 'catalog-v2');
    const share = measured.shares.find(({ service }) => service === 'catalog-v2');
    assert.ok((share?.requests ?? 0) > 100, JSON.stringify(measured));
    assert.ok(Math.abs((share?.share ?? 0) - 50) < 3, JSON.stringify(measured));
  } finally {
    await load.stop();
  }
});

test('a walk goes back by itself when the new version fails more than is allowed', async () => {
  // A catalog that answers 500 to one request in four, in the place of v2.
  await shop.edit('images/shop/catalog/v2/server.ts', (text) =>
    // Each fourth, and not by chance: with five failures in a row it would be ejected, and be asked no more.
    text.replace(
      /'GET \/products': \(\) =>/,
      "'GET /products': () => (globalThis.asked = (globalThis.asked ?? 0) + 1) % 4 === 0 ? { status: 500, json: {} } :",
    ),
  );
  const restarted = await shop.tutti('rollout', 'restart', 'deployment/catalog-v2');
  assert.equal(restarted.code, 0, restarted.stderr);
  const rolled = await shop.tutti('rollout', 'status', 'deployment/catalog-v2', '--timeout', '120s');
  assert.equal(rolled.code, 0, rolled.stderr);
  const load = startLoad({ url: `${shop.url}/api/products`, requestsPerSecond: 200 });
  try {
    const walked = await shop.tutti(
      'canary',
      'catalog',
      '--steps',
      '25,50,100',
      '--every',
      '10s',
      '--max-errors',
      '5%',
    );
    assert.equal(walked.code, 4, walked.stdout + walked.stderr);
    assert.match(walked.stderr, /went back to 0 %: \d+ of \d+ requests to catalog-v2 failed/);
    const { stdout } = await shop.tutti('get', 'httproute', 'catalog', '-o', 'json');
    const route = JSON.parse(stdout) as { spec: { rules: { backendRefs: { name: string; weight: number }[] }[] } };
    assert.deepEqual(
      route.spec.rules[0]?.backendRefs.map(({ name, weight }) => [name, weight]),
      [
        ['catalog', 100],
        ['catalog-v2', 0],
      ],
    );
  } finally {
    await load.stop();
  }
});

test('a canary of what is not there is refused with what there is', async () => {
  const unknown = await shop.tutti('canary', 'catalog', '--to', 'catalog-v3', '--weight', '10');
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /Service "catalog-v3": not found in namespace default/);
  const percent = await shop.tutti('canary', 'catalog', '--weight', '110');
  assert.equal(percent.code, 2);
  assert.match(percent.stderr, /--weight "110": must be a whole percent from 0 to 100/);
});
