import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { chromium } from 'playwright-core';
import { eventually } from '../../test/support/eventually.ts';
import { needs, program } from '../../test/support/programs.ts';
import { type RunningService, startService } from './start-service.ts';

const IMAGES = join(import.meta.dirname, 'images', 'shop');
const SESSION_KEY = 'a-key-of-this-test-alone';
const ALL = ['frontend', 'catalog/v1', 'catalog/v2', 'cart', 'reviews'];

type Json = Readonly<Record<string, unknown>>;

async function json(url: string, init: RequestInit = {}): Promise<Json> {
  const response = await fetch(url, init);
  return (await response.json()) as Json;
}

interface Shop {
  readonly frontend: RunningService;
  readonly catalog: RunningService;
}

async function startShop(context: TestContext, version = 'v1'): Promise<Shop> {
  const [catalog, reviews, cart] = await Promise.all([
    startService(context, `catalog/${version}`),
    startService(context, 'reviews'),
    startService(context, 'cart', { SESSION_KEY }),
  ]);
  const urls = { CATALOG_URL: catalog.url, REVIEWS_URL: reviews.url, CART_URL: cart.url };
  return { catalog, frontend: await startService(context, 'frontend', urls) };
}

test('images are whole by themselves, and what they share is the same in each', () => {
  for (const file of ['service.ts', 'Dockerfile']) {
    const copies = ALL.map((image) => readFileSync(join(IMAGES, image, file), 'utf8'));
    assert.equal(new Set(copies).size, 1, `${file} differs between images`);
  }
  const catalogs = ['v1', 'v2'].map((version) => readFileSync(join(IMAGES, 'catalog', version, 'server.ts'), 'utf8'));
  assert.equal(catalogs[0], catalogs[1]);
  // What speaks gRPC is called by gRPC's own clients (test/e2e/grpc.test.ts).
  for (const image of [...ALL, 'stock']) {
    for (const file of readdirSync(join(IMAGES, image)).filter((name) => name.endsWith('.ts'))) {
      const text = readFileSync(join(IMAGES, image, file), 'utf8');
      const imports = [...text.matchAll(/from '([^']+)'/g)].map(([, from]) => from ?? '');
      for (const from of imports) assert.match(from, /^(node:|\.\/)/, `${image}/${file} imports ${from}`);
    }
  }
});

for (const image of ALL) {
  test(`${image} is healthy, says who it is, echoes headers, logs requests, and ends at SIGTERM`, async (context) => {
    const service = await startService(context, image, { SESSION_KEY });
    assert.equal((await json(`${service.url}/healthz`))['status'], 'ok');
    assert.equal((await json(`${service.url}/readyz`))['status'], 'ready');
    const response = await fetch(`${service.url}/headers?a=b`, {
      headers: { 'x-forwarded-client-cert': 'By=a;URI=b' },
    });
    const echoed = (await response.json()) as Json;
    assert.equal((echoed['headers'] as Json)['x-forwarded-client-cert'], 'By=a;URI=b');
    assert.equal(echoed['replica'], `${image}-test`);
    assert.match(response.headers.get('x-served-by') ?? '', new RegExp(`/${String(echoed['version'])} ${image}-test`));
    assert.equal((await fetch(`${service.url}/nowhere`)).status, 404);
    await eventually('both requests are logged, probes are not', () => service.log.length === 3 || undefined);
    const { method, path, status } = service.log[1] ?? {};
    assert.deepEqual([method, path, status], ['GET', '/headers?a=b', 200]);
    assert.equal(await service.stop(), 0);
  });
}

test('the two catalogs differ: v2 has more, at other prices', async (context) => {
  const [v1, v2] = await Promise.all([startService(context, 'catalog/v1'), startService(context, 'catalog/v2')]);
  const [first, second] = await Promise.all([json(`${v1.url}/products`), json(`${v2.url}/products`)]);
  assert.deepEqual([first['version'], second['version']], ['v1', 'v2']);
  assert.ok((second['products'] as unknown[]).length > (first['products'] as unknown[]).length);
  const one = await json(`${v2.url}/product?id=kalimba`);
  assert.equal((one['product'] as Json)['wasCents'], 4900);
  assert.equal((await fetch(`${v1.url}/product?id=glockenspiel`)).status, 404);
});

