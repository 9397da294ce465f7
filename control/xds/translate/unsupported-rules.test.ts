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

const web = pod('web-1', { at: 2 });
const BASE = {
  services: [service('a')],
  pods: [web],
  endpointSlices: [slice('a', [web])],
  gateways: [gateway('shop', [{ name: 'web', port: 8080, protocol: 'HTTP' }])],
};
const TO_A = [{ name: 'a', port: 80 }];
const good = (name: string) => ({ name, matches: [{ path: { value: `/${name}` } }], backendRefs: TO_A });
// Looking ahead is what RE2 leaves out to be linear.
const bad = (name: string) => ({
  name,
  matches: [{ path: { type: 'RegularExpression', value: '/(?=a)' } }],
  backendRefs: TO_A,
});
const PARENT = { parentRefs: [{ name: 'shop' }] };

function namesOf(...routes: readonly HttpRoute[]): readonly string[] {
  const objects = worldObjects({ ...BASE, httpRoutes: routes });
  const table = translate(objects, 'tutti.local', new Memo())
    .ingressProxy()
    .route.get('ingress/default/shop/8080/http');
  if (table === undefined) return [];
  return RouteConfiguration.decode(table.value).virtualHosts.flatMap((host) => host.routes.map(({ name }) => name));
}

function conditionsOf(route: HttpRoute): readonly string[] {
  const world = indexWorld(worldObjects({ ...BASE, httpRoutes: [route] }), 'tutti.local');
  const moment = { now: '2026-01-01T00:00:00Z', nowMs: 0, startedMs: 0 };
  const [parent] = routeParents(route, world, takeCensus([], 0), moment);
  return (parent?.conditions ?? []).map(
    ({ type, status, reason, message }) => `${type} ${status} ${reason}: ${message}`,
  );
}

test('a rule whose expression is none in RE2 reaches no proxy; the others of its route and of other routes do', () => {
  const mixed = httpRoute('mixed', { ...PARENT, rules: [good('one'), bad('two')] });
  const other = httpRoute('other', { ...PARENT, rules: [good('three')] });
  assert.deepEqual([...namesOf(mixed, other)].sort(), ['default/mixed/one/0', 'default/other/three/0']);
});

test('a route of which no rule can be taken is not accepted, and takes nobody else along', () => {
  const hopeless = httpRoute('hopeless', { ...PARENT, rules: [bad('one')] });
  const other = httpRoute('other', { ...PARENT, rules: [good('two')] });
  assert.deepEqual(namesOf(hopeless, other), ['default/other/two/0']);
  const [accepted] = conditionsOf(hopeless);
  assert.match(
    accepted ?? '',
    /^Accepted False UnsupportedValue: rule one: "\/\(\?=a\)" is no regular expression of RE2/,
  );
});

test('a route with some rules dropped says which, and is accepted', () => {
  const conditions = conditionsOf(httpRoute('mixed', { ...PARENT, rules: [good('one'), bad('two')] }));
  assert.ok(conditions.some((text) => text.startsWith('Accepted True')));
  assert.ok(
    conditions.some((text) => text.startsWith('PartiallyInvalid True UnsupportedValue: Dropped Rule: rule two: ')),
  );
  assert.ok(
    !conditionsOf(httpRoute('fine', { ...PARENT, rules: [good('one')] })).some((text) => /Partially/.test(text)),
  );
});

test('on a Service, callers go by its other routes, or as if there were none', () => {
  const toService = { parentRefs: [{ group: '', kind: 'Service', name: 'a', port: 80 }] };
  const hopeless = httpRoute('hopeless', { ...toService, rules: [bad('one')] });
  const objects = worldObjects({ ...BASE, httpRoutes: [hopeless] });
  const snapshot = translate(objects, 'tutti.local', new Memo()).sidecar('default', 'web-1');
  const table = snapshot?.route.get('outbound');
  assert.ok(table !== undefined);
  const host = RouteConfiguration.decode(table.value).virtualHosts.find(({ name }) => name === 'service/default/a/80');
  assert.deepEqual(
    host?.routes.map(({ name }) => name),
    ['default'],
  );
});
