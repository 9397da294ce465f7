import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secretKind } from '../../../api/kinds/secret.ts';
import { Listener, TcpProxy } from '../../../xds/messages.js';
import { takeCensus } from '../convergence.ts';
import type { Snapshot } from '../resource.ts';
import { gatewayStatus } from '../status/gateway-status.ts';
import { byteRouteParents } from '../status/route-status.ts';
import { gateway, made, pod, service, slice, tcpRoute, tlsRoute, worldObjects } from '../test-support/objects.ts';
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

function listenerOf(snapshot: Snapshot, port = 8443): Listener {
  const resource = snapshot.listener.get(`ingress/default/edge/${port}`);
  assert.ok(resource !== undefined);
  assert.deepEqual(envoyProblems(resource), []);
  return Listener.decode(resource.value);
}

/** Server names and where each leads. */
function waysOf(snapshot: Snapshot, port?: number): readonly (readonly [string | undefined, string])[] {
  return listenerOf(snapshot, port).filterChains.map(({ filterChainMatch, filters }) => {
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
    const [parent] = byteRouteParents(route, world, takeCensus([], 0), MOMENT);
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

const CERTIFICATE = { mode: 'Terminate', certificateRefs: [{ name: 'cert' }] };

test('a Gateway says which routes its listeners take', () => {
  const tlsRoutes = [tlsRoute('one', { parentRefs: parentOf(), hostnames: ['one.example'], rules: to('a') })];
  const tcpRoutes = [tcpRoute('plain', { parentRefs: parentOf({ sectionName: 'plain' }), rules: to('a') })];
  const all = gateway('edge', [
    { name: 'tls', port: 8443, protocol: 'TLS', tls: PASSTHROUGH },
    { name: 'ended', port: 8444, protocol: 'TLS', tls: CERTIFICATE },
    { name: 'plain', port: 6379, protocol: 'TCP' },
    { name: 'datagrams', port: 53, protocol: 'UDP' },
    { name: 'ended-too', port: 8443, hostname: 'x.example', protocol: 'TLS', tls: CERTIFICATE },
  ]);
  const { ingress, world } = translated({ tlsRoutes, tcpRoutes, gateways: [all] });
  const [state] = ingress.states;
  assert.ok(state !== undefined);
  const listeners = gatewayStatus(state, ingress, world, [], takeCensus([], 0), MOMENT).listeners ?? [];
  const told = listeners.map(({ name, supportedKinds, attachedRoutes, conditions }) => {
    const wrong = conditions.find(
      ({ type, status }) => type !== 'Programmed' && status !== (type === 'Conflicted' ? 'False' : 'True'),
    );
    return [name, supportedKinds?.[0]?.kind, attachedRoutes, wrong?.reason];
  });
  assert.deepEqual(told, [
    ['tls', 'TLSRoute', 1, 'ProtocolConflict'],
    ['ended', 'TCPRoute', 0, 'InvalidCertificateRef'],
    ['plain', 'TCPRoute', 1, undefined],
    ['datagrams', undefined, 0, 'UnsupportedProtocol'],
    ['ended-too', 'TCPRoute', 0, 'ProtocolConflict'],
  ]);
});

test('a TCPRoute has a port of its own, or TLS that is ended there by server name; of two the older has it', () => {
  const data = {
    'tls.crt': Buffer.from('certificate').toString('base64'),
    'tls.key': Buffer.from('key').toString('base64'),
  };
  const cert = made(secretKind, { name: 'cert' }, { type: 'kubernetes.io/tls', data });
  const edge = gateway('edge', [
    { name: 'plain', port: 6379, protocol: 'TCP' },
    { name: 'wide', port: 8443, protocol: 'TLS', tls: CERTIFICATE },
    { name: 'one', port: 8443, protocol: 'TLS', hostname: 'one.example', tls: CERTIFICATE },
  ]);
  const late = { creationTimestamp: '2030-02-01T00:00:00Z' };
  const tcpRoutes = [
    tcpRoute('a', { parentRefs: parentOf({ sectionName: 'plain' }), rules: to('a', 'b') }),
    tcpRoute('late', { parentRefs: parentOf({ sectionName: 'plain' }), rules: to('b') }, late),
    tcpRoute('one', { parentRefs: parentOf({ sectionName: 'one' }), rules: [...to('b'), ...to('a')] }),
  ];
  const translation = translated({ tcpRoutes, gateways: [edge], tlsSecrets: [cert] });
  const snapshot = translation.ingressProxy();
  assert.deepEqual(waysOf(snapshot, 6379), [[undefined, 'service/default/a/443=1 service/default/b/443=1']]);
  assert.deepEqual(waysOf(snapshot), [
    ['one.example', 'service/default/b/443'],
    [undefined, 'unavailable'],
  ]);
  assert.deepEqual(
    listenerOf(snapshot).filterChains.map(({ transportSocket }) => transportSocket?.name),
    ['envoy.transport_sockets.tls', 'envoy.transport_sockets.tls'],
  );
  const reasons = tcpRoutes.map((route) => {
    const [parent] = byteRouteParents(route, translation.world, takeCensus([], 0), MOMENT);
    return parent?.conditions.slice(0, 2).map(({ status }) => status);
  });
  assert.deepEqual(reasons, [
    ['True', 'True'],
    ['True', 'True'],
    ['True', 'True'],
  ]);
});
