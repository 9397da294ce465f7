import assert from 'node:assert/strict';
import { test } from 'node:test';
import { remains, sum } from './sum.ts';

const worker = {
  telemetry: {
    requests: new Map([['ingress\nweb', { service: 'web', counts: Float64Array.of(1, 2), count: 3 }]]),
    connectionsOpen: { inbound: 0, ingress: 2 },
    applied: 4,
  },
  clusters: [
    { name: 'a', active: 1, endpoints: [{ address: '127.0.0.1:1', weight: 5, avoided: false, connectionsOpened: 7 }] },
  ],
};

test('counts are added through maps, lists and arrays, and what is the same everywhere stays', () => {
  const other = structuredClone(worker);
  other.telemetry.requests.set('ingress\nother', { service: 'other', counts: Float64Array.of(1), count: 1 });
  const [endpoint] = other.clusters[0]?.endpoints ?? [];
  if (endpoint !== undefined) endpoint.avoided = true;
  const both = sum<typeof worker>(worker, other);
  assert.deepEqual(both.telemetry.requests.get('ingress\nweb'), {
    service: 'web',
    counts: Float64Array.of(2, 4),
    count: 6,
  });
  assert.equal(both.telemetry.requests.get('ingress\nother')?.count, 1);
  assert.deepEqual(both.telemetry.connectionsOpen, { inbound: 0, ingress: 4 });
  assert.equal(both.telemetry.applied, 4);
  assert.deepEqual(both.clusters, [
    { name: 'a', active: 2, endpoints: [{ address: '127.0.0.1:1', weight: 5, avoided: true, connectionsOpened: 14 }] },
  ]);
});

test('of a worker that has ended its counters stay, and what was open is closed', () => {
  const left = remains({ ...worker, endpoints: [{ address: 'a', avoided: true, ejected: true, healthy: true }] });
  assert.deepEqual(left.endpoints, [{ address: 'a', avoided: false, ejected: false, healthy: true }]);
  assert.deepEqual(left.telemetry.connectionsOpen, { inbound: 0, ingress: 0 });
  assert.equal(left.clusters[0]?.active, 0);
  assert.equal(left.clusters[0]?.endpoints[0]?.connectionsOpened, 7);
  assert.equal(left.telemetry.requests.get('ingress\nweb')?.count, 3);
});
