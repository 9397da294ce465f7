import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Pod } from '../../../../api/kinds/pod.ts';
import { serviceKind } from '../../../../api/kinds/service.ts';
import { EXPORT_TO, INJECT } from '../../../../api/meta/well-known.ts';
import {
  Cluster,
  HttpConnectionManager,
  Listener,
  type Route,
  RouteConfiguration,
  UpstreamTlsContext,
} from '../../../../xds/messages.js';
import { takeCensus } from '../../convergence.ts';
import { RESOURCE_KINDS, type Snapshot } from '../../resource.ts';
import { routeParents } from '../../status/route-status.ts';
import { httpRoute, made, type PodPlan, pod, service, slice, worldObjects } from '../../test-support/objects.ts';
import { envoyProblems } from '../../test-support/validate-envoy.ts';
import { grpcProblem } from '../../test-support/validate-grpc.ts';
import { Memo } from '../memo.ts';
import { type Translation, translate } from '../translation.ts';
import type { WorldObjects } from '../world.ts';

const CLUSTER = 'service/default/greeter/50051';
const TABLE = 'outbound/default/greeter/50051';
const grpc = { appProtocol: 'grpc', port: 50_051, targetPort: 50_051 };

function labelled(name: string, plan: PodPlan): Pod {
  const made = pod(name, { appPorts: { 50051: 41_000 + (plan.at ?? 0) }, ...plan });
  return { ...made, metadata: { ...made.metadata, labels: { app: 'greeter' } } };
}

const web = pod('web-1', { at: 2, serviceAccount: 'web' });
const one = labelled('greeter-1', { at: 4, serviceAccount: 'greeter' });
const two = labelled('greeter-2', { at: 5, serviceAccount: 'greeter' });
const WORLD: Partial<WorldObjects> = {
  pods: [web, one, two],
  services: [service('web'), service('greeter', grpc), service('greeter-v2', grpc)],
  endpointSlices: [slice('web', [web]), slice('greeter', [one], 50_051), slice('greeter-v2', [two], 50_051)],
};

function translated(objects: Partial<WorldObjects>): Translation {
  return translate(worldObjects(objects), 'tutti.local', new Memo());
}

function client(objects: Partial<WorldObjects>, name = 'web-1', namespace = 'default'): Snapshot {
  const snapshot = translated(objects).grpcClient(namespace, name);
  assert.ok(snapshot !== undefined);
  for (const kind of RESOURCE_KINDS) {
    for (const resource of snapshot[kind].values()) assert.equal(grpcProblem(resource), undefined, resource.name);
  }
  return snapshot;
}

function routesOf(snapshot: Snapshot, table = TABLE): readonly Route[] {
  const resource = snapshot.route.get(table);
  assert.ok(resource !== undefined, `no route table ${table}`);
  return RouteConfiguration.decode(resource.value).virtualHosts.flatMap(({ routes }) => routes);
}

function clusterOf(snapshot: Snapshot, name = CLUSTER): Cluster {
  const resource = snapshot.cluster.get(name);
  assert.ok(resource !== undefined, `no cluster ${name}`);
  return Cluster.decode(resource.value);
}

const parent = { group: '', kind: 'Service', name: 'greeter' };
const backend = (name: string, weight: number) => ({ name, port: 50_051, weight });
const ruled = (...rules: readonly object[]): Partial<WorldObjects> => ({
  ...WORLD,
  httpRoutes: [httpRoute('greeter', { parentRefs: [parent], rules })],
});

