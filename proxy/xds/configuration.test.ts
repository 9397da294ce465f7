import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  Cluster,
  type ClusterInput,
  ClusterLoadAssignment,
  HttpConnectionManager,
  type HttpConnectionManagerInput,
  Listener,
  type ListenerInput,
  RouteConfiguration,
  type RouteInput,
  type RouteMatchInput,
  Router,
} from '../../xds/messages.js';
import type { RouteAction } from '../route/route-table.ts';
import { Configuration, WARMING_LIMIT_MS } from './configuration.ts';
import { decodeListener } from './decode/listener.ts';
import { decodeRouteTable } from './decode/route.ts';
import { readLastGood, writeLastGood } from './last-good.ts';

const ADS = { ads: {} };

function cluster(name: string, more: ClusterInput = {}): Uint8Array {
  return Cluster.encode({ name, type: 3, edsClusterConfig: { edsConfig: ADS }, ...more }).finish();
}

function endpoints(clusterName: string, ports: readonly number[]): Uint8Array {
  const lbEndpoints = ports.map((portValue) => ({
    endpoint: { address: { socketAddress: { address: '127.0.0.1', portValue } } },
  }));
  return ClusterLoadAssignment.encode({ clusterName, endpoints: [{ lbEndpoints }] }).finish();
}

function any<Input>(codec: { encode(message: Input): { finish(): Uint8Array }; getTypeUrl(): string }, message: Input) {
  return { typeUrl: codec.getTypeUrl(), value: codec.encode(message).finish() };
}

function listener(
  name: string,
  table: string,
  more: ListenerInput = {},
  http: HttpConnectionManagerInput = {},
): Uint8Array {
  const manager: HttpConnectionManagerInput = {
    rds: { configSource: ADS, routeConfigName: table },
    httpFilters: [{ name: 'router', typedConfig: any(Router, {}) }],
    ...http,
  };
  const filterChains = [{ filters: [{ name: 'http', typedConfig: any(HttpConnectionManager, manager) }] }];
  return Listener.encode({
    name,
    address: { socketAddress: { address: '127.0.0.1', portValue: 80 } },
    filterChains,
    ...more,
  }).finish();
}

function routes(name: string, clusters: readonly string[]): Uint8Array {
  const all = clusters.map((one): RouteInput => ({ match: { prefix: '/' }, route: { cluster: one } }));
  return RouteConfiguration.encode({ name, virtualHosts: [{ name: 'h', domains: ['*'], routes: all }] }).finish();
}

describe('warming', () => {
  test('a listener is live when its routes are, routes when their clusters are, clusters when their endpoints are', () => {
    const configuration = new Configuration();
    const live = () => {
      const { tables, warming } = configuration.assemble(0);
      return [[...tables.listeners.keys()], [...tables.routeTables.keys()], [...tables.clusters.keys()], [...warming]];
    };
    configuration.accept('cluster', [cluster('a')]);
    configuration.accept('listener', [listener('l', 'r')]);
    assert.deepEqual(live(), [[], [], [], ['listener']]);
    configuration.accept('route', [routes('r', ['a'])]);
    assert.deepEqual(live(), [[], [], [], ['route', 'listener']]);
    configuration.accept('endpoints', [endpoints('a', [1])]);
    assert.deepEqual(live(), [['l'], ['r'], ['a'], []]);
  });

  test('what was live stays until its successor is', () => {
    const configuration = new Configuration();
    configuration.accept('cluster', [cluster('a')]);
    configuration.accept('endpoints', [endpoints('a', [1])]);
    configuration.accept('listener', [listener('l', 'r')]);
    configuration.accept('route', [routes('r', ['a'])]);
    const before = configuration.assemble(0).tables;
    configuration.accept('route', [routes('r', ['b'])]);
    configuration.accept('listener', [listener('l', 'r2')]);
    const during = configuration.assemble(0);
    assert.equal(during.tables, before);
    assert.deepEqual([...during.warming].sort(), ['listener', 'route']);
    configuration.accept('cluster', [cluster('a'), cluster('b')]);
    configuration.accept('endpoints', [endpoints('b', [2])]);
    configuration.accept('route', [routes('r2', ['b'])]);
    const after = configuration.assemble(0);
    assert.equal(after.tables.listeners.get('l')?.chains[0]?.http?.routeTable, 'r2');
    assert.deepEqual([...after.tables.routeTables.keys()], ['r2']);
    assert.equal(after.warming.size, 0);
  });

  test('what never comes holds nothing back for ever', () => {
    const configuration = new Configuration();
    configuration.accept('cluster', []);
    configuration.accept('listener', [listener('l', 'r')]);
    configuration.accept('route', [routes('r', ['never'])]);
    assert.equal(configuration.assemble(0).wakeAtMs, WARMING_LIMIT_MS);
    const { tables, warming, wakeAtMs } = configuration.assemble(WARMING_LIMIT_MS);
    assert.deepEqual([[...tables.listeners.keys()], warming.size, wakeAtMs], [['l'], 0, undefined]);
  });

  test('what came again unchanged is the same object, and equal tables are the same tables', () => {
    const configuration = new Configuration();
    const send = (): void => {
      configuration.accept('cluster', [cluster('a'), cluster('b')]);
      configuration.accept('endpoints', [endpoints('a', [1]), endpoints('b', [2])]);
      configuration.accept('listener', [listener('l', 'r')]);
      configuration.accept('route', [routes('r', ['a', 'b'])]);
    };
    send();
    const first = configuration.assemble(0).tables;
    send();
    assert.equal(configuration.assemble(0).tables, first);
    configuration.accept('endpoints', [endpoints('a', [1, 3])]);
    const next = configuration.assemble(0).tables;
    assert.notEqual(next.clusters.get('a'), first.clusters.get('a'));
    assert.equal(next.clusters.get('b'), first.clusters.get('b'));
  });
});

