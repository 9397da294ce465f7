import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { seededRandom } from '../../kit/random.ts';
import { needs, program } from '../../test/support/programs.ts';
import { createEngine } from '../data-plane.ts';
import { METRICS } from '../telemetry/metric-list.ts';
import { answering, rawExchange, rawUpstream, startEngine } from '../test-support/harness.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../test-support/tables.ts';
import { type Admin, createAdmin } from './admin.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

async function setUp() {
  const app = await rawUpstream(answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
  const proxy = await startEngine({
    tables: tables([listener('in', 't')], [routeTable('t', [route(forward('app'))])], [cluster('app', [app.port])]),
  });
  const admin = await createAdmin({
    engine: proxy.engine,
    clock: systemClock(),
    log: silentLog(),
    address: '127.0.0.1',
    port: 0,
    extra: () => ({ node: 'n' }),
  });
  return {
    proxy,
    admin,
    [Symbol.asyncDispose]: async () => {
      await admin.close();
      await proxy[Symbol.asyncDispose]();
      await app[Symbol.asyncDispose]();
    },
  };
}

const fetchFrom = (admin: Admin, path: string, init?: RequestInit): Promise<Response> =>
  fetch(`http://127.0.0.1:${admin.port}${path}`, init);

test('a proxy is ready when the listeners of its first tables are bound, and not while it drains', async () => {
  const engine = createEngine({
    clock: systemClock(),
    random: seededRandom(1),
    log: silentLog(),
    accessLog: undefined,
  });
  const admin = await createAdmin({ engine, clock: systemClock(), log: silentLog(), address: '127.0.0.1', port: 0 });
  assert.equal((await fetchFrom(admin, '/ready')).status, 503);
  await engine.apply(tables([listener('in', 't')], [routeTable('t', [])], []));
  assert.equal((await fetchFrom(admin, '/ready')).status, 200);
  const drained = await fetchFrom(admin, '/drain?deadlineMs=5000', { method: 'POST' });
  assert.equal(drained.status, 200);
  assert.equal((await fetchFrom(admin, '/ready')).status, 503);
  await admin.close();
  await engine.close();
});

test('the tables, the endpoints and what the process adds can be looked at', async () => {
  await using set = await setUp();
  await rawExchange(set.proxy.port('in'), GET);
  const config = (await (await fetchFrom(set.admin, '/config')).json()) as Record<string, unknown>;
  assert.equal(config['node'], 'n');
  assert.match(JSON.stringify(config['tables']), /"routeTable":"t"/);
  const clusters = (await (await fetchFrom(set.admin, '/clusters')).json()) as {
    endpoints: { connectionsOpened: number }[];
  }[];
  assert.equal(clusters[0]?.endpoints[0]?.connectionsOpened, 1);
});

test('a page in a browser cannot drain a proxy', async () => {
  await using set = await setUp();
  const refused = await fetchFrom(set.admin, '/drain', { method: 'POST', headers: { origin: 'http://evil.example' } });
  assert.equal(refused.status, 403);
  assert.equal(set.proxy.engine.draining, false);
  assert.equal((await fetchFrom(set.admin, '/drain')).status, 404);
});

test('what is counted is published, and promtool finds nothing to say', needs('promtool'), async () => {
  await using set = await setUp();
  for (let turn = 0; turn < 3; turn++) await rawExchange(set.proxy.port('in'), GET);
  await rawExchange(set.proxy.port('in'), 'nonsense\r\n\r\n');
  const text = await (await fetchFrom(set.admin, '/metrics')).text();
  assert.match(text, /tutti_requests_total\{direction="ingress",service="app.default",code="2xx",reason=""\} 3\n/);
  assert.match(text, /tutti_requests_total\{direction="ingress",service="",code="4xx",reason="DPE"\} 1\n/);
  assert.match(text, /tutti_request_duration_seconds_count\{direction="ingress",service="app.default"\} 3\n/);
  assert.match(text, /tutti_request_duration_seconds_bucket\{[^}]*le="\+Inf"\} 3\n/);
  assert.match(text, /tutti_rejected_messages_total\{message="request",cause="bad-method"\} 1\n/);
  const promtool = spawn(program('promtool'), ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [promtool.stdout, promtool.stderr])
    stream.on('data', (data: Buffer) => void (said += data.toString()));
  promtool.stdin.end(text);
  const code = await new Promise((resolve) => promtool.on('close', resolve));
  assert.deepEqual([said, code], ['', 0]);
});

test('each series carries the labels that its metric lists', async () => {
  await using set = await setUp();
  await rawExchange(set.proxy.port('in'), GET);
  for (const { name, labels, collect } of METRICS) {
    collect(set.proxy.engine, (series) => assert.deepEqual(Object.keys(series), labels, name));
  }
});
