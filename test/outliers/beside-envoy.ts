// Our engine and Envoy in every scenario: whom each ejects, and whether it takes them back. Usage: beside-envoy.ts PATH-OF-ENVOY
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/free-port.ts';
import { faultyUpstream, ROUTE_TIMEOUT_MS, sendRequests } from './faulty.ts';
import { ejectedIn, oursBefore } from './ours.ts';
import { BASE_EJECTION_MS, type Detection, INTERVAL_MS, SCENARIOS } from './scenarios.ts';

const path = process.argv[2];
if (path === undefined) throw new Error('wanted: beside-envoy.ts PATH-OF-ENVOY');
const RETURN_WITHIN_MS = 10_000;
let differences = 0;
for (const { name, hosts, requests, detection, ejected, ours: expected } of SCENARIOS) {
  await using stack = new AsyncDisposableStack();
  const ports: number[] = [];
  for (const behaviour of hosts) ports.push(stack.use(await faultyUpstream(behaviour)).port);
  const ours = stack.use(await oursBefore(ports, detection));
  await sendRequests(ours.port('in'), requests);
  const ourEjected = ejectedIn(ours);
  const envoy = stack.use(await startEnvoy(path, ports, detection));
  await sendRequests(envoy.port, requests);
  const itsEjected = await envoy.ejected();
  const back = await isEmptyWithin(() => envoy.ejected());
  const same = String(ourEjected) === String(expected?.ejected ?? ejected) && String(itsEjected) === String(ejected);
  if (!same) differences++;
  const shown = (list: readonly number[]): string => `[${list.join(', ')}]`;
  console.log(
    `${same ? 'as recorded' : 'DIFFERENT'}: ${name}: ours ${shown(ourEjected)}${expected === undefined ? '' : ` (${expected.because})`}, Envoy ${shown(itsEjected)}${back ? '' : ', and did not return'}`,
  );
}
process.exitCode = differences === 0 ? 0 : 1;

interface Envoy extends AsyncDisposable {
  readonly port: number;
  ejected(): Promise<readonly number[]>;
}

async function startEnvoy(program: string, ports: readonly number[], detection: Detection): Promise<Envoy> {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-outliers-'));
  const [port, adminPort] = [await freePort(), await freePort()];
  const file = join(folder, 'envoy.json');
  writeFileSync(file, JSON.stringify(configuration(port, adminPort, ports, detection)));
  const flags = ['--concurrency', '1', '--use-dynamic-base-id', '--log-level', 'off', '--disable-hot-restart'];
  const child = spawn(program, ['-c', file, ...flags], { stdio: 'ignore' });
  const admin = `http://127.0.0.1:${adminPort}`;
  const until = performance.now() + RETURN_WITHIN_MS;
  for (;;) {
    const ready = await fetch(`${admin}/ready`).then(
      ({ status }) => status === 200,
      () => false,
    );
    if (ready) break;
    if (performance.now() > until) throw new Error('Envoy did not start');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    port,
    ejected: async () => {
      const answer = (await (await fetch(`${admin}/clusters?format=json`)).json()) as Clusters;
      const failed = answer.cluster_statuses[0]?.host_statuses.filter(
        ({ health_status }) => health_status.failed_outlier_check === true,
      );
      return (failed ?? [])
        .map(({ address }) => ports.indexOf(address.socket_address.port_value))
        .sort((left, right) => left - right);
    },
    [Symbol.asyncDispose]: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Clusters {
  readonly cluster_statuses: readonly {
    readonly host_statuses: readonly {
      readonly address: { readonly socket_address: { readonly port_value: number } };
      readonly health_status: { readonly failed_outlier_check?: boolean };
    }[];
  }[];
}

function configuration(port: number, adminPort: number, ports: readonly number[], detection: Detection): object {
  const api = 'type.googleapis.com/envoy.extensions.filters';
  const manager = {
    '@type': `${api}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'in',
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [{ match: { prefix: '/' }, route: { cluster: 'app', timeout: seconds(ROUTE_TIMEOUT_MS) } }],
        },
      ],
    },
    http_filters: [{ name: 'envoy.filters.http.router', typed_config: { '@type': `${api}.http.router.v3.Router` } }],
  };
  const chain = { filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] };
  const cluster = {
    name: 'app',
    type: 'STATIC',
    connect_timeout: '1s',
    lb_policy: 'ROUND_ROBIN',
    outlier_detection: inEnvoysWords(detection),
    load_assignment: {
      cluster_name: 'app',
      endpoints: [{ lb_endpoints: ports.map((each) => ({ endpoint: { address: address(each) } })) }],
    },
  };
  return {
    admin: { address: address(adminPort) },
    static_resources: {
      listeners: [{ name: 'in', address: address(port), filter_chains: [chain] }],
      clusters: [cluster],
    },
  };
}

/** As `outlierDetection` of proxy/test-support fills in what a scenario does not say. */
function inEnvoysWords(detection: Detection): object {
  const { enforcing } = detection;
  return {
    interval: seconds(INTERVAL_MS),
    base_ejection_time: seconds(BASE_EJECTION_MS),
    consecutive_5xx: detection.consecutive5xx ?? 5,
    enforcing_consecutive_5xx: enforcing?.consecutive_5xx ?? 100,
    enforcing_consecutive_gateway_failure: enforcing?.consecutive_gateway_failure ?? 0,
    enforcing_success_rate: enforcing?.success_rate ?? 0,
    max_ejection_percent: detection.maxEjectionPercent ?? 100,
    always_eject_one_host: detection.alwaysEjectOneHost ?? false,
  };
}

function address(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}

function seconds(ms: number): string {
  return `${ms / 1000}s`;
}

async function isEmptyWithin(look: () => Promise<readonly number[]>): Promise<boolean> {
  const until = performance.now() + RETURN_WITHIN_MS;
  while (performance.now() < until) {
    if ((await look()).length === 0) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}