describe('refusing', () => {
  test('one bad resource is named, keeps what was there, and does not touch the others', () => {
    const configuration = new Configuration();
    configuration.accept('listener', [listener('l', 'r'), listener('m', 'r')]);
    configuration.accept('route', [routes('r', [])]);
    configuration.accept('cluster', []);
    const before = configuration.assemble(0).tables;
    const bad = listener('l', 'r', { filterChains: [] });
    const refusals = configuration.accept('listener', [bad, listener('n', 'r')]);
    assert.deepEqual(refusals, [{ name: 'l', message: 'filter chains: there are none' }]);
    const { listeners } = configuration.assemble(0).tables;
    assert.equal(listeners.get('l'), before.listeners.get('l'));
    assert.deepEqual([...listeners.keys()].sort(), ['l', 'n']);
  });

  test('a name that comes twice is refused', () => {
    assert.match(new Configuration().accept('cluster', [cluster('a'), cluster('a')])[0]?.message ?? '', /twice/);
  });

  const BAD: readonly (readonly [why: string, bytes: Uint8Array, message: RegExp])[] = [
    ['no router', listener('l', 'r', {}, { httpFilters: [] }), /router is not the last/],
    [
      'a filter that is not known',
      listener(
        'l',
        'r',
        {},
        {
          httpFilters: [
            { name: 'jwt', typedConfig: { typeUrl: 'x/y.Jwt' } },
            { name: 'router', typedConfig: any(Router, {}) },
          ],
        },
      ),
      /"jwt": is not known/,
    ],
    ['no routes by name', listener('l', '', {}, {}), /names no route configuration/],
    ['no address', listener('l', 'r', { address: {} }), /wanted a socket address/],
    [
      'TLS of another kind',
      listener('l', 'r', { filterChains: [{ filters: [{ name: 'f', typedConfig: { typeUrl: 'a/b' } }] }] }),
      /is b, wanted/,
    ],
  ];
  for (const [why, bytes, message] of BAD) {
    test(`a listener with ${why} is refused`, () => assert.throws(() => decodeListener(bytes), message));
  }

  test('bytes that are no resource never do worse than being refused', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom('cluster', 'endpoints', 'listener', 'route'),
        (bytes, kind) => {
          const configuration = new Configuration();
          configuration.accept(kind, [bytes]);
          configuration.assemble(0);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('routes', () => {
  const actionOf = (match: RouteMatchInput, route: RouteInput): RouteAction | undefined => {
    const message = { name: 'r', virtualHosts: [{ name: 'h', domains: ['*'], routes: [{ match, ...route }] }] };
    return decodeRouteTable(RouteConfiguration.encode(message).finish()).virtualHosts[0]?.routes[0]?.action;
  };

  test('Envoy’s defaults hold where nothing is said: 15 s, no retries, no rewrite', () => {
    const action = actionOf({ prefix: '/' }, { route: { cluster: 'a' } });
    assert.ok(action?.kind === 'forward');
    assert.deepEqual(
      [action.timeoutMs, action.retry, action.rewrite, action.perTryTimeoutMs],
      [15_000, undefined, undefined, 0],
    );
  });

  test('a timeout of 0 is none', () => {
    const action = actionOf({ prefix: '/' }, { route: { cluster: 'a', timeout: {} } });
    assert.equal(action?.kind === 'forward' && action.timeoutMs, 0);
  });

  const MATCHES: readonly (readonly [match: RouteMatchInput, path: object, method?: string])[] = [
    [{ prefix: '/' }, { kind: 'any' }],
    [{ path: '/a' }, { kind: 'exact', value: '/a' }],
    [{ pathSeparatedPrefix: '/a' }, { kind: 'prefix', value: '/a' }],
    [{ prefix: '/a.b' }, { kind: 'regex', value: String.raw`/a\.b.*` }],
    [{ connectMatcher: {} }, { kind: 'any' }, 'CONNECT'],
    [{ prefix: '/', headers: [{ name: ':method', stringMatch: { exact: 'PUT' } }] }, { kind: 'any' }, 'PUT'],
  ];
  for (const [match, path, method] of MATCHES) {
    test(`${JSON.stringify(match)} is understood`, () => {
      const message = {
        name: 'r',
        virtualHosts: [{ name: 'h', domains: ['*'], routes: [{ match, route: { cluster: 'a' } }] }],
      };
      const decoded = decodeRouteTable(RouteConfiguration.encode(message).finish()).virtualHosts[0]?.routes[0]?.match;
      assert.deepEqual([decoded?.path, decoded?.method], [path, method]);
    });
  }

  test('CONNECT ends here with connect_config; without it nothing takes the route', () => {
    const end = { upgradeType: 'CONNECT', connectConfig: {} };
    const kindOf = (upgradeConfigs: readonly object[], match: RouteMatchInput = { connectMatcher: {} }) =>
      actionOf(match, { route: { cluster: 'a', upgradeConfigs } })?.kind;
    assert.equal(kindOf([end]), 'connect');
    assert.equal(kindOf([{ upgradeType: 'CONNECT' }]), 'forward');
    assert.equal(kindOf([{ ...end, enabled: { value: false } }]), 'forward');
    assert.equal(kindOf([end], { prefix: '/' }), 'forward');
  });

  test('what would be matched otherwise than meant is refused', () => {
    const inverted = { prefix: '/', headers: [{ name: 'x', presentMatch: true, invertMatch: true }] };
    assert.throws(() => actionOf(inverted, { route: { cluster: 'a' } }), /inverted/);
    assert.throws(
      () => actionOf({ prefix: '/' }, { route: { weightedClusters: { clusters: [] } } }),
      /sum of weights is 0/,
    );
    const regexRewrite = { pattern: { regex: '^/(.*)$' }, substitution: '/x' };
    assert.throws(() => actionOf({ prefix: '/' }, { route: { cluster: 'a', regexRewrite } }), /is not known here/);
  });
});

describe('the configuration on disk', () => {
  test('starts a proxy as it was, is for its owner alone, and is passed over when broken', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tutti-last-good-'));
    try {
      const path = join(folder, 'deep', 'last-good.json');
      const first = new Configuration();
      first.accept('cluster', [cluster('a')]);
      first.accept('endpoints', [endpoints('a', [1])]);
      first.accept('listener', [listener('l', 'r')]);
      first.accept('route', [routes('r', ['a'])]);
      const { tables } = first.assemble(0);
      await writeLastGood(path, first.raw());
      assert.equal(statSync(path).mode & 0o777, 0o600);
      const second = new Configuration();
      second.restore((await readLastGood(path)) ?? first.raw());
      assert.deepEqual(second.assemble(0).tables, tables);
      assert.equal(await readLastGood(join(folder, 'none')), undefined);
      for (const text of ['', '{', '{"format":99}', 'null', '[]']) {
        writeFileSync(path, text);
        assert.equal(await readLastGood(path), undefined, text);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
