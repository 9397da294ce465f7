import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { secretKind } from '../../../api/kinds/secret.ts';
import { EXPORT_TO, INJECT, OUTLIER_DETECTION } from '../../../api/meta/well-known.ts';
import {
  Cluster,
  ClusterLoadAssignment,
  Listener,
  RouteConfiguration,
  UpstreamHttpOptions,
  type VirtualHost,
} from '../../../xds/messages.js';
import { RESOURCE_KINDS, type Snapshot } from '../resource.ts';
import { gateway, httpRoute, made, pod, service, slice, worldObjects } from '../test-support/objects.ts';
import { envoyProblems } from '../test-support/validate-envoy.ts';
import { Memo } from './memo.ts';
import { type Translation, translate } from './translation.ts';
import type { WorldObjects } from './world.ts';

function translated(objects: Partial<WorldObjects>): Translation {
  return translate(worldObjects(objects), 'tutti.local', new Memo());
}

function sidecar(objects: Partial<WorldObjects>, name = 'web-1', namespace = 'default'): Snapshot {
  const snapshot = translated(objects).sidecar(namespace, name);
  assert.ok(snapshot !== undefined);
  return snapshot;
}

function hostsOf(snapshot: Snapshot, table: string): readonly VirtualHost[] {
  const resource = snapshot.route.get(table);
  assert.ok(resource !== undefined, `no route table ${table}`);
  return RouteConfiguration.decode(resource.value).virtualHosts;
}

function endpointsOf(snapshot: Snapshot, cluster: string): readonly string[] {
  const resource = snapshot.endpoints.get(cluster);
  assert.ok(resource !== undefined, `no endpoints ${cluster}`);
  return ClusterLoadAssignment.decode(resource.value).endpoints.flatMap(({ lbEndpoints }) =>
    lbEndpoints.map(({ endpoint }) => {
      const socket = endpoint?.address?.socketAddress;
      return `${socket?.address ?? ''}:${socket?.portValue ?? 0}`;
    }),
  );
}

const web = pod('web-1', { at: 2, serviceAccount: 'web', appPorts: { 8080: 41_002, 9090: 41_003 } });
const catalog = pod('catalog-1', { at: 4, serviceAccount: 'catalog' });
const SHOP: Partial<WorldObjects> = {
  pods: [web, catalog],
  services: [service('web'), service('catalog', { port: 8000, clusterIP: '127.96.0.5', outboundPort: 20_001 })],
  endpointSlices: [slice('web', [web]), slice('catalog', [catalog])],
};
const GATEWAY = gateway('shop', [
  { name: 'web', port: 8080, protocol: 'HTTP' },
  { name: 'api', port: 8080, protocol: 'HTTP', hostname: '*.api.example' },
]);
const EVERYTHING: Partial<WorldObjects> = {
  ...SHOP,
  gateways: [GATEWAY],
  httpRoutes: [
    httpRoute('web', {
      parentRefs: [{ name: 'shop', sectionName: 'web' }],
      hostnames: ['shop.example'],
      rules: [
        {
          matches: [{ path: { value: '/old' } }],
          filters: [{ type: 'RequestRedirect', requestRedirect: { hostname: 'new.example' } }],
        },
        {
          matches: [{ path: { value: '/catalog' }, headers: [{ name: 'X-Beta', value: '1' }] }],
          filters: [
            { type: 'URLRewrite', urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } } },
            {
              type: 'RequestHeaderModifier',
              requestHeaderModifier: { set: [{ name: 'X-A', value: 'b' }], remove: ['X-C'] },
            },
            { type: 'CORS', cors: { allowOrigins: ['https://*.example'], allowMethods: ['*'] } },
          ],
          backendRefs: [
            { name: 'catalog', port: 8000, weight: 90 },
            { name: 'web', port: 80, weight: 10 },
          ],
          timeouts: { request: '3s', backendRequest: '1s' },
        },
        { backendRefs: [{ name: 'web', port: 80 }] },
      ],
    }),
    httpRoute('split', {
      parentRefs: [{ group: '', kind: 'Service', name: 'catalog' }],
      rules: [
        {
          backendRefs: [
            { name: 'catalog', port: 8000 },
            { name: 'gone', port: 80 },
          ],
        },
      ],
    }),
  ],
};

