import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock } from '../../kit/fake-clock.ts';
import { faultyUpstream, ROUTE_TIMEOUT_MS, sendRequests } from './faulty.ts';
import { ejectedIn, oursBefore } from './ours.ts';
import { BASE_EJECTION_MS, INTERVAL_MS, SCENARIOS } from './scenarios.ts';

/** kit/timer-wheel.ts: so much later an alarm may ring. */
const WHEEL_TICK_MS = 20;

describe('outlier detection, beside what Envoy did', () => {
  for (const { name, hosts, requests, detection, ours, ejected: byEnvoy } of SCENARIOS) {
    const ejected = ours?.ejected ?? byEnvoy;
    test(`${name}: ${ejected.length === 0 ? 'nobody is ejected' : `ejects ${ejected.join(', ')}, and takes it back`}`, async () => {
      // It stands still but for answers that never come, so that nobody is back before the requests are through.
      const clock = new FakeClock();
      const onSilence = (): void => void clock.advance(ROUTE_TIMEOUT_MS + WHEEL_TICK_MS);
      await using stack = new AsyncDisposableStack();
      const ports: number[] = [];
      for (const behaviour of hosts) ports.push(stack.use(await faultyUpstream(behaviour, onSilence)).port);
      const proxy = stack.use(await oursBefore(ports, detection, clock));
      await sendRequests(proxy.port('in'), requests);
      assert.deepEqual(ejectedIn(proxy), ejected);
      const made = proxy.engine.clusters()[0]?.endpoints.reduce((sum, { ejections }) => sum + ejections, 0);
      assert.equal(made, ejected.length);
      await clock.advance(BASE_EJECTION_MS + INTERVAL_MS);
      assert.deepEqual(ejectedIn(proxy), []);
    });
  }
});