test('a service that is told to stop answers what is under way, then ends', async (context) => {
  const service = await startService(context, 'cart', { SESSION_KEY });
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
  await once(socket, 'connect');
  const body = JSON.stringify({ product: 'kalimba' });
  const head = `POST /cart/items HTTP/1.1\r\nhost: cart\r\ncontent-length: ${body.length}\r\n\r\n`;
  await new Promise((resolve) => socket.write(head + body.slice(0, 5), resolve));
  // Sent after the half request on a later connection, so answered when that has been read.
  await json(`${service.url}/healthz`);
  service.process.kill('SIGTERM');
  await eventually('it is stopping', () => service.log.some(({ message }) => message === 'stopping') || undefined);
  socket.end(body.slice(5));
  let answer = '';
  socket.on('data', (chunk) => (answer += chunk.toString()));
  const [code] = (await once(service.process, 'exit')) as [number];
  assert.match(answer, /^HTTP\/1\.1 201 [\s\S]*connection: close[\s\S]*"count":1/i);
  assert.equal(code, 0);
});

test('a cart belongs to its signed cookie, and a forged one opens none', async (context) => {
  const { url } = await startService(context, 'cart', { SESSION_KEY });
  const add = (body: unknown, cookie = ''): Promise<Response> =>
    fetch(`${url}/cart/items`, { method: 'POST', body: JSON.stringify(body), headers: { cookie } });

  const first = await add({ product: 'kalimba', quantity: 2 });
  assert.equal(first.status, 201);
  const setCookie = first.headers.get('set-cookie') ?? '';
  assert.match(setCookie, /HttpOnly; SameSite=Lax/);
  const cookie = setCookie.split(';')[0] ?? '';
  const second = await add({ product: 'ocarina' }, `theme=dark; ${cookie}`);
  assert.equal(second.headers.get('set-cookie'), null);
  assert.equal((await json(`${url}/cart`, { headers: { cookie } }))['count'], 3);

  assert.equal((await json(`${url}/cart`))['count'], 0);
  const forged = cookie.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
  assert.equal((await json(`${url}/cart`, { headers: { cookie: forged } }))['count'], 0);

  await add({ product: 'kalimba', quantity: -2 }, cookie);
  await add({ product: 'ocarina', quantity: 1e9 }, cookie);
  const { items } = await json(`${url}/cart`, { headers: { cookie } });
  assert.deepEqual(items, [{ product: 'ocarina', quantity: 99 }]);
  assert.equal((await json(`${url}/cart/clear`, { method: 'POST', headers: { cookie } }))['count'], 0);
});

for (const [what, body, status] of [
  ['no JSON', '{', 400],
  ['no object', '[1]', 400],
  ['no product', '{}', 400],
  ['a product that is no name', '{"product":"<b>"}', 400],
  ['half a quantity', '{"product":"kalimba","quantity":0.5}', 400],
  ['more than a cart may take', `{"product":"${'a'.repeat(70_000)}"}`, 413],
] as const) {
  test(`the cart refuses ${what}`, async (context) => {
    const { url } = await startService(context, 'cart', { SESSION_KEY });
    assert.equal((await fetch(`${url}/cart/items`, { method: 'POST', body })).status, status);
  });
}

test('the cart does not start without a key to sign with, and says so', () => {
  const run = spawnSync(process.execPath, ['server.ts'], {
    cwd: join(IMAGES, 'cart'),
    env: { PORT: '0' },
    encoding: 'utf8',
  });
  assert.equal(run.status, 1);
  assert.match(run.stderr, /SESSION_KEY/);
});

test('reviews are summed up for each product', async (context) => {
  const { url } = await startService(context, 'reviews');
  const { summaries } = await json(`${url}/summaries?product=kalimba&product=nothing`);
  const { kalimba, nothing } = summaries as Record<string, Json>;
  assert.deepEqual([kalimba?.['count'], kalimba?.['average']], [3, 4.7]);
  assert.equal(nothing?.['count'], 0);
  const { reviews } = await json(`${url}/reviews?product=kalimba`);
  assert.equal((reviews as unknown[]).length, 3);
});