describe('a gRPC client', () => {
  test('finds each gRPC port by every name that the Service has for it, and no port of another protocol', () => {
    const { listener } = client(WORLD);
    const greeter = [...listener.keys()].filter((name) => !name.startsWith('greeter-v2'));
    assert.deepEqual(greeter, [
      'greeter:50051',
      'greeter.default:50051',
      'greeter.default.svc:50051',
      'greeter.default.svc.cluster.local:50051',
    ]);
    assert.equal(listener.size, 8);
    const message = Listener.decode(listener.get('greeter:50051')?.value ?? new Uint8Array());
    const manager = HttpConnectionManager.decode(message.apiListener?.apiListener?.value ?? new Uint8Array());
    assert.equal(manager.rds?.routeConfigName, TABLE);
  });

  test('of another namespace has no short names, and nothing that is not exported to it', () => {
    const far = pod('far', { namespace: 'far' });
    const hidden = service('hidden', { ...grpc, annotations: { [EXPORT_TO]: '.' } });
    const objects = { ...WORLD, pods: [web, one, two, far], services: [...(WORLD.services ?? []), hidden] };
    const names = [...client(objects, 'far', 'far').listener.keys()];
    assert.ok(names.includes('greeter.default:50051'));
    assert.deepEqual(
      names.filter((name) => name.startsWith('greeter:') || name.startsWith('hidden')),
      [],
    );
    assert.ok([...client(objects).listener.keys()].includes('hidden:50051'));
  });

  test('may leave out port 80, as HTTP clients do', () => {
    const services = [service('greeter', { ...grpc, appProtocol: 'kubernetes.io/h2c', port: 80 })];
    const names = [...client({ ...WORLD, services }).listener.keys()];
    assert.deepEqual(names.slice(0, 2), ['greeter', 'greeter:80']);
  });

  test('calls with mesh mTLS those that have sidecars, and only the accounts that its pods have', () => {
    const { transportSocket } = clusterOf(client(WORLD));
    const { commonTlsContext } = UpstreamTlsContext.decode(transportSocket?.typedConfig?.value ?? new Uint8Array());
    const context = commonTlsContext?.combinedValidationContext?.defaultValidationContext;
    assert.equal(commonTlsContext?.tlsCertificateProviderInstance?.instanceName, 'default');
    assert.equal(context?.caCertificateProviderInstance?.instanceName, 'default');
    assert.deepEqual(
      context?.matchSubjectAltNames.map(({ exact }) => exact),
      ['spiffe://tutti.local/ns/default/sa/greeter'],
    );
    const bare = labelled('greeter-1', { at: 4, annotations: { [INJECT]: 'false' } });
    const objects = { ...WORLD, pods: [web, bare], endpointSlices: [slice('greeter', [bare], 50_051)] };
    assert.equal(clusterOf(client(objects)).transportSocket, null);
  });

  test('has the endpoints that sidecars would have', () => {
    const endpoints = client(WORLD).endpoints.get(CLUSTER);
    assert.deepEqual(endpoints?.carries, [`Pod/default/greeter-1/${one.metadata.uid}`]);
  });
});

