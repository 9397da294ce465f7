import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HttpRoute } from '../../../api/kinds/http-route.ts';
import { namespaceKind } from '../../../api/kinds/namespace.ts';
import { type Route, RouteConfiguration, type VirtualHost } from '../../../xds/messages.js';
import { gateway, httpRoute, made, pod, service, slice, worldObjects } from '../test-support/objects.ts';
import { attachToGateway } from './attachment.ts';
import { gatewayStates } from './gateway-listeners.ts';
import { intersectHosts, matchesHost } from './hostname.ts';
import { Memo } from './memo.ts';
import { translate } from './translation.ts';
import { indexWorld, type WorldObjects } from './world.ts';

const web = pod('web-1', { at: 2 });
const SERVICES = { services: [service('a'), service('b')], pods: [web], endpointSlices: [slice('a', [web])] };
const PARENT = { parentRefs: [{ name: 'shop' }] };
const HTTP = gateway('shop', [{ name: 'web', port: 8080, protocol: 'HTTP' }]);
const TO_A = [{ name: 'a', port: 80 }];
const TO_B = [{ name: 'b', port: 80 }];

function hosts(
  objects: Partial<WorldObjects>,
  table = 'ingress/default/shop/8080/http',
  memo = new Memo(),
): readonly VirtualHost[] {
  const world = worldObjects({ ...SERVICES, gateways: [HTTP], ...objects });
  const resource = translate(world, 'tutti.local', memo).ingressProxy().route.get(table);
  assert.ok(resource !== undefined, `no table ${table}`);
  return RouteConfiguration.decode(resource.value).virtualHosts;
}

function onlyRoute(rule: object): Route {
  const route = httpRoute('one', { ...PARENT, rules: [rule] });
  const [first] = hosts({ httpRoutes: [route] })[0]?.routes ?? [];
  assert.ok(first !== undefined);
  return first;
}

describe('host names', () => {
  const CASES: readonly (readonly [listener: string, route: string, common: string | undefined])[] = [
    ['*', 'shop.example', 'shop.example'],
    ['shop.example', '*', 'shop.example'],
    ['*.example', 'shop.example', 'shop.example'],
    ['shop.example', '*.example', 'shop.example'],
    ['*.example', '*.shop.example', '*.shop.example'],
    ['*.example', 'example', undefined],
    ['shop.example', 'other.example', undefined],
    ['*', '*', '*'],
  ];
  for (const [listener, route, common] of CASES) {
    test(`listener ${listener} and route ${route} have ${common ?? 'nothing'} in common`, () => {
      assert.equal(intersectHosts(listener, route), common);
    });
  }

  test('a wildcard stands for one label or more, never for none', () => {
    assert.equal(matchesHost('*.example', 'a.b.example'), true);
    assert.equal(matchesHost('*.example', 'example'), false);
    assert.equal(matchesHost('*.example', '.example'), false);
  });
});

describe('precedence', () => {
  const rule = (name: string, match: object): object => ({ name, matches: [match], backendRefs: TO_A });
  const inOrder = [
    rule('exact', { path: { type: 'Exact', value: '/a' } }),
    rule('regex', { path: { type: 'RegularExpression', value: '/a.*' } }),
    rule('long-prefix', { path: { value: '/a/b' } }),
    rule('method', { path: { value: '/a' }, method: 'GET' }),
    rule('two-headers', {
      path: { value: '/a' },
      headers: [
        { name: 'x', value: '1' },
        { name: 'y', value: '1' },
      ],
    }),
    rule('one-header-one-query', {
      path: { value: '/a' },
      headers: [{ name: 'x', value: '1' }],
      queryParams: [{ name: 'q', value: '1' }],
    }),
    rule('one-header', { path: { value: '/a' }, headers: [{ name: 'x', value: '1' }] }),
    rule('query', { path: { value: '/a' }, queryParams: [{ name: 'q', value: '1' }] }),
    rule('prefix', { path: { value: '/a' } }),
    rule('any', {}),
  ];
  const names = inOrder.map((one) => (one as { name: string }).name);

  test('follows the Gateway API within one route, in whatever order the rules stand', () => {
    const order = (rules: readonly object[]): readonly string[] =>
      (hosts({ httpRoutes: [httpRoute('r', { ...PARENT, rules })] })[0]?.routes ?? []).map(
        ({ name }) => name.split('/')[2] ?? '',
      );
    assert.deepEqual(order(inOrder), names);
    assert.deepEqual(order(inOrder.toReversed()), names);
  });

  test('between equal matches goes to the older route, then to the first name', () => {
    const equal = (name: string, creationTimestamp: string) =>
      httpRoute(name, { ...PARENT, rules: [{ backendRefs: TO_A }] }, { creationTimestamp });
    const httpRoutes = [
      equal('c', '2030-01-02T00:00:00Z'),
      equal('b', '2030-01-02T00:00:00Z'),
      equal('z', '2030-01-01T00:00:00Z'),
    ];
    const order = hosts({ httpRoutes })[0]?.routes.map(({ name }) => name.split('/')[1]);
    assert.deepEqual(order, ['z', 'b', 'c']);
  });

  test('of a narrower host name comes before a wider one, which still takes what is left', () => {
    const wide = httpRoute('wide', {
      ...PARENT,
      hostnames: ['*.example'],
      rules: [{ matches: [{ path: { type: 'Exact', value: '/' } }], backendRefs: TO_A }],
    });
    const narrow = httpRoute('narrow', { ...PARENT, hostnames: ['shop.example'], rules: [{ backendRefs: TO_B }] });
    const host = hosts({ httpRoutes: [wide, narrow] }).find(({ name }) => name === 'shop.example');
    assert.deepEqual(host?.domains, ['shop.example', 'shop.example:8080']);
    assert.deepEqual(
      host?.routes.map(({ name }) => name.split('/')[1]),
      ['narrow', 'wide'],
    );
  });
});

