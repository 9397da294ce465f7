import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { endpointSliceKind } from '../../api/kinds/endpoint-slice.ts';
import { gatewayKind } from '../../api/kinds/gateway.ts';
import { gatewayClassKind } from '../../api/kinds/gateway-class.ts';
import { httpRouteKind } from '../../api/kinds/http-route.ts';
import type { Kind, KubeObject } from '../../api/kinds/kind.ts';
import { podKind } from '../../api/kinds/pod.ts';
import type { Proxy } from '../../api/kinds/proxy.ts';
import { serviceKind } from '../../api/kinds/service.ts';
import { findCondition } from '../../api/meta/condition.ts';
import { CONVERGED, UNROUTED } from '../../api/meta/well-known.ts';
import { openAuthority } from '../../certs/authority/authority.ts';
import { createKeyAndCsr } from '../../certs/workload/key-and-csr.ts';
import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import { startXds, type Xds } from '../../control/xds/run.ts';
import { FakeClient } from '../../control/xds/test-support/fake-client.ts';
import { gateway, gatewayClass, httpRoute, pod, service, slice } from '../../control/xds/test-support/objects.ts';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { systemRandom } from '../../kit/random.ts';
import { freePort } from '../../test/support/free-port.ts';
import type { ApplyProblem, ClusterLoad } from '../engine.ts';
import type { ProxyTables } from '../tables.ts';
import { AdsClient } from './ads-client.ts';
import type { RawResources } from './configuration.ts';

const clock = systemClock();
const log = silentLog();
const TRUST_DOMAIN = 'tutti.local';
const CONTROL = `spiffe://${TRUST_DOMAIN}/tutti/control`;

/** An engine that binds nothing and remembers what it was given. */
class Recorder {
  tables: ProxyTables = { listeners: new Map(), routeTables: new Map(), clusters: new Map() };
  problems: readonly ApplyProblem[] = [];
  loads: readonly ClusterLoad[] = [];
  applied = 0;

  apply(tables: ProxyTables): Promise<readonly ApplyProblem[]> {
    this.tables = tables;
    this.applied += 1;
    return Promise.resolve(this.problems);
  }

  figures() {
    return Promise.resolve({ load: () => this.loads });
  }
}

function isAcked({ sentVersion, ackedVersion }: Proxy['status']['types'][number]): boolean {
  return sentVersion === ackedVersion;
}

/** Looks again and again, with a bound: processes and sockets are real here. */
async function eventually<T>(what: string, look: () => T | undefined | false): Promise<T> {
  const deadline = clock.monotonic() + 45_000;
  for (;;) {
    const seen = look();
    if (seen !== undefined && seen !== false) return seen;
    if (clock.monotonic() > deadline) throw new Error(`did not happen in time: ${what}`);
    await clock.sleep(5);
  }
}

