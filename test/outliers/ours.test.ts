import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '../../proxy/test-support/harness.ts';
import { faultyUpstream, sendRequests } from './faulty.ts';
import { ejectedIn, oursBefore } from './ours.ts';
import { SCENARIOS } from './scenarios.ts';

describe('outlier detection, beside what Envoy did', { concurrency: SCENARIOS.length }, () => {
  for (const { name, hosts, requests, detection, ours, ejected: byEnvoy } of SCENARIOS) {
    const ejected = ours?.ejected ?? byEnvoy;
    test(`${name}: ${ejected.length === 0 ? 'nobody is ejected' : `ejects ${ejected.join(', ')}, and takes it back`}`, async () => {
      await using stack = new AsyncDisposableStack();
      const ports: number[] = [];
      for (const behaviour of hosts) ports.push(stack.use(await faultyUpstream(behaviour)).port);
      const proxy = stack.use(await oursBefore(ports, detection));
      await sendRequests(proxy.port('in'), requests);
      assert.deepEqual(ejectedIn(proxy), ejected);
      const made = proxy.engine.clusters()[0]?.endpoints.reduce((sum, { ejections }) => sum + ejections, 0);
      assert.equal(made, ejected.length);
      await eventually(() => ejectedIn(proxy).length === 0, 'the return');
    });
  }
});
