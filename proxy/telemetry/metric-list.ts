import type { Figures } from '../engine.ts';

export type Labels = Readonly<Record<string, string>>;
type Add = (labels: Labels, value: number) => void;

export interface MetricSpec {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly labels: readonly string[];
  /** Adds every series' value; called at each scrape. */
  readonly collect: (figures: Figures, add: Add) => void;
}

/**
 * Everything that is published, by name. The hot path knows nothing of this file: values are read from the engines' own
 * counters when somebody asks. docs/reference/metrics.md lists the same; a test holds the two together.
 */
export const METRICS: readonly MetricSpec[] = [
  {
    name: 'tutti_requests_total',
    type: 'counter',
    help: 'Requests finished, by what became of them',
    labels: ['direction', 'service', 'code', 'reason'],
    collect: ({ telemetry }, add) => {
      for (const stats of telemetry.requests.values()) {
        for (const { statusClass, reason, count } of stats.outcomes()) {
          add({ direction: stats.direction, service: stats.service, code: statusClass, reason }, count);
        }
      }
    },
  },
  {
    name: 'tutti_grpc_requests_total',
    type: 'counter',
    help: 'gRPC calls finished, by their status',
    labels: ['direction', 'service', 'grpc_response_status'],
    collect: ({ telemetry }, add) => {
      for (const { direction, service, calls } of telemetry.requests.values()) {
        calls?.forEach((count, status) => {
          if (count > 0) add({ direction, service, grpc_response_status: String(status) }, count);
        });
      }
    },
  },
  {
    name: 'tutti_request_bytes_total',
    type: 'counter',
    help: 'Bytes of request bodies',
    labels: ['direction', 'service'],
    collect: ({ telemetry }, add) => {
      for (const { direction, service, bytesIn } of telemetry.requests.values()) add({ direction, service }, bytesIn);
    },
  },
  {
    name: 'tutti_response_bytes_total',
    type: 'counter',
    help: 'Bytes of response bodies',
    labels: ['direction', 'service'],
    collect: ({ telemetry }, add) => {
      for (const { direction, service, bytesOut } of telemetry.requests.values()) add({ direction, service }, bytesOut);
    },
  },
  {
    name: 'tutti_connections_opened_total',
    type: 'counter',
    help: 'Connections accepted from clients',
    labels: ['direction'],
    collect: ({ telemetry }, add) => {
      for (const [direction, count] of Object.entries(telemetry.connectionsOpened)) add({ direction }, count);
    },
  },
  {
    name: 'tutti_connections_open',
    type: 'gauge',
    help: 'Connections from clients that are open',
    labels: ['direction'],
    collect: ({ telemetry }, add) => {
      for (const [direction, count] of Object.entries(telemetry.connectionsOpen)) add({ direction }, count);
    },
  },
  {
    name: 'tutti_upstream_tries_total',
    type: 'counter',
    help: 'Tries that ended, by outcome; a repeated request has several',
    labels: ['cluster', 'outcome'],
    collect: (engine, add) => {
      for (const { cluster, success, error } of engine.load()) {
        add({ cluster, outcome: 'success' }, success);
        add({ cluster, outcome: 'error' }, error);
      }
    },
  },
  {
    name: 'tutti_upstream_active_requests',
    type: 'gauge',
    help: 'Requests in flight',
    labels: ['cluster'],
    collect: (engine, add) => {
      for (const { cluster, active } of engine.load()) add({ cluster }, active);
    },
  },
  {
    name: 'tutti_upstream_retries_total',
    type: 'counter',
    help: 'Tries beside the first',
    labels: ['cluster'],
    collect: (engine, add) => {
      for (const { name, retries } of engine.clusters()) add({ cluster: name }, retries);
    },
  },
  {
    name: 'tutti_upstream_endpoints',
    type: 'gauge',
    help: 'Endpoints by state; ejected ones answered badly, avoided ones refused connections lately',
    labels: ['cluster', 'state'],
    collect: (engine, add) => {
      for (const { name, endpoints } of engine.clusters()) {
        const unhealthy = endpoints.filter(({ healthy }) => !healthy).length;
        const ejected = endpoints.filter(({ healthy, ejected }) => healthy && ejected).length;
        const avoided = endpoints.filter(({ healthy, avoided, ejected }) => healthy && avoided && !ejected).length;
        add({ cluster: name, state: 'unhealthy' }, unhealthy);
        add({ cluster: name, state: 'ejected' }, ejected);
        add({ cluster: name, state: 'avoided' }, avoided);
        add({ cluster: name, state: 'healthy' }, endpoints.length - unhealthy - ejected - avoided);
      }
    },
  },
  {
    name: 'tutti_upstream_outlier_ejections_active',
    type: 'gauge',
    help: 'Endpoints ejected now for their answers',
    labels: ['cluster'],
    collect: (engine, add) => {
      for (const { name, outliers, endpoints } of engine.clusters()) {
        if (outliers !== undefined) add({ cluster: name }, endpoints.filter(({ ejected }) => ejected).length);
      }
    },
  },
  {
    name: 'tutti_upstream_outlier_ejections_enforced_total',
    type: 'counter',
    help: 'Ejections made, by what was found',
    labels: ['cluster', 'cause'],
    collect: (engine, add) => {
      for (const { name, outliers } of engine.clusters()) {
        for (const [cause, count] of Object.entries(outliers?.enforced ?? {})) add({ cluster: name, cause }, count);
      }
    },
  },
  {
    name: 'tutti_upstream_outlier_ejections_overflow_total',
    type: 'counter',
    help: 'Ejections not made, because too large a share was ejected already',
    labels: ['cluster'],
    collect: (engine, add) => {
      for (const { name, outliers } of engine.clusters()) {
        if (outliers !== undefined) add({ cluster: name }, outliers.overflow);
      }
    },
  },
  {
    name: 'tutti_upstream_healthy_panic_total',
    type: 'counter',
    help: 'Picks among ejected endpoints too, because too few others were left',
    labels: ['cluster'],
    collect: (engine, add) => {
      for (const { name, panics } of engine.clusters()) add({ cluster: name }, panics);
    },
  },
  {
    name: 'tutti_upstream_connections_opened_total',
    type: 'counter',
    help: 'Connections dialled to the endpoints that the cluster has now',
    labels: ['cluster'],
    collect: (engine, add) => sumEndpoints(engine, add, ({ connectionsOpened }) => connectionsOpened),
  },
  {
    name: 'tutti_upstream_connect_failures_total',
    type: 'counter',
    help: 'Connections that could not be made, or whose peer was not who it should be',
    labels: ['cluster'],
    collect: (engine, add) => sumEndpoints(engine, add, ({ connectFailures }) => connectFailures),
  },
  {
    name: 'tutti_upstream_idle_connections',
    type: 'gauge',
    help: 'Connections that wait in pools',
    labels: ['cluster'],
    collect: (engine, add) => sumEndpoints(engine, add, ({ idleConnections }) => idleConnections),
  },
  {
    name: 'tutti_spans_exported_total',
    type: 'counter',
    help: 'Spans that the collector took',
    labels: [],
    collect: ({ telemetry: { spans } }, add) => {
      if (spans !== undefined) add({}, spans.exported);
    },
  },
  {
    name: 'tutti_spans_dropped_total',
    type: 'counter',
    help: 'Spans that no collector got',
    labels: ['cause'],
    collect: ({ telemetry: { spans } }, add) => {
      for (const [cause, count] of Object.entries(spans?.dropped ?? {})) add({ cause }, count);
    },
  },
  {
    name: 'tutti_tls_refused_total',
    type: 'counter',
    help: 'TLS connections refused, on the side this proxy had in them',
    labels: ['side', 'reason'],
    collect: ({ telemetry }, add) => {
      for (const [key, count] of telemetry.tlsRefusals) add(pairOf(key, 'side', 'reason'), count);
    },
  },
  {
    name: 'tutti_proxy_protocol_refused_total',
    type: 'counter',
    help: 'Connections that were to begin with a PROXY protocol header and were closed',
    labels: ['reason'],
    collect: ({ telemetry }, add) => {
      for (const [reason, count] of telemetry.proxyHeaderRefusals) add({ reason }, count);
    },
  },
  {
    name: 'tutti_rejected_messages_total',
    type: 'counter',
    help: 'Messages that were no sound HTTP',
    labels: ['message', 'cause'],
    collect: ({ telemetry }, add) => {
      for (const [key, count] of telemetry.rejections) add(pairOf(key, 'message', 'cause'), count);
    },
  },
  {
    name: 'tutti_identity_rotations_total',
    type: 'counter',
    help: 'Times the identity was replaced by a new one',
    labels: [],
    collect: ({ telemetry }, add) => add({}, telemetry.identityRotations),
  },
  {
    name: 'tutti_identity_expiry_timestamp_seconds',
    type: 'gauge',
    help: 'When the identity ends, in seconds since the Unix epoch; 0 without one',
    labels: [],
    collect: ({ telemetry }, add) => add({}, telemetry.identityNotAfterMs / 1000),
  },
  {
    name: 'tutti_config_applied_total',
    type: 'counter',
    help: 'Tables put to work',
    labels: [],
    collect: ({ telemetry }, add) => add({}, telemetry.applied),
  },
  {
    name: 'tutti_config_problems_total',
    type: 'counter',
    help: 'Resources that could not be put to work',
    labels: [],
    collect: ({ telemetry }, add) => add({}, telemetry.problems),
  },
  {
    name: 'tutti_worker_ready',
    type: 'gauge',
    help: '1 when the worker runs and has what was applied last',
    labels: ['worker'],
    collect: (figures, add) => {
      for (const { worker, ready } of figures.workers()) add({ worker: String(worker) }, ready ? 1 : 0);
    },
  },
  {
    name: 'tutti_worker_requests_total',
    type: 'counter',
    help: 'Requests finished by each worker',
    labels: ['worker'],
    collect: (figures, add) => {
      for (const { worker, requests } of figures.workers()) add({ worker: String(worker) }, requests);
    },
  },
  {
    name: 'tutti_worker_restarts_total',
    type: 'counter',
    help: 'Times a worker failed and was started again',
    labels: ['worker'],
    collect: (figures, add) => {
      for (const { worker, restarts } of figures.workers()) add({ worker: String(worker) }, restarts);
    },
  },
  {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    help: 'Resident memory size in bytes',
    labels: [],
    collect: (_, add) => add({}, process.memoryUsage.rss()),
  },
  {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    help: 'Total user and system CPU time spent in seconds',
    labels: [],
    collect: (_, add) => {
      const { user, system } = process.cpuUsage();
      add({}, (user + system) / 1e6);
    },
  },
];

function sumEndpoints(
  engine: Figures,
  add: Add,
  read: (endpoint: ReturnType<Figures['clusters']>[number]['endpoints'][number]) => number,
): void {
  for (const { name, endpoints } of engine.clusters()) {
    add(
      { cluster: name },
      endpoints.reduce((sum, endpoint) => sum + read(endpoint), 0),
    );
  }
}

function pairOf(key: string, first: string, second: string): Labels {
  const [one = '', other = ''] = key.split('\n');
  return { [first]: one, [second]: other };
}
