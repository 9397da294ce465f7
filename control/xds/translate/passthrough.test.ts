import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Listener, TcpProxy } from '../../../xds/messages.js';
import { takeCensus } from '../convergence.ts';
import type { Snapshot } from '../resource.ts';
import { gatewayStatus } from '../status/gateway-status.ts';
import { tlsRouteParents } from '../status/route-status.ts';
import { gateway, pod, service, slice, tlsRoute, worldObjects } from '../test-support/objects.ts';
import { envoyProblems } from '../test-support/validate-envoy.ts';
import { Memo } from './memo.ts';
import { type Translation, translate } from './translation.ts';
import type { WorldObjects } from './world.ts';

const web = pod('web-1', { at: 2 });
const SERVICES: Partial<WorldObjects> = {
  services: [
    service('a', { port: 443, appProtocol: 'https' }),
    service('b', { port: 443 }),
    service('http', { appProtocol: 'http' }),
  ],
  pods: [web],
  endpointSlices: [slice('a', [web])],
};
const PASSTHROUGH = { mode: 'Passthrough' };
const EDGE = gateway('edge', [
  { name: 'tls', port: 8443, protocol: 'TLS', hostname: '*.example', tls: PASSTHROUGH },
  { name: 'web', port: 80, protocol: 'HTTP' },
]);
const MOMENT = { nowMs: 0, now: '2030-01-01T00:00:00Z', startedMs: 0 };

const parentOf = (rest: object = {}): object[] => [{ name: 'edge', ...rest }];
const to = (...names: readonly string[]): object[] => [{ backendRefs: names.map((name) => ({ name, port: 443 })) }];

function translated(objects: Partial<WorldObjects>): Translation {
  return translate(worldObjects({ ...SERVICES, gateways: [EDGE], ...objects }), 'tutti.local', new Memo());
}

function listenerOf(snapshot: Snapshot): Listener {
  const resource = snapshot.listener.get('ingress/default/edge/8443');
  assert.ok(resource !== undefined);
  assert.deepEqual(envoyProblems(resource), []);
  return Listener.decode(resource.value);
}

/** Server names and where each leads. */
function waysOf(snapshot: Snapshot): readonly (readonly [string | undefined, string])[] {
  return listenerOf(snapshot).filterChains.map(({ filterChainMatch, filters }) => {
    const { cluster, weightedClusters } = TcpProxy.decode(filters[0]?.typedConfig?.value ?? new Uint8Array());
    const weighted = weightedClusters?.clusters.map(({ name, weight }) => `${name}=${weight}`) ?? [];
    return [filterChainMatch?.serverNames[0], cluster ?? weighted.join(' ')];
  });
}

test('server names lead to the ports of TLSRoutes, the narrowest first, and of two routes the older has a name', () => {
  const tlsRoutes = [
    tlsRoute('wide', { parentRefs: parentOf(), hostnames: ['*.example', 'other.test'], rules: to('b') }),
    tlsRoute('one', { parentRefs: parentOf(), hostnames: ['one.example'], rules: to('a', 'b') }),
    tlsRoute(
      'late',
      { parentRefs: parentOf(), hostnames: ['one.example'], rules: to('b') },
      { creationTimestamp: '2030-02-01T00:00:00Z' },
    ),
  ];
  const snapshot = translated({ tlsRoutes }).ingressProxy();
  assert.deepEqual(waysOf(snapshot), [
    ['one.example', 'service/default/a/443=1 service/default/b/443=1'],
    ['*.example', 'service/default/b/443'],
  ]);
  for (const name of ['a', 'b']) {
    assert.ok(snapshot.cluster.has(`service/default/${name}/443`));
    assert.ok(snapshot.endpoints.has(`service/default/${name}/443`));
  }
});