describe('what is sent', () => {
  test('is valid by the rules of Envoy’s own API, nested extensions included', () => {
    const secure = gateway('secure', [
      { name: 'https', port: 8443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'cert' }] } },
    ]);
    const data = {
      'tls.crt': Buffer.from('certificate').toString('base64'),
      'tls.key': Buffer.from('key').toString('base64'),
    };
    const cert = made(secretKind, { name: 'cert' }, { type: 'kubernetes.io/tls', data });
    const translation = translated({ ...EVERYTHING, gateways: [GATEWAY, secure], tlsSecrets: [cert] });
    const snapshots = [translation.sidecar('default', 'web-1'), translation.ingressProxy()];
    const resources = snapshots.flatMap((snapshot) =>
      RESOURCE_KINDS.flatMap((kind) => [...(snapshot?.[kind].values() ?? [])]),
    );
    assert.ok(resources.length > 20);
    assert.deepEqual(resources.flatMap(envoyProblems), []);
  });

  test('names only what it also holds: route tables of listeners, endpoints of clusters, clusters of routes', () => {
    const translation = translated(EVERYTHING);
    for (const snapshot of [translation.sidecar('default', 'web-1'), translation.ingressProxy()]) {
      assert.ok(snapshot !== undefined);
      for (const { value } of snapshot.cluster.values()) {
        const { name, type } = Cluster.decode(value);
        assert.equal(snapshot.endpoints.has(name), type === 3, `endpoints of ${name}`);
      }
      for (const { value } of snapshot.route.values()) {
        for (const route of RouteConfiguration.decode(value).virtualHosts.flatMap(({ routes }) => routes)) {
          const named = [
            route.route?.cluster,
            ...(route.route?.weightedClusters?.clusters ?? []).map(({ name }) => name),
          ];
          for (const name of named) if (name != null) assert.ok(snapshot.cluster.has(name), `cluster ${name}`);
        }
      }
      assert.equal(
        [...snapshot.listener.values()].flatMap(({ value }) => Listener.decode(value).filterChains).length,
        snapshot.route.size,
      );
    }
  });

  test('is the same, to the version, whoever translates it and in whatever order objects came', () => {
    const versions = (objects: Partial<WorldObjects>): readonly string[] => {
      const snapshot = translated(objects).ingressProxy();
      return RESOURCE_KINDS.flatMap((kind) =>
        [...snapshot[kind].values()].map(({ name, version }) => `${name} ${version}`),
      ).sort();
    };
    const turned = Object.fromEntries(
      Object.entries(EVERYTHING).map(([kind, objects]) => [kind, objects.toReversed()]),
    ) as unknown as Partial<WorldObjects>;
    assert.deepEqual(versions(turned), versions(EVERYTHING));
  });

  test('stays the very same object where nothing changed', () => {
    const memo = new Memo();
    const objects = worldObjects(EVERYTHING);
    const before = translate(objects, 'tutti.local', memo).sidecar('default', 'web-1');
    memo.sweep();
    const more = { ...objects, services: [...objects.services, service('late')] };
    const after = translate(more, 'tutti.local', memo).sidecar('default', 'web-1');
    for (const kind of ['cluster', 'endpoints', 'listener'] as const) {
      for (const [name, resource] of before?.[kind] ?? []) assert.equal(after?.[kind].get(name), resource, name);
    }
    assert.notEqual(after?.route.get('outbound'), before?.route.get('outbound'));
  });
});

test('a status that is written changes nothing of what proxies are told, not even the objects', () => {
  const memo = new Memo();
  const objects = worldObjects(EVERYTHING);
  const of = (world: WorldObjects) => {
    const translation = translate(world, 'tutti.local', memo);
    memo.sweep();
    return [translation.sidecar('default', 'web-1'), translation.ingressProxy()];
  };
  const before = of(objects);
  const after = of({
    ...objects,
    httpRoutes: objects.httpRoutes.map((route) => ({ ...route, status: { parents: [] } })),
    gateways: objects.gateways.map((gateway) => ({ ...gateway, status: { conditions: [] } })),
  });
  for (const kind of RESOURCE_KINDS) {
    for (const [at, snapshot] of before.entries()) assert.equal(after[at]?.[kind], snapshot?.[kind], kind);
  }
});