describe('a route on a Service, for gRPC', () => {
  test('splits by weight, a backend named twice counting once', () => {
    const backendRefs = [backend('greeter', 80), backend('greeter-v2', 15), backend('greeter-v2', 5)];
    const [route] = routesOf(client(ruled({ backendRefs })));
    assert.deepEqual(
      route?.route?.weightedClusters?.clusters.map(({ name, weight }) => [name, weight?.value]),
      [
        [CLUSTER, 80],
        ['service/default/greeter-v2/50051', 20],
      ],
    );
  });

  test('matches methods as whole paths, and headers in the form that all clients know', () => {
    const rule = {
      matches: [
        { path: { type: 'Exact', value: '/shop.Greeter/Greet' } },
        { path: { type: 'PathPrefix', value: '/shop.Greeter' }, headers: [{ name: 'X-Beta', value: '1' }] },
        { method: 'POST', headers: [{ name: 'a', value: 'b.*', type: 'RegularExpression' }] },
        { method: 'GET' },
        { queryParams: [{ name: 'a', value: 'b' }] },
      ],
      backendRefs: [backend('greeter-v2', 1)],
    };
    const matches = routesOf(client(ruled(rule))).map(({ match }) => match);
    assert.deepEqual(
      matches.map((match) => match?.path ?? match?.safeRegex?.regex ?? match?.prefix),
      ['/shop.Greeter/Greet', String.raw`/shop\.Greeter(/.*)?`, ''],
    );
    assert.equal(matches[1]?.headers[0]?.name, 'x-beta');
    assert.equal(matches[1]?.headers[0]?.exactMatch, '1');
    assert.equal(matches[2]?.headers[0]?.safeRegexMatch?.regex, 'b.*');
  });

  test('limits and repeats calls when it says so, and not otherwise', () => {
    const backendRefs = [backend('greeter', 1)];
    const rule = { backendRefs, timeouts: { request: '3s' }, retry: { attempts: 2, backoff: '100ms' } };
    const [limited] = routesOf(client(ruled(rule)));
    assert.equal(limited?.route?.maxStreamDuration?.maxStreamDuration?.seconds, 3);
    assert.equal(limited?.route?.retryPolicy?.retryOn, 'unavailable');
    assert.equal(limited?.route?.retryPolicy?.numRetries?.value, 2);
    const [plain] = routesOf(client(ruled({ backendRefs })));
    assert.deepEqual([plain?.route?.maxStreamDuration, plain?.route?.retryPolicy], [null, null]);
  });

  const NOWHERE: readonly (readonly [what: string, rule: object])[] = [
    ['a backend that is not there', { backendRefs: [backend('gone', 1)] }],
    ['a backend that speaks HTTP/1.1', { backendRefs: [{ name: 'web', port: 80 }] }],
    ['no weight at all', { backendRefs: [backend('greeter', 0)] }],
    ['a redirect', { filters: [{ type: 'RequestRedirect', requestRedirect: { hostname: 'elsewhere' } }] }],
  ];
  for (const [what, rule] of NOWHERE) {
    test(`calls fail for ${what}, and go nowhere else`, () => {
      const snapshot = client(ruled(rule));
      assert.deepEqual(
        routesOf(snapshot).map(({ route }) => route?.cluster),
        ['unavailable'],
      );
      assert.ok(snapshot.cluster.has('unavailable') && snapshot.endpoints.has('unavailable'));
    });
  }

  test('says in its status whether its backends speak gRPC as its Service does', () => {
    const resolved = (rule: object): readonly (string | undefined)[] => {
      const objects = worldObjects(ruled(rule));
      const { world } = translate(objects, 'tutti.local', new Memo());
      const [route] = world.httpRoutes;
      assert.ok(route !== undefined);
      const [status] = routeParents(route, world, takeCensus([], 0), { nowMs: 0, now: '', startedMs: 0 });
      const condition = status?.conditions?.find(({ type }) => type === 'ResolvedRefs');
      return [condition?.status, condition?.reason];
    };
    assert.deepEqual(resolved({ backendRefs: [backend('greeter-v2', 1)] }), ['True', 'ResolvedRefs']);
    assert.deepEqual(resolved({ backendRefs: [{ name: 'web', port: 80 }] }), ['False', 'UnsupportedProtocol']);
  });

  test('sidecars are told of gRPC ports too: they carry them as HTTP/2', () => {
    const sidecar = translated(ruled({ backendRefs: [backend('greeter', 1)] })).sidecar('default', 'web-1');
    assert.ok(sidecar?.cluster.has('service/default/greeter/50051'));
  });
});

describe("a gRPC app's sidecar", () => {
  const chainsOf = (objects: Partial<WorldObjects>, name: string) => {
    const resource = translated(objects).sidecar('default', name)?.listener.get('inbound');
    assert.ok(resource !== undefined);
    assert.deepEqual(envoyProblems(resource), []);
    return Listener.decode(resource.value).filterChains.map(({ name: chain, filterChainMatch: match }) => ({
      chain,
      names: match?.serverNames ?? [],
      alpn: match?.applicationProtocols ?? [],
    }));
  };

  test('takes HTTP/2 by whatever name, before any endpoint is ready', () => {
    const objects = { ...WORLD, endpointSlices: [] };
    assert.deepEqual(chainsOf(objects, 'greeter-1'), [
      { chain: 'inbound/50051', names: ['50051.port.tutti.internal'], alpn: [] },
      { chain: 'inbound/50051/h2', names: [], alpn: ['h2'] },
    ]);
    assert.deepEqual(
      chainsOf(objects, 'web-1').map(({ chain }) => chain),
      ['inbound/8080'],
    );
  });

  test('has one port for them, and no call is led to a pod for another', () => {
    const both = labelled('greeter-1', { at: 4, appPorts: { 50051: 1, 50052: 2 } });
    const other = made(
      serviceKind,
      { name: 'other' },
      {
        spec: {
          clusterIP: '127.96.0.10',
          selector: { app: 'greeter' },
          ports: [{ name: 'http', port: 50_052, targetPort: 50_052, appProtocol: 'grpc' }],
        },
      },
    );
    const services = [service('greeter', grpc), other];
    const endpointSlices = [slice('greeter', [both], 50_051), slice('other', [both], 50_052)];
    const objects = { ...WORLD, pods: [web, both], services, endpointSlices };
    assert.deepEqual(
      chainsOf(objects, 'greeter-1').map(({ chain }) => chain),
      ['inbound/50051', 'inbound/50052', 'inbound/50051/h2'],
    );
    assert.deepEqual([...client(objects).route.keys()], ['outbound/default/greeter/50051']);
  });
});