test('what leads nowhere is closed for its share, and a listener without routes closes all', () => {
  const rules = [
    {
      backendRefs: [
        { name: 'a', port: 443, weight: 3 },
        { name: 'gone', port: 443 },
        { name: 'http', port: 80 },
        { name: 'b', port: 443, weight: 0 },
      ],
    },
  ];
  const tlsRoutes = [tlsRoute('one', { parentRefs: parentOf(), hostnames: ['one.example'], rules })];
  assert.deepEqual(waysOf(translated({ tlsRoutes }).ingressProxy()), [
    ['one.example', 'service/default/a/443=3 unavailable=1 unavailable=1'],
  ]);
  assert.deepEqual(waysOf(translated({}).ingressProxy()), [[undefined, 'unavailable']]);
});

test('a TLSRoute is told what became of it', () => {
  const conditionsOf = (spec: object, gateways = [EDGE]): Readonly<Record<string, string>> => {
    const route = tlsRoute('one', { parentRefs: parentOf(), hostnames: ['one.example'], rules: to('a'), ...spec });
    const { world } = translated({ tlsRoutes: [route], gateways });
    const [parent] = tlsRouteParents(route, world, takeCensus([], 0), MOMENT);
    return Object.fromEntries(
      (parent?.conditions ?? []).map(({ type, status, reason }) => [type, `${status} ${reason}`]),
    );
  };
  assert.equal(conditionsOf({})['Accepted'], 'True Accepted');
  assert.equal(conditionsOf({})['ResolvedRefs'], 'True ResolvedRefs');
  for (const [spec, accepted] of [
    [{ parentRefs: parentOf({ sectionName: 'web' }) }, 'False UnsupportedValue'],
    [{ parentRefs: parentOf({ sectionName: 'none' }) }, 'False NoMatchingParent'],
    [{ hostnames: ['one.test'] }, 'False NoMatchingListenerHostname'],
  ] as const) {
    assert.equal(conditionsOf(spec)['Accepted'], accepted);
    assert.equal(conditionsOf(spec)['tutti.dev/Converged'], 'False NotAccepted');
  }
  for (const [ref, resolved] of [
    [{ name: 'gone', port: 443 }, 'False BackendNotFound'],
    [{ name: 'http', port: 80 }, 'False UnsupportedProtocol'],
    [{ name: 'a', port: 443, namespace: 'far' }, 'False RefNotPermitted'],
    [{ name: 'a', port: 443, group: 'x.io', kind: 'Thing' }, 'False InvalidKind'],
  ] as const) {
    assert.equal(conditionsOf({ rules: [{ backendRefs: [ref] }] })['ResolvedRefs'], resolved);
  }
  assert.deepEqual(conditionsOf({ parentRefs: [{ name: 'edge', namespace: 'far' }] }), {});
  const closed = gateway('edge', [
    { name: 'tls', port: 8443, protocol: 'TLS', tls: PASSTHROUGH, allowedRoutes: { kinds: [{ kind: 'HTTPRoute' }] } },
  ]);
  assert.equal(conditionsOf({}, [closed])['Accepted'], 'False NotAllowedByListeners');
});

test('a Gateway says which routes its TLS listener takes, and that it does not end TLS for them', () => {
  const tlsRoutes = [tlsRoute('one', { parentRefs: parentOf(), hostnames: ['one.example'], rules: to('a') })];
  const both = gateway('edge', [
    { name: 'tls', port: 8443, protocol: 'TLS', tls: PASSTHROUGH },
    { name: 'ended', port: 8444, protocol: 'TLS', tls: { mode: 'Terminate', certificateRefs: [{ name: 'cert' }] } },
  ]);
  const { ingress, world } = translated({ tlsRoutes, gateways: [both] });
  const [state] = ingress.states;
  assert.ok(state !== undefined);
  const [tls, ended] = gatewayStatus(state, ingress, world, [], takeCensus([], 0), MOMENT).listeners ?? [];
  assert.deepEqual(tls?.supportedKinds, [{ group: 'gateway.networking.k8s.io', kind: 'TLSRoute' }]);
  assert.equal(tls?.attachedRoutes, 1);
  const accepted = ended?.conditions.find(({ type }) => type === 'Accepted');
  assert.equal(accepted?.reason, 'UnsupportedProtocol');
  assert.match(accepted?.message ?? '', /TLS with mode Terminate, wanted HTTP, HTTPS, or TLS with mode Passthrough/);
});