describe('listeners of one port', () => {
  const two = gateway('shop', [
    { name: 'all', port: 8080, protocol: 'HTTP' },
    { name: 'api', port: 8080, protocol: 'HTTP', hostname: '*.api.example' },
  ]);

  test('a host belongs to the narrowest listener, and one without routes answers 404', () => {
    const everywhere = httpRoute('all', {
      parentRefs: [{ name: 'shop', sectionName: 'all' }],
      hostnames: ['x.api.example', 'shop.example'],
      rules: [{ backendRefs: TO_A }],
    });
    const found = hosts({ gateways: [two], httpRoutes: [everywhere] });
    assert.deepEqual(
      found.map(({ name, routes }) => [name, routes.length]),
      [
        ['*', 0],
        ['*.api.example', 0],
        ['shop.example', 1],
      ],
    );
  });
});

describe('actions', () => {
  test('a plain rule forwards with 15 s, two retries on another endpoint', () => {
    const { route, match } = onlyRoute({ backendRefs: TO_A });
    assert.equal(match?.prefix, '/');
    assert.equal(route?.cluster, 'service/default/a/80');
    assert.equal(route?.timeout?.seconds, 15);
    assert.equal(route?.retryPolicy?.numRetries?.value, 2);
    assert.equal(route?.retryPolicy?.retryHostPredicate[0]?.name, 'envoy.retry_host_predicates.previous_hosts');
  });

  test('weights are kept, and a backend of weight 0 takes nothing', () => {
    const { route } = onlyRoute({
      backendRefs: [
        { name: 'a', port: 80, weight: 9 },
        { name: 'b', port: 80, weight: 1 },
      ],
    });
    assert.deepEqual(
      route?.weightedClusters?.clusters.map(({ name, weight }) => [name, weight?.value]),
      [
        ['service/default/a/80', 9],
        ['service/default/b/80', 1],
      ],
    );
    assert.equal(
      onlyRoute({
        backendRefs: [
          { name: 'a', port: 80, weight: 0 },
          { name: 'b', port: 80 },
        ],
      }).route?.cluster,
      'service/default/b/80',
    );
  });

  const NOWHERE: readonly (readonly [why: string, rule: object])[] = [
    ['no backend', {}],
    ['a missing Service', { backendRefs: [{ name: 'gone', port: 80 }] }],
    ['a port that the Service has not', { backendRefs: [{ name: 'a', port: 81 }] }],
    ['a Service of another namespace', { backendRefs: [{ name: 'a', namespace: 'other', port: 80 }] }],
    ['another kind', { backendRefs: [{ group: 'x.example', kind: 'Bucket', name: 'a', port: 80 }] }],
    ['only weights of 0', { backendRefs: [{ name: 'a', port: 80, weight: 0 }] }],
  ];
  for (const [why, rule] of NOWHERE) {
    test(`a rule with ${why} answers 500`, () => assert.equal(onlyRoute(rule).directResponse?.status, 500));
  }

  test('the share of a backend that is missing goes to a cluster without endpoints, not to the others', () => {
    const { route } = onlyRoute({ backendRefs: [...TO_A, { name: 'gone', port: 80 }] });
    assert.deepEqual(
      route?.weightedClusters?.clusters.map(({ name }) => name),
      ['service/default/a/80', 'unavailable'],
    );
  });

  test('a rule that leads to an HTTP/2 port has no time-out unless it sets one, also once the port has become one', () => {
    const memo = new Memo();
    const seconds = (appProtocol: string | undefined, route: HttpRoute): number | undefined => {
      const a = service('a', appProtocol === undefined ? {} : { appProtocol });
      const services = [a, ...SERVICES.services.slice(1)];
      const found = hosts({ services, httpRoutes: [route] }, undefined, memo);
      return found.flatMap(({ routes }) => routes)[0]?.route?.timeout?.seconds;
    };
    const toA = httpRoute('to-a', { ...PARENT, rules: [{ backendRefs: TO_A }] });
    assert.equal(seconds(undefined, toA), 15);
    assert.equal(seconds('grpc', toA), 0);
    const mixed = httpRoute('mixed', { ...PARENT, rules: [{ backendRefs: [...TO_A, ...TO_B] }] });
    assert.equal(seconds('kubernetes.io/h2c', mixed), 0);
    const set = httpRoute('set', { ...PARENT, rules: [{ backendRefs: TO_A, timeouts: { request: '3s' } }] });
    assert.equal(seconds('grpc', set), 3);
  });

  test('timeouts: the request’s, one try’s, and 0 for none', () => {
    const timeouts = { request: '1m30s', backendRequest: '500ms' };
    const { route } = onlyRoute({ backendRefs: TO_A, timeouts });
    assert.deepEqual([route?.timeout?.seconds, route?.retryPolicy?.perTryTimeout?.nanos], [90, 500_000_000]);
    const none = onlyRoute({ backendRefs: TO_A, timeouts: { request: '0s' } }).route?.timeout;
    assert.deepEqual([none?.seconds, none?.nanos], [0, 0]);
  });

  const REWRITES: readonly (readonly [prefix: string, replacement: string, told: object])[] = [
    ['/old', '/new', { prefixRewrite: '/new' }],
    ['/old/', '/new/', { prefixRewrite: '/new' }],
    ['/old', '/', { regex: '^/old/*', substitution: '/' }],
    ['/v1.0', '', { regex: String.raw`^/v1\.0/*`, substitution: '/' }],
    ['/', '/v2', { prefixRewrite: '/v2/' }],
  ];
  for (const [prefix, replacement, told] of REWRITES) {
    test(`a rewrite of ${prefix} to "${replacement}" leaves exactly one slash between`, () => {
      const path = { type: 'ReplacePrefixMatch', replacePrefixMatch: replacement };
      const { route } = onlyRoute({
        matches: [{ path: { value: prefix } }],
        filters: [{ type: 'URLRewrite', urlRewrite: { path } }],
        backendRefs: TO_A,
      });
      const { prefixRewrite, regexRewrite } = route ?? {};
      const seen =
        regexRewrite == null
          ? { prefixRewrite }
          : { regex: regexRewrite.pattern?.regex, substitution: regexRewrite.substitution };
      assert.deepEqual(seen, told);
    });
  }

  test('a redirect names what the filter names, and needs no backend', () => {
    const requestRedirect = { scheme: 'https', hostname: 'new.example', port: 8443, statusCode: 301 };
    const { redirect } = onlyRoute({ filters: [{ type: 'RequestRedirect', requestRedirect }] });
    assert.deepEqual(
      [redirect?.schemeRedirect, redirect?.hostRedirect, redirect?.portRedirect, redirect?.responseCode],
      ['https', 'new.example', 8443, 0],
    );
  });
});

