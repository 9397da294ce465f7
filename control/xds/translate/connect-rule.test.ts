import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpRoute } from '../../../api/kinds/http-route.ts';
import { RouteConfiguration } from '../../../xds/messages.js';
import { takeCensus } from '../convergence.ts';
import { routeParents } from '../status/route-status.ts';
import { gateway, httpRoute, pod, service, slice, worldObjects } from '../test-support/objects.ts';
import { Memo } from './memo.ts';
import { translate } from './translation.ts';
import { indexWorld } from './world.ts';

const app = pod('app-1', { at: 2 });
const told = { annotations: { 'tutti.dev/send-proxy-protocol': 'v1' } };
const BASE = {
  services: [
    service('db', { port: 5432, appProtocol: 'tcp' }),
    service('web', { appProtocol: 'http' }),
    service('told', { port: 25, appProtocol: 'tcp', ...told }),
  ],
  pods: [app],
  endpointSlices: ['db', 'web', 'told'].map((name) => slice(name, [app])),
  gateways: [gateway('shop', [{ name: 'web', port: 8080, protocol: 'HTTP' }])],
};

function connectTo(name: string, port: number, rule: object = {}): HttpRoute {
  const backendRefs = [{ name, port }];
  const rules = [{ name: 'tunnel', matches: [{ method: 'CONNECT' }], backendRefs, ...rule }];
  return httpRoute('tunnel', { parentRefs: [{ name: 'shop' }], hostnames: ['db.example'], rules });
}

function routesOf(route: HttpRoute) {
  const table = translate(worldObjects({ ...BASE, httpRoutes: [route] }), 'tutti.local', new Memo())
    .ingressProxy()
    .route.get('ingress/default/shop/8080/http');
  assert.ok(table !== undefined);
  const hosts = RouteConfiguration.decode(table.value).virtualHosts;
  return hosts.find(({ domains }) => domains.includes('db.example'))?.routes ?? [];
}

function conditionsOf(route: HttpRoute): readonly string[] {
  const world = indexWorld(worldObjects({ ...BASE, httpRoutes: [route] }), 'tutti.local');
  const moment = { now: '2026-01-01T00:00:00Z', nowMs: 0, startedMs: 0 };
  const [parent] = routeParents(route, world, takeCensus([], 0), moment);
  return (parent?.conditions ?? []).map(({ type, status, message }) => `${type} ${status}: ${message}`);
}

test('a rule for CONNECT ends tunnels and leads their bytes to a port of bytes', () => {
  const [only, ...more] = routesOf(connectTo('db', 5432));
  assert.equal(more.length, 0);
  assert.ok(only?.match?.connectMatcher);
  assert.equal(only?.match?.prefix, null);
  assert.equal(only?.route?.cluster, 'service/default/db/5432');
  assert.deepEqual(
    only?.route?.upgradeConfigs.map(({ upgradeType, connectConfig }) => [upgradeType, connectConfig !== null]),
    [['CONNECT', true]],
  );
  const [accepted, resolved] = conditionsOf(connectTo('db', 5432));
  assert.match(`${accepted} ${resolved}`, /Accepted True: .* ResolvedRefs True: /);
});

for (const [what, route, message] of [
  ['a port of HTTP', connectTo('web', 80), /ResolvedRefs False: .*the port speaks http, wanted bytes/],
  ['a port that is told who its clients are', connectTo('told', 25), /ResolvedRefs False: .*PROXY protocol/],
] as const) {
  test(`CONNECT is not led to ${what}`, () => {
    assert.equal(routesOf(route)[0]?.directResponse?.status, 500);
    assert.match(conditionsOf(route).join('\n'), message);
  });
}

for (const [what, rule, message] of [
  ['a path', { matches: [{ method: 'CONNECT', path: { value: '/a' } }] }, 'CONNECT has no path'],
  ['a query', { matches: [{ method: 'CONNECT', queryParams: [{ name: 'a', value: 'b' }] }] }, 'CONNECT has no query'],
  ['another method', { matches: [{ method: 'CONNECT' }, {}] }, 'CONNECT and other methods need rules of their own'],
  [
    'a filter',
    { filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['a'] } }] },
    'filter RequestHeaderModifier: does not apply to CONNECT',
  ],
] as const) {
  test(`a rule for CONNECT and ${what} is not taken, and says why`, () => {
    const route = connectTo('db', 5432, rule);
    assert.equal(routesOf(route).length, 0);
    assert.match(conditionsOf(route)[0] ?? '', new RegExp(`Accepted False: rule tunnel: ${message}`));
  });
}

test('in a pod CONNECT by HTTP_PROXY to a Service of bytes is led to it, and to others as before', () => {
  const objects = worldObjects(BASE);
  const snapshot = translate(objects, 'tutti.local', new Memo()).sidecar('default', 'app-1');
  const table = [...(snapshot?.route.values() ?? [])].find(({ name }) => name === 'outbound');
  assert.ok(table !== undefined);
  const hosts = RouteConfiguration.decode(table.value).virtualHosts;
  const clusterOf = (domain: string) => hosts.find(({ domains }) => domains.includes(domain))?.routes[0];
  assert.equal(clusterOf('db:5432')?.route?.cluster, 'service/default/db/5432');
  assert.ok(clusterOf('db:5432')?.match?.connectMatcher);
  assert.equal(clusterOf('web:80')?.match?.connectMatcher, null);
  assert.equal(clusterOf('told:25'), undefined);
});
