import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpRoute } from '../../api/kinds/http-route.ts';
import type { Node } from '../../api/kinds/node.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { Proxy } from '../../api/kinds/proxy.ts';
import type { Service } from '../../api/kinds/service.ts';
import { CHECKS } from './checks.ts';
import { checkNodes, checkPods, checkProxies, checkRoutes, checkServices } from './cluster-health.ts';
import { named, type Outcome, ok } from './finding.ts';
import { checkNode, checkPlatform } from './machine.ts';
import { runChecks } from './run-checks.ts';

const condition = (type: string, status: string) => ({ type, status, reason: 'Why', message: 'because' });
const metadata = (name: string) => ({ name, namespace: 'default' });

const node = (name: string, ready: string): Node =>
  ({ metadata: metadata(name), status: { conditions: [condition('Ready', ready)] } }) as unknown as Node;
const pod = (name: string, status: object): Pod =>
  ({ metadata: metadata(name), status: { phase: 'Running', ...status } }) as unknown as Pod;
const proxy = (name: string, connected: boolean, types: readonly object[]): Proxy =>
  ({ metadata: metadata(name), status: { connected, types } }) as unknown as Proxy;
const service = (name: string): Service =>
  ({ metadata: metadata(name), spec: { selector: { app: name } } }) as unknown as Service;
const route = (name: string, type: string, status: string): HttpRoute =>
  ({
    metadata: metadata(name),
    status: { parents: [{ conditions: [condition(type, status)] }] },
  }) as unknown as HttpRoute;

const same = { type: 'clusters', sentVersion: '2', ackedVersion: '2' };
const behind = { type: 'clusters', sentVersion: '3', ackedVersion: '2' };
const refused = { type: 'routes', error: 'no such cluster' };
const crashing = { containerStatuses: [{ state: { waiting: { reason: 'CrashLoopBackOff' } } }] };
const ready = { conditions: [condition('Ready', 'True')] };

const table: readonly (readonly [what: string, Outcome, verdict: Outcome['verdict'], says: RegExp])[] = [
  ['no node', checkNodes([]), 'failed', /no node has joined/],
  ['nodes that are ready', checkNodes([node('a', 'True')]), 'ok', /1 node ready/],
  [
    'a silent node',
    checkNodes([node('a', 'True'), node('b', 'Unknown')]),
    'failed',
    /1 of 2 nodes not ready: b \(because\)/,
  ],
  ['no proxy', checkProxies([]), 'skipped', /no proxy/],
  ['proxies up to date', checkProxies([proxy('a', true, [same])]), 'ok', /1 proxy connected/],
  ['a proxy behind', checkProxies([proxy('a', true, [behind])]), 'warning', /have not accepted the newest/],
  ['a proxy away', checkProxies([proxy('a', false, [same])]), 'warning', /1 of 1 proxies not connected: a/],
  ['a proxy that refuses', checkProxies([proxy('a', true, [refused])]), 'failed', /a: routes: no such cluster/],
  ['no pods', checkPods([pod('done', { phase: 'Succeeded' })]), 'skipped', /no pods/],
  ['pods that are ready', checkPods([pod('a', ready)]), 'ok', /1 pod ready/],
  ['a pod that waits', checkPods([pod('a', {})]), 'warning', /1 of 1 pods not ready: a/],
  ['a pod that crashes', checkPods([pod('a', crashing)]), 'failed', /a \(CrashLoopBackOff\)/],
  ['a Service that nobody serves', checkServices([service('web')], []), 'warning', /no ready endpoint: default\/web/],
  ['a route that is carried', checkRoutes([], [route('a', 'Accepted', 'True')]), 'ok', /1 HTTPRoute carried/],
  [
    'a route that is refused',
    checkRoutes([], [route('a', 'ResolvedRefs', 'False')]),
    'failed',
    /httproute\/a: ResolvedRefs is False/,
  ],
  ['a condition that is well when False', checkRoutes([], [route('a', 'PartiallyInvalid', 'False')]), 'ok', /carried/],
  ['an old Node', checkNode('v20.20.2'), 'failed', /v20\.20\.2 is too old/],
  ['a platform that nobody tried', checkPlatform('win32', 'x64'), 'failed', /win32 on x64 is not supported/],
];

for (const [what, outcome, verdict, says] of table) {
  test(`${what} is ${verdict}`, () => {
    assert.equal(outcome.verdict, verdict);
    assert.match(outcome.message, says);
    // The law of this folder: what is not well comes with what to do.
    assert.equal(outcome.hint !== undefined, verdict === 'warning' || verdict === 'failed');
  });
}

test('a check that throws has failed with its own words, and the next is made all the same', async () => {
  const subject = { stateFolder: '/nowhere', nowMs: 0, cluster: undefined, dnsServer: undefined };
  const checks = [
    { category: 'machine', name: 'broken', run: () => Promise.reject(new Error('no such thing')) },
    { category: 'machine', name: 'fine', run: () => ok('well') },
  ] as const;
  const findings = await Array.fromAsync(runChecks(checks, subject));
  assert.deepEqual(
    findings.map(({ check, verdict, message }) => [check, verdict, message]),
    [
      ['broken', 'failed', 'no such thing'],
      ['fine', 'ok', 'well'],
    ],
  );
});

test('checks of one category stand together, and no two have one name', () => {
  const categories = CHECKS.map(({ category }) => category);
  assert.equal(categories.filter((each, at) => each !== categories[at - 1]).length, new Set(categories).size);
  assert.equal(new Set(CHECKS.map(({ name }) => name)).size, CHECKS.length);
});

test('a long list of names is cut, and says how many more there are', () => {
  assert.equal(named(['a', 'b', 'c'], 2), 'a, b and 1 more');
  assert.equal(named(['a']), 'a');
});