describe('attaching', () => {
  const gateways = [
    gateway('shop', [
      { name: 'web', port: 80, protocol: 'HTTP', hostname: '*.example' },
      { name: 'open', port: 81, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } },
      {
        name: 'chosen',
        port: 82,
        protocol: 'HTTP',
        allowedRoutes: { namespaces: { from: 'Selector', selector: { matchLabels: { tier: 'front' } } } },
      },
    ]),
  ];
  const namespaces = [
    made(namespaceKind, { name: 'front', labels: { tier: 'front' } }, {}),
    made(namespaceKind, { name: 'back' }, {}),
  ];
  const CASES: readonly (readonly [
    what: string,
    namespace: string,
    ref: object,
    hostnames: readonly string[],
    result: readonly string[] | string,
  ])[] = [
    ['any listener of its own namespace', 'default', {}, ['shop.example'], ['web', 'open']],
    ['one by name', 'default', { sectionName: 'open' }, ['shop.example'], ['open']],
    ['one by port', 'default', { port: 80 }, ['shop.example'], ['web']],
    ['from a namespace that is not allowed', 'back', { sectionName: 'web' }, ['shop.example'], 'NotAllowedByListeners'],
    ['from a namespace by its labels', 'front', { sectionName: 'chosen' }, ['shop.example'], ['chosen']],
    ['from one without them', 'back', { sectionName: 'chosen' }, ['shop.example'], 'NotAllowedByListeners'],
    ['a listener that there is not', 'default', { sectionName: 'gone' }, ['shop.example'], 'NoMatchingParent'],
    [
      'with a host that the listener is not for',
      'default',
      { sectionName: 'web' },
      ['shop.other'],
      'NoMatchingListenerHostname',
    ],
  ];
  for (const [what, namespace, ref, hostnames, expected] of CASES) {
    test(`${what}: ${typeof expected === 'string' ? expected : expected.join(', ')}`, () => {
      const route = httpRoute(
        'r',
        { parentRefs: [{ name: 'shop', namespace: 'default', ...ref }], hostnames },
        { namespace },
      );
      const world = indexWorld(worldObjects({ gateways, namespaces }), 'tutti.local');
      const [parentRef] = route.spec.parentRefs ?? [];
      assert.ok(parentRef !== undefined);
      const result = attachToGateway(route, parentRef, world);
      assert.ok(result !== undefined);
      assert.deepEqual(result.ok ? result.attachments.map(({ listener }) => listener.name) : result.reason, expected);
    });
  }

  test('a Gateway of another controller’s class is left alone', () => {
    const world = indexWorld(worldObjects({ gatewayClasses: [], gateways }), 'tutti.local');
    assert.deepEqual(gatewayStates(world), []);
  });

  test('of two Gateways that want one port the older has it, and the younger says so', () => {
    const port = [{ name: 'web', port: 80, protocol: 'HTTP' }];
    const world = indexWorld(
      worldObjects({
        gateways: [
          gateway('young', port, { creationTimestamp: '2030-01-02T00:00:00Z' }),
          gateway('old', port, { creationTimestamp: '2030-01-01T00:00:00Z' }),
        ],
      }),
      'tutti.local',
    );
    const states = gatewayStates(world).map(({ gateway: { metadata }, listeners: [first] }) => [
      metadata.name,
      first?.ok === false ? first.problem.reason : 'ok',
    ]);
    assert.deepEqual(states, [
      ['old', 'ok'],
      ['young', 'PortUnavailable'],
    ]);
  });

  test('HTTPS without its Secret is not bound, and says which is missing', () => {
    const https = gateway('secure', [
      { name: 'https', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'cert' }] } },
    ]);
    const [state] = gatewayStates(indexWorld(worldObjects({ gateways: [https] }), 'tutti.local'));
    const [first] = state?.listeners ?? [];
    assert.ok(first?.ok === false);
    assert.equal(first.problem.reason, 'InvalidCertificateRef');
    assert.match(first.problem.message, /default\/cert/);
  });
});

