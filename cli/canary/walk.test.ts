import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '../../api/client/client.ts';
import { CONVERGED } from '../../api/meta/well-known.ts';
import { FakeClock } from '../../kit/fake-clock.ts';
import type { Cluster, CommandContext } from '../cluster/context.ts';
import { type Canary, measure, type WalkOptions, walk } from './walk.ts';

/** Requests a millisecond that the proxy sends, of which half go to the canary from the moment of its weight on; before, all to the stable side. */
const RATE = 0.1;

interface Mesh {
  readonly clock: FakeClock;
  readonly canary: Canary;
  readonly said: string[];
}

/** One proxy that has the weight at `weighedAtMs` and tells its counts at each of the times in `reportsAtMs`, all on the monotonic clock. */
function mesh(weighedAtMs: number, reportsAtMs: readonly number[]): Mesh {
  const clock = new FakeClock();
  const said: string[] = [];
  const countsAt = (atMs: number) => {
    const after = Math.max(0, atMs - weighedAtMs) * RATE;
    return { stable: Math.min(atMs, weighedAtMs) * RATE + after / 2, canary: after / 2 };
  };
  const proxy = () => {
    const reportedMs = reportsAtMs.findLast((atMs) => atMs <= clock.monotonic());
    const { stable, canary } = countsAt(reportedMs ?? 0);
    const load = [
      { cluster: 'service/default/catalog/80', total: stable, success: stable, error: 0 },
      { cluster: 'service/default/catalog-v2/80', total: canary, success: canary, error: 0 },
    ];
    const loadCurrent = reportedMs !== undefined && reportedMs >= weighedAtMs;
    return {
      metadata: { name: 'web-0' },
      spec: { mode: 'sidecar' },
      status: { connected: true, loadCurrent, load },
    };
  };
  const backendRefs = [
    { name: 'catalog', weight: 50 },
    { name: 'catalog-v2', weight: 50 },
  ];
  const route = {
    metadata: { name: 'catalog', generation: 1, resourceVersion: '1' },
    spec: { rules: [{ backendRefs }] },
    status: { parents: [{ conditions: [{ type: CONVERGED, status: 'True', observedGeneration: 1, message: 'all' }] }] },
  };
  // No more than a walk asks of them.
  const client = { get: () => Promise.resolve(route), patch: () => Promise.resolve(route) } as unknown as Client;
  const cluster = { client, get: () => Promise.resolve({ items: [proxy()] }) } as unknown as Cluster;
  const context = { clock, signal: new AbortController().signal } as unknown as CommandContext;
  const plan = { stable: 'catalog', canary: 'catalog-v2', present: 50 } as Canary['plan'];
  const say = (message: string): void => void said.push(message);
  return {
    clock,
    said,
    canary: { cluster, context, namespace: 'default', route: 'catalog', plan, timeoutMs: 30_000, say },
  };
}

for (const [name, firstReportMs] of [
  ['in time', 2900],
  ['late by two seconds', 5000],
  ['late by seven seconds', 10_000],
] as const) {
  test(`what is measured went by the weight it is told for, with the first report ${name}`, async () => {
    const reports = [1000, 2000, ...Array.from({ length: 20 }, (_, at) => firstReportMs + at * 1000)];
    const { clock, canary, said } = mesh(2500, reports);
    await clock.advance(2500);
    const measured = measure(canary, 50, 4000);
    await clock.advance(30_000);
    const shares = await measured;
    assert.deepEqual(
      shares.map(({ service, share }) => [service, share]),
      [
        ['catalog', 50],
        ['catalog-v2', 50],
      ],
    );
    assert.ok(shares.every(({ requests }) => requests >= 200 && requests <= 300));
    assert.deepEqual(said, []);
  });
}

test('a proxy that never reports is not waited for, and is named', async () => {
  const { clock, canary, said } = mesh(0, []);
  await clock.advance(1);
  const measured = measure(canary, 50, 4000);
  await clock.advance(16_000);
  assert.equal((await measured)[0]?.share, undefined);
  assert.deepEqual(said, ['no report since the weight was taken, so requests of before may be counted: web-0']);
});

test("the shares of a walk's step begin after the reports that tell of the step before, however late", async () => {
  const reports = [1000, 2000, 5100, 6100, 7100, 8100, 9100, 10_100, 11_100, 12_100, 13_100];
  const { clock, canary } = mesh(2500, reports);
  await clock.advance(2500);
  const told: (number | undefined)[] = [];
  const onStep: WalkOptions['onStep'] = (_, shares) => void told.push(...shares.map(({ share }) => share));
  const limit = { kind: 'share', percent: 1 } as const;
  const walked = walk(canary, { steps: [50], everyMs: 10_000, limit, onWeight: () => undefined, onStep });
  await clock.advance(30_000);
  assert.deepEqual(await walked, { kind: 'arrived', weight: 50 });
  assert.deepEqual(told, [50, 50]);
});