describe('a sidecar', () => {
  test('waits until the agent has said where its pod is', () => {
    const unplaced = { ...web, metadata: { ...web.metadata, annotations: {} } };
    assert.equal(translated({ pods: [unplaced] }).sidecar('default', 'web-1'), undefined);
    assert.equal(translated({}).sidecar('default', 'web-1'), undefined);
  });

  test('has one filter chain for each container port, chosen by server name', () => {
    const resource = sidecar(SHOP).listener.get('inbound');
    const { filterChains, address } = Listener.decode(resource?.value ?? new Uint8Array());
    assert.equal(address?.socketAddress?.portValue, 42_002);
    assert.deepEqual(
      filterChains.map(({ name, filterChainMatch }) => [name, filterChainMatch?.serverNames]),
      [
        ['inbound/8080', ['8080.port.tutti.internal']],
        ['inbound/9090', ['9090.port.tutti.internal']],
      ],
    );
  });

  test('without container ports listens for nothing from outside', () => {
    const quiet = pod('quiet', { appPorts: {} });
    assert.deepEqual([...sidecar({ pods: [quiet] }, 'quiet').listener.keys()], ['outbound-proxy']);
  });

  test('knows a Service by every name that Kubernetes’ DNS has for it, the port left out only where it is 80', () => {
    const hosts = hostsOf(sidecar(SHOP), 'outbound');
    assert.deepEqual(hosts.find(({ name }) => name === 'service/default/catalog/8000')?.domains, [
      'catalog:8000',
      'catalog.default:8000',
      'catalog.default.svc:8000',
      'catalog.default.svc.cluster.local:8000',
      '127.96.0.5:8000',
    ]);
    const domains = hosts.find(({ name }) => name === 'service/default/web/80')?.domains ?? [];
    for (const name of ['web', 'web:80', 'web.default', 'web.default.svc.cluster.local:80'])
      assert.ok(domains.includes(name), name);
    assert.deepEqual(hosts.at(-1)?.domains, ['*']);
    assert.equal(hosts.at(-1)?.routes[1]?.route?.cluster, 'passthrough');
  });

  test('of another namespace has no short names', () => {
    const far = pod('far-1', { namespace: 'far', at: 9 });
    const hosts = hostsOf(sidecar({ ...SHOP, pods: [web, catalog, far] }, 'far-1', 'far'), 'outbound');
    const domains = hosts.find(({ name }) => name === 'service/default/web/80')?.domains ?? [];
    assert.ok(domains.includes('web.default'));
    assert.ok(!domains.includes('web'));
  });

  test('listens on the port that the API server gave a Service, on its pod’s address', () => {
    const resource = sidecar(SHOP).listener.get('outbound/default/catalog/8000');
    const { address } = Listener.decode(resource?.value ?? new Uint8Array());
    assert.deepEqual([address?.socketAddress?.address, address?.socketAddress?.portValue], ['127.64.0.2', 20_001]);
  });

  const EXPORTS: readonly (readonly [exportTo: string | undefined, namespace: string, reached: boolean])[] = [
    [undefined, 'far', true],
    ['*', 'far', true],
    ['.', 'far', false],
    ['.', 'default', true],
    ['far', 'far', true],
    ['far, other', 'far', true],
    ['other', 'far', false],
  ];
  for (const [exportTo, namespace, reached] of EXPORTS) {
    test(`in ${namespace} ${reached ? 'reaches' : 'is not told of'} a Service exported to ${exportTo ?? 'whom nobody said'}`, () => {
      const annotations = exportTo === undefined ? {} : { [EXPORT_TO]: exportTo };
      const mine = pod('mine', { namespace, at: 9 });
      const snapshot = sidecar({ pods: [mine], services: [service('web', { annotations })] }, 'mine', namespace);
      assert.equal(snapshot.cluster.has('service/default/web/80'), reached);
      assert.equal(hostsOf(snapshot, 'outbound').length, reached ? 2 : 1);
    });
  }

  const HTTP = 'envoy.filters.network.http_connection_manager';
  const TCP = 'envoy.filters.network.tcp_proxy';
  const filtersOf = ({ filterChains }: Listener): readonly (readonly [readonly string[], string | undefined])[] =>
    filterChains.map(({ filterChainMatch, filters }) => [
      filterChainMatch?.applicationProtocols ?? [],
      filters[0]?.name,
    ]);
  const listenerOf = (snapshot: Snapshot, name: string): Listener =>
    Listener.decode(snapshot.listener.get(name)?.value ?? new Uint8Array());

  test('takes requests on ports of HTTP, bytes on others, and looks where nobody said which it is', () => {
    const looks = [
      [['http/1.0', 'http/1.1', 'h2c'], HTTP],
      [[], TCP],
    ];
    const both = [
      [['h2', 'http/1.1'], HTTP],
      [[], TCP],
    ];
    for (const [appProtocol, outbound, inbound] of [
      ['http', [[[], HTTP]], [[[], HTTP]]],
      ['kubernetes.io/ws', [[[], HTTP]], [[[], HTTP]]],
      [
        'kubernetes.io/h2c',
        [[[], HTTP]],
        [
          [[], HTTP],
          [['h2'], TCP],
        ],
      ],
      ['tcp', [[[], TCP]], both],
      ['mongo', [[[], TCP]], both],
      [undefined, looks, both],
    ] as const) {
      const app = pod('app-1', { at: 5, annotations: {} });
      const labelled = { ...app, metadata: { ...app.metadata, labels: { app: 'app' } } };
      const more = appProtocol === undefined ? {} : { appProtocol };
      const services = [service('app', { outboundPort: 20_001, ...more })];
      const snapshot = sidecar({ pods: [labelled], services }, 'app-1');
      assert.ok(snapshot.cluster.has('service/default/app/80'));
      const out = listenerOf(snapshot, 'outbound/default/app/80');
      assert.deepEqual(filtersOf(out), outbound, `outbound of ${appProtocol}`);
      assert.equal(out.continueOnListenerFiltersTimeout, appProtocol === undefined);
      assert.equal(out.listenerFiltersTimeout?.nanos, appProtocol === undefined ? 100_000_000 : undefined);
      assert.deepEqual(filtersOf(listenerOf(snapshot, 'inbound')), inbound, `inbound of ${appProtocol}`);
      const host = hostsOf(snapshot, 'outbound').find(({ name }) => name === 'service/default/app/80');
      const takesRequests = host?.routes.every(({ match }) => match?.connectMatcher === null);
      assert.equal(takesRequests, outbound[0]?.[1] === HTTP, `host of ${appProtocol}`);
      for (const kind of RESOURCE_KINDS) {
        for (const resource of snapshot[kind].values()) assert.deepEqual(envoyProblems(resource), []);
      }
    }
  });

  test('takes a port for HTTP’s once a route leads from it, though it names no protocol', () => {
    const services = [service('app', { outboundPort: 20_001 })];
    const parentRefs = [{ group: '', kind: 'Service', name: 'app' }];
    const httpRoutes = [httpRoute('app', { parentRefs, rules: [{ backendRefs: [{ name: 'app', port: 80 }] }] })];
    const snapshot = sidecar({ pods: [web], services, httpRoutes });
    assert.deepEqual(filtersOf(listenerOf(snapshot, 'outbound/default/app/80')), [[[], HTTP]]);
  });

  test('speaks HTTP/2 where a port says so, without a time-out, and to its own app as it is spoken to', () => {
    const options = (snapshot: Snapshot, cluster: string) => {
      const { typedExtensionProtocolOptions } = Cluster.decode(
        snapshot.cluster.get(cluster)?.value ?? new Uint8Array(),
      );
      const any = typedExtensionProtocolOptions['envoy.extensions.upstreams.http.v3.HttpProtocolOptions'];
      return UpstreamHttpOptions.decode(any?.value ?? new Uint8Array());
    };
    for (const [appProtocol, http2, seconds] of [
      ['http', false, 15],
      ['kubernetes.io/h2c', true, 0],
      ['grpc', true, 0],
    ] as const) {
      const snapshot = sidecar({ pods: [web], services: [service('web', { appProtocol })] });
      const { explicitHttpConfig } = options(snapshot, 'service/default/web/80');
      assert.equal(explicitHttpConfig?.http2ProtocolOptions !== null, http2, appProtocol);
      const [route] = hostsOf(snapshot, 'outbound')[0]?.routes ?? [];
      assert.equal(route?.route?.timeout?.seconds, seconds, appProtocol);
      const inbound = [...snapshot.cluster.keys()].find((name) => name.startsWith('inbound/')) ?? '';
      assert.ok(options(snapshot, inbound).useDownstreamProtocolConfig !== null);
    }
  });
});