describe('routes on a Service', () => {
  const far = pod('far-1', { namespace: 'far', at: 9 });
  const parent = (rest: object = {}) => ({
    parentRefs: [{ group: '', kind: 'Service', name: 'a', namespace: 'default', ...rest }],
  });
  const clusterFor = (
    namespace: string,
    podName: string,
    httpRoutes: WorldObjects['httpRoutes'],
  ): string | null | undefined => {
    const world = worldObjects({
      ...SERVICES,
      services: [...SERVICES.services, service('c', { namespace: 'far' })],
      pods: [web, far],
      httpRoutes,
    });
    const resource = translate(world, 'tutti.local', new Memo()).sidecar(namespace, podName)?.route.get('outbound');
    const host = RouteConfiguration.decode(resource?.value ?? new Uint8Array()).virtualHosts.find(
      ({ name }) => name === 'service/default/a/80',
    );
    return host?.routes[0]?.route?.cluster;
  };
  const producer = httpRoute('p', { ...parent(), rules: [{ backendRefs: TO_B }] });
  const consumer = httpRoute(
    'c',
    { ...parent(), rules: [{ backendRefs: [{ name: 'c', port: 80 }] }] },
    { namespace: 'far' },
  );

  test('of the Service’s own namespace are for every caller', () => {
    assert.equal(clusterFor('default', 'web-1', [producer]), 'service/default/b/80');
    assert.equal(clusterFor('far', 'far-1', [producer]), 'service/default/b/80');
  });

  test('of the caller’s namespace are for its callers alone, in place of the others', () => {
    assert.equal(clusterFor('far', 'far-1', [producer, consumer]), 'service/far/c/80');
    assert.equal(clusterFor('default', 'web-1', [producer, consumer]), 'service/default/b/80');
  });

  test('of another port are not followed', () => {
    const other = httpRoute('o', { ...parent({ port: 81 }), rules: [{ backendRefs: TO_B }] });
    assert.equal(clusterFor('default', 'web-1', [other]), 'service/default/a/80');
  });
});
