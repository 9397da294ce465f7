import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../kit/fake-clock.ts';
import type { LoadStatsRequestInput, LoadStatsResponse } from '../../xds/messages.js';
import type { Channel } from '../channel/channel.ts';
import type { ClusterLoad, Figures } from '../engine.ts';
import { LoadReporter } from './load-reporter.ts';

const CLUSTER = 'service/default/catalog/80';

function started() {
  const clock = new FakeClock();
  const sent: LoadStatsRequestInput[] = [];
  let tell: (response: LoadStatsResponse) => void = () => assert.fail('nobody listens');
  const stream = {
    onMessage: (listener: typeof tell) => {
      tell = listener;
    },
    onEnd: () => undefined,
    write: (message: LoadStatsRequestInput) => void sent.push(message),
    cancel: () => undefined,
  };
  let total = 0;
  const load = (): readonly ClusterLoad[] => [
    { cluster: CLUSTER, service: 'catalog.default', total, success: total, error: 0, active: 0, ejections: [] },
  ];
  // The sums as they are when asked for, which come when the test lets them.
  let held: (() => void)[] | undefined;
  const engine = {
    figures: (): Promise<Pick<Figures, 'load'>> => {
      const loads = load();
      const figures = { load: () => loads };
      return held === undefined
        ? Promise.resolve(figures)
        : new Promise((resolve) => held?.push(() => resolve(figures)));
    },
  };
  const reporter = new LoadReporter({ engine, clock, node: { id: 'sidecar/default/web-0' } });
  // Of a channel, a reporter opens a stream; of that, what is above.
  reporter.start({ open: () => stream } as unknown as Channel);
  tell({ loadReportingInterval: { seconds: 1, nanos: 0 } } as LoadStatsResponse);
  return {
    clock,
    reporter,
    /** Totals of each report after the message that opens the stream; nothing where a report tells of no cluster. */
    reports: () => sent.slice(1).map(({ clusterStats }) => clusterStats?.map(totalOf) ?? []),
    count: (requests: number): void => {
      total += requests;
    },
    hold: (): void => {
      held = [];
    },
    release: async (): Promise<void> => {
      const waiting = held ?? [];
      held = undefined;
      for (const go of waiting) go();
      await clock.advance(0);
    },
  };
}

function totalOf({ upstreamLocalityStats }: NonNullable<LoadStatsRequestInput['clusterStats']>[number]): unknown {
  return upstreamLocalityStats?.[0]?.totalIssuedRequests;
}

test('a proxy at rest reports nothing, but once after new routes, so that the control plane knows where their load begins', async () => {
  const { clock, reporter, reports } = started();
  await clock.advance(5000);
  assert.deepEqual(reports(), []);
  reporter.routed();
  await clock.advance(5000);
  assert.deepEqual(reports(), [[]]);
  reporter.stop();
  assert.equal(clock.pendingTimers, 0);
});

test('the first report after new routes has all that went by the routes before, also when it was being made meanwhile', async () => {
  const it = started();
  it.count(3);
  it.hold();
  await it.clock.advance(1000);
  it.count(4);
  it.reporter.routed();
  await it.release();
  assert.deepEqual(it.reports(), [[7]]);
  it.count(1);
  await it.clock.advance(1000);
  assert.deepEqual(it.reports(), [[7], [1]]);
  it.reporter.stop();
});