test('the page shows products, reviews, who served it, and which catalog version answered', async (context) => {
  const { frontend } = await startShop(context, 'v2');
  // What has not answered within its 2 s, on a machine that is held up, is left out of that one page.
  const page = await eventually('a page with nothing left out', async () => {
    const response = await fetch(frontend.url);
    return response.headers.get('x-degraded') === null ? await response.text() : undefined;
  });
  for (const shown of [
    'class="version v2"',
    'Glockenspiel',
    '4.7 · 3 reviews',
    'catalog/v2-test',
    '€44.00',
    'Da Capo',
  ]) {
    assert.ok(page.includes(shown), `no ${shown}`);
  }
  const { catalog, products } = await json(`${frontend.url}/api/products`);
  assert.deepEqual([(catalog as Json)['version'], (products as unknown[]).length], ['v2', 8]);
});

test('a changed banner file shows on the next page', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'shop-'));
  context.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'banner.txt');
  const { url } = await startService(context, 'frontend', { BANNER_FILE: file, CATALOG_URL: 'http://127.0.0.1:9' });
  const page = async (): Promise<string> => await (await fetch(url)).text();
  assert.doesNotMatch(await page(), /class="banner"/);
  await writeFile(file, 'Half price <today>\n');
  assert.match(await page(), /class="banner">Half price &lt;today&gt;</);
});

test('the page is there without catalog, reviews and cart, and says what is missing', async (context) => {
  const nowhere = 'http://127.0.0.1:9';
  const { url } = await startService(context, 'frontend', {
    CATALOG_URL: nowhere,
    REVIEWS_URL: nowhere,
    CART_URL: nowhere,
  });
  const response = await fetch(url);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('x-degraded'), 'catalog, reviews, cart');
  assert.match(await response.text(), /The shelf is being tuned/);
  assert.equal((await fetch(`${url}/api/products`)).status, 502);
  assert.equal((await fetch(`${url}/cart`, { method: 'POST', body: 'product=kalimba' })).status, 502);
});

test('trace context and request id are passed on; what a catalog says is escaped', async (context) => {
  const seen: IncomingHttpHeaders[] = [];
  const fake = createServer((request, response) => {
    seen.push(request.headers);
    response.end(
      JSON.stringify({ products: [{ id: 'x', name: '<script>alert(1)</script>', text: '', priceCents: 1 }] }),
    );
  }).listen(0, '127.0.0.1');
  context.after(() => fake.close());
  await once(fake, 'listening');
  const CATALOG_URL = `http://127.0.0.1:${(fake.address() as AddressInfo).port}`;
  const { url } = await startService(context, 'frontend', { CATALOG_URL });
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const response = await fetch(url, { headers: { traceparent, 'x-request-id': 'abc', 'x-other': 'kept here' } });
  const page = await response.text();
  assert.ok(page.includes('&lt;script&gt;alert(1)') && !page.includes('<script>alert'));
  assert.deepEqual(
    [seen[0]?.['traceparent'], seen[0]?.['x-request-id'], seen[0]?.['x-other']],
    [traceparent, 'abc', undefined],
  );
});

test('the form adds to the cart without a script: the cookie is set and the page comes again', async (context) => {
  const { frontend } = await startShop(context);
  const form = { method: 'POST', body: new URLSearchParams({ product: 'kalimba' }), redirect: 'manual' } as const;
  const response = await fetch(`${frontend.url}/cart`, form);
  assert.deepEqual([response.status, response.headers.get('location')], [303, '/#kalimba']);
  const cookie = (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const page = await (await fetch(frontend.url, { headers: { cookie } })).text();
  assert.match(page, /id="count" aria-live="polite">1</);
});

test(
  'in a browser, adding to the cart counts up without leaving the page, and nothing is refused',
  needs('chromium'),
  async (context) => {
    const { frontend } = await startShop(context);
    const browser = await chromium.launch({
      timeout: 120_000,
      executablePath: program('chromium'),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    context.after(() => browser.close());
    const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
    page.setDefaultTimeout(120_000);
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(frontend.url);
    await page.locator('#kalimba button').click();
    await page.locator('#count', { hasText: '1' }).waitFor();
    await page.locator('.cart summary').click();
    await page.locator('#panel', { hasText: 'Kalimba' }).waitFor();
    const sideways = await page.evaluate('document.documentElement.scrollWidth > innerWidth');
    assert.equal(sideways, false, 'the page is wider than the phone');
    await page.locator('#panel button').click();
    await page.locator('#count', { hasText: '0' }).waitFor();
    assert.deepEqual(complaints, []);
  },
);
