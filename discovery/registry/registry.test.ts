import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { sampleRegistry, service, slice } from '../testing/sample-cluster.ts';
import { buildRegistry, readyEndpoints, serviceKey } from './registry.ts';

const web = serviceKey('default', 'web');

test('a Service is known by namespace and name, with how it is met', () => {
  const { services } = sampleRegistry();
  assert.deepEqual(services.get(web)?.reach, { by: 'address', addresses: ['127.96.0.10'] });
  assert.deepEqual(services.get('default/dual')?.reach, { by: 'address', addresses: ['127.96.0.11', 'fd00::11'] });
  assert.deepEqual(services.get('default/db')?.reach, { by: 'endpoints' });
  assert.deepEqual(services.get('default/outside')?.reach, { by: 'name', externalName: 'www.Example.com.' });
  assert.equal(services.get('other/web')?.endpoints.length, 0);
});

test('slices of a Service that is not there are left out', () => {
  assert.equal(sampleRegistry().services.has('default/gone'), false);
});

test('a slice belongs to a Service of its own namespace only', () => {
  const elsewhere = slice('web', { name: 'web-1', namespace: 'other', endpoints: [{ addresses: ['127.64.0.1'] }] });
  const registry = buildRegistry([service('web', { ports: [{ port: 80 }] })], [elsewhere]);
  assert.deepEqual(registry.services.get(web)?.endpoints, []);
});

test('conditions that are not told mean ready, serving and not terminating', () => {
  const registry = buildRegistry(
    [service('web', { ports: [{ port: 80 }] })],
    [
      slice('web', {
        name: 'web-1',
        endpoints: [
          { addresses: ['127.64.0.1'] },
          { addresses: ['127.64.0.2'], conditions: { ready: false } },
          { addresses: ['127.64.0.3'], conditions: { ready: false, serving: true, terminating: true } },
        ],
      }),
    ],
  );
  const endpoints = registry.services.get(web)?.endpoints ?? [];
  assert.deepEqual(
    endpoints.map(({ ready, serving, terminating }) => [ready, serving, terminating]),
    [
      [true, true, false],
      [false, false, false],
      [false, true, true],
    ],
  );
});

test('an address in two slices is one endpoint: ready if either says so, with the ports of both', () => {
  const registry = buildRegistry(
    [service('web', { ports: [{ port: 80 }] })],
    [
      slice('web', {
        name: 'web-1',
        ports: { http: 8080 },
        endpoints: [{ addresses: ['127.64.0.1'], conditions: { ready: false } }],
      }),
      slice('web', {
        name: 'web-2',
        ports: { metrics: 9090 },
        endpoints: [{ addresses: ['127.64.0.1'], conditions: { ready: true } }],
      }),
    ],
  );
  const [endpoint, ...more] = registry.services.get(web)?.endpoints ?? [];
  assert.deepEqual(more, []);
  assert.equal(endpoint?.ready, true);
  assert.deepEqual(Object.fromEntries(endpoint?.ports ?? []), { http: 8080, metrics: 9090 });
});

test('FQDN slices are left out: their addresses are none', () => {
  const named = slice('web', { name: 'web-1', addressType: 'FQDN', endpoints: [{ addresses: ['a.example'] }] });
  const registry = buildRegistry([service('web', { ports: [{ port: 80 }] })], [named]);
  assert.deepEqual(registry.services.get(web)?.endpoints, []);
});

test('every ready address of the slices is in the registry once, whatever their order', () => {
  const endpoint = fc.record({ host: fc.integer({ min: 1, max: 20 }), ready: fc.boolean() });
  fc.assert(
    fc.property(fc.array(fc.array(endpoint, { maxLength: 6 }), { maxLength: 5 }), (groups) => {
      const slices = groups.map((group, index) =>
        slice('web', {
          name: `web-${index}`,
          endpoints: group.map(({ host, ready }) => ({ addresses: [`127.64.0.${host}`], conditions: { ready } })),
        }),
      );
      const registry = buildRegistry([service('web', { ports: [{ port: 80 }] })], slices);
      const found = registry.services.get(web);
      assert.ok(found);
      const wanted = new Set(groups.flat().flatMap(({ host, ready }) => (ready ? [`127.64.0.${host}`] : [])));
      assert.deepEqual(
        readyEndpoints(found).map(({ address }) => address),
        [...wanted].sort(),
      );
    }),
  );
});