describe('endpoints', () => {
  const cluster = 'service/default/catalog/80';
  const services = [service('catalog')];

  test('are the mesh addresses of ready pods, each once, in order', () => {
    const [second, third] = [pod('catalog-2', { at: 6 }), pod('catalog-3', { at: 5 })];
    const pods = [web, catalog, second, third];
    const twice = slice('catalog', [third]);
    const split = { ...twice, metadata: { ...twice.metadata, name: 'catalog-2' } };
    const endpointSlices = [slice('catalog', [catalog, second, third]), split];
    assert.deepEqual(endpointsOf(sidecar({ pods, services, endpointSlices }), cluster), [
      '127.0.0.1:42004',
      '127.0.0.1:42005',
      '127.0.0.1:42006',
    ]);
  });

  test('leave at once when the pod is being deleted, whatever the slice still says', () => {
    const leaving = pod('catalog-1', { at: 4, leaving: true });
    const snapshot = sidecar({ pods: [web, leaving], services, endpointSlices: [slice('catalog', [leaving])] });
    assert.deepEqual(endpointsOf(snapshot, cluster), []);
  });

  test('are none where the slice says not ready, or names a pod of before', () => {
    const unready = slice('catalog', [catalog], 8080, false);
    assert.deepEqual(endpointsOf(sidecar({ pods: [web, catalog], services, endpointSlices: [unready] }), cluster), []);
    const reborn = pod('catalog-1', { at: 4 });
    const stale = slice('catalog', [catalog]);
    assert.deepEqual(endpointsOf(sidecar({ pods: [web, reborn], services, endpointSlices: [stale] }), cluster), []);
  });

  test('bring the identities that a caller must see: all pods behind the Service, never nobody', () => {
    const other = pod('catalog-2', { at: 6, serviceAccount: 'other' });
    const endpointSlices = [slice('catalog', [catalog, other])];
    const some = sidecar({ pods: [web, catalog, other], services, endpointSlices }).cluster.get(cluster);
    const text = Buffer.from(some?.value ?? []).toString('latin1');
    assert.ok(text.includes('spiffe://tutti.local/ns/default/sa/catalog'));
    assert.ok(text.includes('spiffe://tutti.local/ns/default/sa/other'));
    const none = sidecar({ pods: [web], services }).cluster.get(cluster);
    assert.ok(
      Buffer.from(none?.value ?? [])
        .toString('latin1')
        .includes('spiffe://tutti.local/ns/default/sa/default'),
    );
  });

  test('of pods without a sidecar are spoken to in plain text at their own address', () => {
    const plain = pod('catalog-1', { at: 4, annotations: { [INJECT]: 'false' } });
    const snapshot = sidecar({ pods: [web, plain], services, endpointSlices: [slice('catalog', [plain])] });
    assert.deepEqual(endpointsOf(snapshot, cluster), ['127.64.0.4:8080']);
    assert.equal(Cluster.decode(snapshot.cluster.get(cluster)?.value ?? new Uint8Array()).transportSocket, null);
  });
});

