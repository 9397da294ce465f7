// node bench/mesh/control-process.ts <clients> <services> <folder>: serves; when its parent says for how many seconds, changes ten services'
// endpoints and one route a second, and says when the API had accepted each; on "cost", what it has cost since it began.
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { endpointSliceKind } from '../../api/kinds/endpoint-slice.ts';
import { httpRouteKind } from '../../api/kinds/http-route.ts';
import { podKind } from '../../api/kinds/pod.ts';
import { serviceKind } from '../../api/kinds/service.ts';
import { APP_PORTS, MESH_ADDRESS } from '../../api/meta/well-known.ts';
import { openSqliteStore } from '../../control/store/sqlite/sqlite-store.ts';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { startTestApiServer } from '../../test/support/api-server.ts';
import { changeKey, FIRST_PORT, FIRST_WEIGHT, podName, preciseNow, serviceName } from './marks.ts';
import { startMeshServer } from './xds-server.ts';

const [clients = 500, services = 50] = process.argv.slice(2, 4).map(Number);
const [, , , , folder = ''] = process.argv;
const [clock, log] = [systemClock(), silentLog()];
const ENDPOINT_CHANGES = 10;
const ENDPOINTS = 10;

const store = await openSqliteStore({ path: join(folder, 'store.db'), clock, log });
const api = await startTestApiServer({ store, clock, log });
const { client, authority } = api;

const namespace = 'default';
for (let at = 0; at < services; at++) await makeService(serviceName(at));
for (let at = 0; at < clients; at++) await makePod(at);
await client.create(httpRouteKind, {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'route', namespace },
  spec: routeSpec(FIRST_WEIGHT),
} as never);

const { port, issue } = await startMeshServer({ client, authority, clock, log });
process.send?.({ port, identity: issue(`spiffe://${authority.trustDomain}/ns/${namespace}/sa/default`) });
let began = process.cpuUsage();
process.on('message', (message: { readonly seconds: number; readonly profile?: string } | 'cost') => {
  if (message === 'cost') {
    const { user, system } = process.cpuUsage(began);
    process.send?.({ cpuMs: (user + system) / 1000 });
    return;
  }
  const { seconds, profile } = message;
  began = process.cpuUsage();
  void (profile === undefined ? run(seconds) : profiled(profile, () => run(seconds)));
});
process.on('disconnect', () => process.exit());

/** Of what runs meanwhile, and of nothing before or after. */
async function profiled(file: string, work: () => Promise<void>): Promise<void> {
  const inspector = new Session();
  inspector.connect();
  await inspector.post('Profiler.enable');
  await inspector.post('Profiler.start');
  await work();
  const { profile } = await inspector.post('Profiler.stop');
  writeFileSync(file, JSON.stringify(profile));
}

/** Evenly spread over each second: a burst would be one translation. */
async function run(seconds: number): Promise<void> {
  const accepted: Record<string, number> = {};
  const before = process.cpuUsage();
  const started = clock.monotonic();
  const perSecond = ENDPOINT_CHANGES + 1;
  let longestStallMs = 0;
  for (let at = 0; at < seconds * perSecond; at++) {
    const dueMs = started + (at * 1000) / perSecond;
    await clock.sleep(Math.max(0, dueMs - clock.monotonic()));
    longestStallMs = Math.max(longestStallMs, clock.monotonic() - dueMs);
    const round = Math.floor(at / perSecond) + 1;
    if (at % perSecond === ENDPOINT_CHANGES) {
      const mark = FIRST_WEIGHT + round;
      await client.patch(httpRouteKind, { namespace, name: 'route' }, { spec: routeSpec(mark) }, { type: 'merge' });
      accepted[changeKey('route', mark)] = preciseNow();
    } else {
      const turn = Math.floor(at / perSecond) * ENDPOINT_CHANGES + (at % perSecond);
      const [name, mark] = [serviceName(turn % services), FIRST_PORT + 1 + Math.floor(turn / services)];
      const ports = [{ name: 'http', port: mark, protocol: 'TCP' }];
      await client.patch(endpointSliceKind, { namespace, name: `${name}-1` }, { ports }, { type: 'merge' });
      accepted[changeKey(name, mark)] = preciseNow();
    }
  }
  const { user, system } = process.cpuUsage(before);
  const tookMs = clock.monotonic() - started;
  const cpuPercent = (user + system) / 10 / tookMs;
  process.send?.({ accepted, cpuPercent, rssBytes: process.memoryUsage.rss(), longestStallMs });
}

function routeSpec(weight: number): object {
  const backendRefs = [serviceName(0), serviceName(1)].map((name, at) => ({
    name,
    port: 80,
    weight: at === 0 ? weight : 1,
  }));
  return { parentRefs: [{ group: '', kind: 'Service', name: serviceName(0) }], rules: [{ backendRefs }] };
}

async function makeService(name: string): Promise<void> {
  const labels = { 'kubernetes.io/service-name': name };
  await client.create(serviceKind, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  } as never);
  await client.create(endpointSliceKind, {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-1`, namespace, labels },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: FIRST_PORT, protocol: 'TCP' }],
    endpoints: Array.from({ length: ENDPOINTS }, (_, at) => ({
      addresses: [`127.65.0.${at + 1}`],
      conditions: { ready: true },
    })),
  } as never);
}

async function makePod(at: number): Promise<void> {
  const annotations = { [MESH_ADDRESS]: `127.0.0.1:${20_000 + at}`, [APP_PORTS]: '{"8080":41000}' };
  const ref = { name: podName(at), namespace };
  await client.create(podKind, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...ref, annotations },
    spec: { containers: [{ name: 'app', image: 'app' }] },
  } as never);
  const podIP = `127.66.${Math.floor(at / 250)}.${(at % 250) + 1}`;
  await client.patch(podKind, ref, { status: { podIP } }, { type: 'merge', subresource: 'status' });
}
