import { readFileSync } from 'node:fs';
import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import { systemClock } from '../../kit/clock.ts';
import { createLog } from '../../kit/log.ts';
import { systemRandom } from '../../kit/random.ts';
import { createAdmin } from '../../proxy/admin/admin.ts';
import type { ClusterConfig } from '../../proxy/cluster/cluster-config.ts';
import { createEngine } from '../../proxy/data-plane.ts';
import type { Plane } from '../../proxy/engine.ts';
import type { DownstreamTls, FilterChain } from '../../proxy/listener/listener-config.ts';
import {
  cluster,
  endpoint,
  forward,
  listener,
  outlierDetection,
  route,
  routeTable,
  tables,
} from '../../proxy/test-support/tables.ts';
import { startTracing, type TracingSetup } from '../../proxy/tracing/start-tracing.ts';
import { Crew } from '../../proxy/workers/crew.ts';
import { SERVER_NAME, SPIFFE_ID } from '../certificates.ts';
import {
  ARMED_ROUTES,
  ARMED_WEIGHTS,
  dealt,
  type Job,
  ROUTE_HEADER,
  TRACED_PERCENT,
  tenant,
  type Upstream,
} from './job.ts';

// The engine as a sidecar has it, with retries, metrics and time-outs armed. Usage: tutti.ts JOB-FILE
const job = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Job;
const shared = {
  clock: systemClock(),
  random: systemRandom(),
  log: createLog({ level: 'info', format: 'text' }),
};
const { workers = 1, adminPort } = job;
const tracing = tracingOf(job);
const engine: Plane =
  workers === 1
    ? createEngine({
        ...shared,
        accessLog: undefined,
        ...(tracing === undefined ? {} : { tracer: startTracing(tracing, shared) }),
      })
    : new Crew({ ...shared, workers, logLevel: 'info', component: 'bench', tracing });
if (job.front === 'mtls' || job.back === 'mtls') {
  engine.setIdentity(JSON.parse(readFileSync(job.certificates.identity, 'utf8')) as MeshIdentity);
}

/** As the control plane has them on, and Envoy has: success rates are counted too. */
const ALL_CAUSES = { consecutive_gateway_failure: 100, success_rate: 100 } as const;

const retry = {
  retries: 2,
  on: ['connect-failure', 'reset-before-request', 'reset'],
  statuses: [503],
  backoffBaseMs: 25,
  backoffMaxMs: 250,
} as const;

const plain = listener('bench', 'bench', { port: job.port, direction: 'outbound' }, { accessLog: false });
const chains: FilterChain[] = plain.chains.map(({ http, ...match }) => ({
  ...match,
  tls: downstreamTls(),
  ...(job.carries === 'bytes' ? { tcp: { cluster: 'app' } } : { http }),
})) as FilterChain[];
const problems = await engine.apply(
  job.routes === 'one'
    ? tables(
        [{ ...plain, chains }],
        [routeTable('bench', [route(forward('app', { retry }), { path: { kind: 'prefix', value: '/' } })])],
        [upstreamCluster('app', job.upstreams)],
      )
    : tables(
        [{ ...plain, chains }],
        [routeTable('bench', armedRoutes())],
        dealt(job.upstreams).map((upstreams, at) => upstreamCluster(`app-${at}`, upstreams)),
      ),
);
if (problems.length > 0) throw new Error(JSON.stringify(problems));
if (adminPort !== undefined) await createAdmin({ ...shared, engine, address: '127.0.0.1', port: adminPort });

function tracingOf({ collector }: Job): TracingSetup | undefined {
  if (collector === undefined) return undefined;
  return {
    endpoint: `http://${collector.address}:${collector.port}/v1/traces`,
    samplingRatio: TRACED_PERCENT / 100,
    serviceName: 'bench',
    namespace: 'default',
    name: 'bench',
    mode: 'sidecar',
    headers: undefined,
    version: '0',
  };
}

function armedRoutes() {
  const split = ARMED_WEIGHTS.map((weight, at) => [`app-${at}`, weight] as const);
  return Array.from({ length: ARMED_ROUTES }, (_, at) =>
    route(forward(split, { retry }), {
      path: { kind: 'prefix', value: '/' },
      headers: [{ name: ROUTE_HEADER, kind: 'exact', value: tenant(at) }],
    }),
  );
}

function upstreamCluster(name: string, upstreams: readonly Upstream[]): ClusterConfig {
  return cluster(name, [], {
    protocol: job.upstreamProtocol,
    endpoints: upstreams.map(({ address, port }) => ({ ...endpoint(port), address })),
    outliers: job.routes === 'armed' ? outlierDetection({ enforcing: ALL_CAUSES }) : undefined,
    tls: job.back === 'plain' ? undefined : { serverName: SERVER_NAME, spiffeIds: [SPIFFE_ID] },
  });
}

function downstreamTls(): DownstreamTls | undefined {
  const { front, certificates } = job;
  if (front === 'plain') return undefined;
  if (front === 'mtls') return { kind: 'mesh' };
  return {
    kind: 'certificate',
    certificatePem: readFileSync(certificates.serverCertificate, 'utf8'),
    privateKeyPem: readFileSync(certificates.serverKey, 'utf8'),
  };
}