describe('outlier detection', () => {
  const detectionOf = (annotation?: string) => {
    const annotations = annotation === undefined ? {} : { [OUTLIER_DETECTION]: annotation };
    const snapshot = sidecar({ ...SHOP, services: [service('catalog', { annotations })] });
    const resource = snapshot.cluster.get('service/default/catalog/80');
    assert.ok(resource !== undefined);
    assert.deepEqual(envoyProblems(resource), []);
    return Cluster.decode(resource.value);
  };

  test('is on by default, by what tells of a broken endpoint and not of a broken request', () => {
    for (const annotation of [undefined, 'nonsense']) {
      const { outlierDetection, commonLbConfig } = detectionOf(annotation);
      assert.equal(outlierDetection?.consecutiveGatewayFailure?.value, 5);
      assert.equal(outlierDetection?.enforcingConsecutiveGatewayFailure?.value, 100);
      assert.equal(outlierDetection?.enforcingConsecutive_5xx?.value, 0);
      assert.equal(outlierDetection?.maxEjectionPercent?.value, 50);
      assert.equal(commonLbConfig?.healthyPanicThreshold?.value, 50);
    }
  });

  test('is what the Service’s annotation says, or none', () => {
    const { outlierDetection, commonLbConfig } = detectionOf(
      'consecutive5xxErrors=3,consecutiveGatewayErrors=0,baseEjectionTime=1500ms,minHealthPercent=0',
    );
    assert.equal(outlierDetection?.consecutive_5xx?.value, 3);
    assert.equal(outlierDetection?.enforcingConsecutive_5xx?.value, 100);
    assert.equal(outlierDetection?.enforcingConsecutiveGatewayFailure?.value, 0);
    assert.deepEqual({ ...outlierDetection?.baseEjectionTime }, { seconds: 1, nanos: 500_000_000 });
    assert.equal(commonLbConfig?.healthyPanicThreshold?.value, 0);
    assert.equal(detectionOf('off').outlierDetection, null);
  });
});