for (const variant of ['sotw', 'delta'] as const) {
  describe(`objects to tables, over gRPC with mTLS, ${variant}`, () => {
    let folder = '';
    let issue: (spiffeId: string) => MeshIdentity;
    let client: FakeClient;
    let xds: Xds;
    /** Gives the control plane another certificate. */
    let rotate: (spiffeId: string) => void;
    const closers: (() => Promise<void>)[] = [];

    const put = <T extends KubeObject>(kind: Kind<T>, ...objects: readonly T[]): void => {
      for (const object of objects) client.put(kind as unknown as Kind, object);
    };

    async function startControl(port: number): Promise<Xds> {
      let shown = issue(CONTROL);
      const listeners = new Set<(identity: MeshIdentity) => void>();
      const identity = {
        current: () => shown,
        onChange: (listener: (identity: MeshIdentity) => void) => {
          listeners.add(listener);
          return () => void listeners.delete(listener);
        },
      };
      rotate = (spiffeId) => {
        shown = issue(spiffeId);
        for (const listener of listeners) listener(shown);
      };
      const options = { client, clock, random: systemRandom(), log, address: '127.0.0.1', port };
      return startXds({ ...options, identity, trustDomain: TRUST_DOMAIN });
    }

    interface ProxyPlan {
      readonly spiffeId?: string;
      readonly controlSpiffeId?: string;
      readonly restore?: RawResources;
      readonly port?: number;
    }

    function startProxy(nodeId: string, plan: ProxyPlan = {}) {
      const engine = new Recorder();
      const good: RawResources[] = [];
      const ads = new AdsClient({
        address: `127.0.0.1:${plan.port ?? xds.port}`,
        node: { id: nodeId, userAgentVersion: '0.0.1' },
        variant,
        controlSpiffeId: plan.controlSpiffeId ?? CONTROL,
        identity: () => issue(plan.spiffeId ?? `spiffe://${TRUST_DOMAIN}/ns/default/sa/default`),
        engine,
        clock,
        random: systemRandom(),
        log,
        restore: () => Promise.resolve(plan.restore),
        onGood: (raw) => good.push(raw),
      });
      ads.start();
      closers.push(() => ads.close());
      return { engine, ads, good };
    }

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'tutti-xds-'));
      const authority = await openAuthority({ folder, trustDomain: TRUST_DOMAIN, clock, log });
      issue = (spiffeId) => {
        const { privateKeyPem, csrPem } = createKeyAndCsr(spiffeId);
        const issued = authority.issueSvid({ csrPem, spiffeId });
        return { generation: 1, spiffeId, privateKeyPem, trustBundlePem: authority.trustBundlePem, ...issued };
      };
    });
    after(() => rmSync(folder, { recursive: true }));

    const web = pod('web-1', { at: 2, appPorts: { 8080: 41_002 } });
    const catalog = pod('catalog-1', { at: 3, serviceAccount: 'catalog' });
    beforeEach(async () => {
      client = new FakeClient();
      put(gatewayClassKind, gatewayClass());
      put(podKind, web, catalog);
      put(serviceKind, service('catalog', { clusterIP: '127.96.0.5', outboundPort: 20_001 }), service('web'));
      put(endpointSliceKind, slice('catalog', [catalog]), slice('web', [web]));
      // One that is still there for the next one, whatever else the machine starts in between.
      xds = await startControl(await freePort());
    });
    afterEach(async () => {
      for (const close of closers.splice(0)) await close();
      await xds.close();
    });

    test('a sidecar gets its own inbound side and the services in its reach', async () => {
      const { engine, good } = startProxy('sidecar/default/web-1');
      await eventually('first tables', () => engine.tables.listeners.size === 3);
      const { listeners, routeTables, clusters } = engine.tables;
      assert.deepEqual([...listeners.keys()].sort(), ['inbound', 'outbound-proxy', 'outbound/default/catalog/80']);
      assert.deepEqual(listeners.get('inbound')?.chains[0]?.serverNames, ['8080.port.tutti.internal']);
      assert.deepEqual(listeners.get('inbound')?.chains[0]?.tls, { kind: 'mesh' });
      assert.equal(listeners.get('outbound-proxy')?.port, 15_001);
      assert.equal(listeners.get('outbound-proxy')?.chains[0]?.http?.forwardProxy, true);
      assert.deepEqual(clusters.get('inbound/8080')?.endpoints, [
        { address: '127.0.0.1', port: 41_002, weight: 1, healthy: true },
      ]);
      assert.deepEqual(clusters.get('service/default/catalog/80')?.endpoints, [
        { address: '127.0.0.1', port: 42_003, weight: 1, healthy: true },
      ]);
      assert.deepEqual(clusters.get('service/default/catalog/80')?.tls, {
        serverName: '8080.port.tutti.internal',
        spiffeIds: ['spiffe://tutti.local/ns/default/sa/catalog'],
      });
      assert.equal(clusters.get('passthrough')?.kind, 'authority');
      assert.ok(routeTables.has('outbound'));
      await eventually('a configuration to keep', () => good.length > 0);
    });

    test('every type is ACKed, and the control plane shows it', async () => {
      startProxy('sidecar/default/web-1');
      const types = await eventually('all ACKs', () => {
        const [proxy] = xds.listProxies();
        const all = proxy?.status.types ?? [];
        return all.length === 4 && all.every(({ sentVersion, ackedVersion }) => sentVersion === ackedVersion) && all;
      });
      assert.deepEqual(types.map(({ type }) => type).sort(), ['clusters', 'endpoints', 'listeners', 'routes']);
      assert.equal(xds.listProxies()[0]?.status.version, '0.0.1');
    });

    test('a change reaches the tables, and what did not change stays the same object', async () => {
      const { engine } = startProxy('sidecar/default/web-1');
      await eventually('first tables', () => engine.tables.listeners.size === 3);
      const before = engine.tables;
      const second = pod('catalog-2', { at: 4, serviceAccount: 'catalog' });
      put(podKind, second);
      put(endpointSliceKind, slice('catalog', [catalog, second]));
      const name = 'service/default/catalog/80';
      await eventually('two endpoints', () => engine.tables.clusters.get(name)?.endpoints.length === 2);
      assert.equal(engine.tables.clusters.get('service/default/web/80'), before.clusters.get('service/default/web/80'));
      assert.equal(engine.tables.listeners.get('inbound'), before.listeners.get('inbound'));
      assert.equal(engine.tables.routeTables.get('outbound'), before.routeTables.get('outbound'));
    });

    test('a route on a Service moves its weights, and says when all proxies carry it', async () => {
      put(serviceKind, service('catalog-v2'));
      const { engine } = startProxy('sidecar/default/web-1');
      const second = startProxy('sidecar/default/catalog-1', {
        spiffeId: `spiffe://${TRUST_DOMAIN}/ns/default/sa/catalog`,
      });
      await eventually(
        'first tables',
        () => engine.tables.listeners.size > 0 && second.engine.tables.listeners.size > 0,
      );
      const backend = (name: string, weight: number) => ({ name, port: 80, weight });
      const route = httpRoute('catalog', {
        parentRefs: [{ group: '', kind: 'Service', name: 'catalog' }],
        rules: [{ backendRefs: [backend('catalog', 90), backend('catalog-v2', 10)] }],
      });
      put(httpRouteKind, route);
      const conditions = await eventually('convergence', () => {
        const { status } = client.stored(httpRouteKind, { namespace: 'default', name: 'catalog' });
        const all = status?.parents[0]?.conditions;
        return findCondition(all, CONVERGED)?.status === 'True' && all;
      });
      assert.equal(findCondition(conditions, CONVERGED)?.message, '2 of 2 proxies');
      // Neither has sent anything: they report once, so that what they send from now on is known to go by these weights.
      await eventually('reports since', () => xds.listProxies().every(({ status }) => status.loadCurrent));
      assert.equal(findCondition(conditions, CONVERGED)?.observedGeneration, 1);
      assert.equal(findCondition(conditions, 'Accepted')?.status, 'True');
      for (const tables of [engine.tables, second.engine.tables]) {
        const host = tables.routeTables
          .get('outbound')
          ?.virtualHosts.find(({ domains }) => domains.includes('catalog'));
        const action = host?.routes[0]?.action;
        assert.deepEqual(
          action?.kind === 'forward' && action.clusters.map(({ cluster, weight }) => [cluster, weight]),
          [
            ['service/default/catalog/80', 90],
            ['service/default/catalog-v2/80', 10],
          ],
        );
      }
    });

    test('each change is listed with the proxies that have it and the time it took them', async () => {
      startProxy('sidecar/default/web-1');
      const spiffeId = `spiffe://${TRUST_DOMAIN}/ns/default/sa/catalog`;
      startProxy('sidecar/default/catalog-1', { spiffeId });
      const acked = (count: number) => () =>
        xds.listProxies().filter(({ status }) => status.types.length === 4 && status.types.every(isAcked)).length ===
        count;
      await eventually('both have all', acked(2));
      put(endpointSliceKind, slice('catalog', [catalog], 8080, false));
      const heard = await eventually('both have the change', () => {
        const changes = xds.listProxies().flatMap(({ status }) => status.changes);
        return changes.length >= 2 && changes.every(({ tookMs }) => tookMs !== undefined) && changes;
      });
      assert.deepEqual([...new Set(heard.map(({ object }) => object))], ['Endpoints/default/catalog']);
      assert.equal(new Set(heard.map(({ id }) => id)).size, 1, 'it is one change for both');
      const rules = [{ backendRefs: [{ name: 'catalog', port: 80 }] }];
      put(
        httpRouteKind,
        httpRoute('catalog', { parentRefs: [{ group: '', kind: 'Service', name: 'catalog' }], rules }),
      );
      await eventually('the route is listed by its name', () => {
        const newest = xds.listProxies().map(({ status }) => status.changes[0]);
        return newest.every((one) => one?.object === 'HTTPRoute/default/catalog' && one.tookMs !== undefined);
      });
    });

    test('an ingress binds a Gateway, and its status follows', async () => {
      put(gatewayKind, gateway('shop', [{ name: 'web', port: 18_080, protocol: 'HTTP' }]));
      put(
        httpRouteKind,
        httpRoute('shop', { parentRefs: [{ name: 'shop' }], rules: [{ backendRefs: [{ name: 'web', port: 80 }] }] }),
      );
      const spiffeId = `spiffe://${TRUST_DOMAIN}/ns/tutti-system/sa/ingress`;
      const { engine } = startProxy('ingress/tutti-system/node-1', { spiffeId });
      await eventually('a listener', () => engine.tables.listeners.get('ingress/default/shop/18080')?.port === 18_080);
      assert.deepEqual([...engine.tables.clusters.keys()].sort(), ['service/default/web/80', 'unavailable']);
      const status = await eventually('Programmed', () => {
        const { status: now } = client.stored(gatewayKind, { namespace: 'default', name: 'shop' });
        return findCondition(now.conditions, 'Programmed')?.status === 'True' && now;
      });
      assert.equal(findCondition(status.conditions, 'Accepted')?.status, 'True');
      assert.equal(status.listeners?.[0]?.attachedRoutes, 1);
      const gatewayClassStatus = client.stored(gatewayClassKind, { name: 'tutti' }).status;
      assert.equal(findCondition(gatewayClassStatus.conditions, 'Accepted')?.status, 'True');
    });

    test("a port that is in use makes the Gateway's Programmed false with the proxy's words, until it is free", async () => {
      put(gatewayKind, gateway('shop', [{ name: 'web', port: 18_080, protocol: 'HTTP' }]));
      const spiffeId = `spiffe://${TRUST_DOMAIN}/ns/tutti-system/sa/ingress`;
      const { engine } = startProxy('ingress/tutti-system/node-1', { spiffeId });
      engine.problems = [
        {
          resource: 'listener',
          name: 'ingress/default/shop/18080',
          message: 'listen EADDRINUSE: address already in use',
        },
      ];
      const programmed = () =>
        findCondition(
          client.stored(gatewayKind, { namespace: 'default', name: 'shop' }).status.conditions,
          'Programmed',
        );
      const refused = await eventually('Programmed is false', () => {
        const condition = programmed();
        return condition?.reason === 'Invalid' && condition;
      });
      assert.match(refused.message, /EADDRINUSE/);
      engine.problems = [];
      await eventually('Programmed is true', () => programmed()?.status === 'True');
    });

    test('a pod that leaves is unrouted when every proxy has ACKed endpoints without it', async () => {
      const { engine } = startProxy('sidecar/default/web-1');
      const name = 'service/default/catalog/80';
      await eventually('first tables', () => engine.tables.clusters.get(name)?.endpoints.length === 1);
      put(podKind, { ...catalog, metadata: { ...catalog.metadata, deletionTimestamp: '2030-01-01T00:00:10Z' } });
      await eventually('no endpoint', () => engine.tables.clusters.get(name)?.endpoints.length === 0);
      const ref = { namespace: 'default', name: 'catalog-1' };
      const unrouted = await eventually('unrouted', () =>
        findCondition(client.stored(podKind, ref).status.conditions, UNROUTED),
      );
      assert.equal(unrouted.status, 'True');
    });

    test('load is reported and summed by service', async () => {
      const { engine } = startProxy('sidecar/default/web-1');
      const load = { cluster: 'service/default/catalog/80', service: 'catalog.default', active: 0, ejections: [] };
      await eventually('first tables', () => engine.tables.listeners.size === 3);
      engine.loads = [{ ...load, total: 10, success: 9, error: 1 }];
      await eventually('a first report', () => xds.listProxies()[0]?.status.load[0]?.total === 10);
      engine.loads = [{ ...load, total: 25, success: 20, error: 5 }];
      const sum = await eventually('a second report', () => {
        const [first] = xds.listProxies()[0]?.status.load ?? [];
        return first?.total === 25 && first;
      });
      assert.deepEqual(sum, { cluster: load.cluster, service: 'catalog.default', total: 25, success: 20, error: 5 });
    });

    test('who is ejected is told, also when nothing else is, and that it is back', async () => {
      const { engine } = startProxy('sidecar/default/web-1');
      await eventually('first tables', () => engine.tables.listeners.size === 3);
      const load = { cluster: 'service/default/catalog/80', service: 'catalog.default', active: 0 };
      const figures = { ...load, total: 0, success: 0, error: 0 };
      const ejected = () => xds.listProxies()[0]?.status.ejected ?? [];
      const gone = {
        address: '[fd00::1]:28000',
        cause: 'consecutive_gateway_failure',
        untilMs: 1_900_000_000_000,
      } as const;
      engine.loads = [{ ...figures, ejections: [gone] }];
      await eventually('the ejection', () => ejected().length === 1);
      assert.deepEqual(ejected(), [
        {
          cluster: load.cluster,
          service: load.service,
          address: gone.address,
          cause: gone.cause,
          until: '2030-03-17T17:46:40Z',
        },
      ]);
      engine.loads = [{ ...figures, ejections: [] }];
      await eventually('its return', () => ejected().length === 0);
    });

    test('a workload cannot have what is meant for another', async () => {
      const spiffeId = `spiffe://${TRUST_DOMAIN}/ns/default/sa/somebody`;
      const stranger = startProxy('sidecar/default/web-1', { spiffeId });
      const edge = startProxy('ingress/tutti-system/node-1', { spiffeId });
      const rightful = startProxy('sidecar/default/catalog-1', {
        spiffeId: `spiffe://${TRUST_DOMAIN}/ns/default/sa/catalog`,
      });
      await eventually('the rightful one has tables', () => rightful.engine.applied > 0);
      assert.equal(stranger.engine.applied, 0);
      assert.equal(edge.engine.applied, 0);
      assert.deepEqual(
        xds.listProxies().map(({ spec }) => spec.nodeId),
        ['sidecar/default/catalog-1'],
      );
    });

    test('a proxy does not listen to a server that is not the control plane', async () => {
      const other = startProxy('sidecar/default/web-1', { controlSpiffeId: `spiffe://${TRUST_DOMAIN}/tutti/other` });
      const right = startProxy('sidecar/default/web-1');
      await eventually('the right one has tables', () => right.engine.applied > 0);
      assert.equal(other.engine.applied, 0);
      assert.equal(other.ads.status().streams, 0);
    });

    test('a rotation of the control plane’s certificate cuts no stream, and the next connection sees the new one', async () => {
      const first = startProxy('sidecar/default/web-1');
      await eventually('first tables', () => first.engine.applied > 0);
      const renamed = `${CONTROL}-2`;
      rotate(renamed);
      const second = startProxy('sidecar/default/catalog-1', {
        spiffeId: `spiffe://${TRUST_DOMAIN}/ns/default/sa/catalog`,
        controlSpiffeId: renamed,
      });
      await eventually('one that expects the new identity', () => second.engine.applied > 0);
      put(serviceKind, service('late'));
      await eventually('a new service at the first', () => first.engine.tables.clusters.has('service/default/late/80'));
      assert.equal(first.ads.status().streams, 1);
    });

    test('a restarted control plane changes nothing, and is followed again', async () => {
      const { engine, ads } = startProxy('sidecar/default/web-1');
      await eventually('first tables', () => engine.tables.listeners.size === 3);
      const { applied, tables } = engine;
      const { port } = xds;
      await xds.close();
      await eventually('the stream has ended', () => !ads.status().connected);
      xds = await startControl(port);
      await eventually('all ACKed again', () => {
        const types = xds.listProxies()[0]?.status.types ?? [];
        return types.length === 4 && types.every(({ sentVersion, ackedVersion }) => sentVersion === ackedVersion);
      });
      assert.equal(engine.tables, tables);
      assert.equal(engine.applied, applied);
      put(serviceKind, service('late'));
      await eventually('a new service', () => engine.tables.clusters.has('service/default/late/80'));
    });

    test('without a control plane a proxy starts from the configuration it kept, and goes on with the new one', async () => {
      const first = startProxy('sidecar/default/web-1');
      const kept = await eventually('a configuration to keep', () => first.good.at(-1));
      const { port } = xds;
      await xds.close();
      const second = startProxy('sidecar/default/web-1', { restore: kept, port });
      await eventually('tables of the last run', () => second.engine.tables.listeners.size === 3);
      assert.equal(second.ads.status().restored, true);
      assert.deepEqual(
        [...second.engine.tables.clusters.keys()].sort(),
        [...first.engine.tables.clusters.keys()].sort(),
      );
      xds = await startControl(port);
      await eventually('the stream is back', () => second.ads.status().connected && !second.ads.status().restored);
      client.remove(serviceKind as unknown as Kind, client.stored(serviceKind, { namespace: 'default', name: 'web' }));
      await eventually('a service that went away', () => !second.engine.tables.clusters.has('service/default/web/80'));
      put(serviceKind, service('late'));
      await eventually('a new service', () => second.engine.tables.clusters.has('service/default/late/80'));
    });
  });
}
