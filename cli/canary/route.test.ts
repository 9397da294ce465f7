import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HttpRoute, httpRouteKind } from '../../api/kinds/http-route.ts';
import { planCanary, withWeight } from './route.ts';

function route(
  name: string,
  parent: string,
  ...rules: readonly (readonly [service: string, weight: number][])[]
): HttpRoute {
  return httpRouteKind.schema.parse({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name },
    spec: {
      parentRefs: [{ group: '', kind: 'Service', name: parent }],
      rules: rules.map((backends) => ({
        backendRefs: backends.map(([service, weight]) => ({ name: service, port: 80, weight })),
      })),
    },
  });
}

const weights = (rules: ReturnType<typeof withWeight>): unknown =>
  rules.map(({ backendRefs }) => backendRefs?.map(({ name, weight }) => [name, weight]));

test('the backend named as the parent Service is the stable side, the other the canary', () => {
  const plan = planCanary(
    route(
      'split',
      'catalog',
      [
        ['catalog-v2', 25],
        ['catalog', 75],
      ].map(([name, weight]) => [name, weight] as [string, number]),
    ),
    undefined,
  );
  assert.deepEqual(plan, { stable: 'catalog', canary: 'catalog-v2', present: 25 });
});

test('with several others the canary has to be named', () => {
  const three = route('catalog', 'catalog', [
    ['catalog', 100],
    ['catalog-v2', 0],
    ['catalog-v3', 0],
  ]);
  assert.throws(() => planCanary(three, undefined), /the new version's Service is not certain/);
  assert.equal(planCanary(three, 'catalog-v3').canary, 'catalog-v3');
});

test('the stable side cannot be its own canary', () => {
  assert.throws(() => planCanary(route('catalog', 'catalog', [['catalog', 100]]), 'catalog'), /not certain/);
});

test('the weight moves in every rule that has the stable side, and in no other', () => {
  const two = route(
    'catalog',
    'catalog',
    [
      ['catalog', 100],
      ['catalog-v2', 0],
    ],
    [['static', 1]],
    [['catalog', 1]],
  );
  const rules = withWeight(two, planCanary(two, 'catalog-v2'), 10);
  assert.deepEqual(weights(rules), [
    [
      ['catalog', 90],
      ['catalog-v2', 10],
    ],
    [['static', 1]],
    [
      ['catalog', 90],
      ['catalog-v2', 10],
    ],
  ]);
  assert.equal(rules[2]?.backendRefs?.[1]?.port, 80);
});

test('other backends keep their weight', () => {
  const three = route('catalog', 'catalog', [
    ['catalog', 50],
    ['shadow', 7],
    ['catalog-v2', 50],
  ]);
  assert.deepEqual(weights(withWeight(three, planCanary(three, 'catalog-v2'), 100)), [
    [
      ['catalog', 0],
      ['shadow', 7],
      ['catalog-v2', 100],
    ],
  ]);
});
