import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../test/support/programs.ts';
import type { Peer } from '../side-by-side.ts';
import { ENVOY_MISSING } from './envoy.ts';

/** Nothing but being there: a listener and a cluster of three endpoints for each service; static, so without a control plane's work. */
export interface IdleSetup {
  readonly folder: string;
  /** Where it answers when it is ready. */
  readonly port: number;
  readonly services: number;
}

const FIRST_PORT = 21_000;
const ENDPOINTS = ['127.0.0.3:42003', '127.0.0.3:42004', '127.0.0.3:42005'];
const HTTP = 'type.googleapis.com/envoy.extensions.filters';

export const IDLE_PEERS: readonly ((setup: IdleSetup) => Peer)[] = [envoy, nginx, haproxy];

function envoy({ folder, port, services }: IdleSetup): Peer {
  const path = findProgram('envoy');
  if (path === undefined) return { name: 'envoy', missing: ENVOY_MISSING };
  const at = (address: string): object => {
    const [host, number] = address.split(':');
    return { socket_address: { address: host, port_value: Number(number) } };
  };
  const each = Array.from({ length: services }, (_, index) => index);
  const listeners = each.map((index) => {
    const manager = {
      '@type': `${HTTP}.network.http_connection_manager.v3.HttpConnectionManager`,
      stat_prefix: `s${index}`,
      route_config: {
        virtual_hosts: [
          { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: `s${index}` } }] },
        ],
      },
      http_filters: [{ name: 'envoy.filters.http.router', typed_config: { '@type': `${HTTP}.http.router.v3.Router` } }],
    };
    return {
      name: `s${index}`,
      address: at(`127.0.0.2:${FIRST_PORT + index}`),
      filter_chains: [{ filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] }],
    };
  });
  const clusters = each.map((index) => ({
    name: `s${index}`,
    type: 'STATIC',
    load_assignment: {
      cluster_name: `s${index}`,
      endpoints: [{ lb_endpoints: ENDPOINTS.map((address) => ({ endpoint: { address: at(address) } })) }],
    },
  }));
  const file = join(folder, 'idle-envoy.json');
  const admin = { address: at(`127.0.0.1:${port}`) };
  writeFileSync(file, JSON.stringify({ admin, static_resources: { listeners, clusters } }));
  const flags = ['--concurrency', '1', '--use-dynamic-base-id', '--log-level', 'error', '--disable-hot-restart'];
  return { name: 'envoy', command: [path, '-c', file, ...flags] };
}

function nginx({ folder, port, services }: IdleSetup): Peer {
  const path = findProgram('nginx');
  if (path === undefined) return { name: 'nginx', missing: 'apt-get install nginx-light' };
  const file = join(folder, 'idle-nginx.conf');
  const blocks = Array.from(
    { length: services },
    (_, at) => `upstream s${at} { ${ENDPOINTS.map((address) => `server ${address};`).join(' ')} keepalive 32; }
  server { listen 127.0.0.2:${FIRST_PORT + at}; location / { proxy_pass http://s${at}; } }`,
  );
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${folder}/idle-nginx.pid; error_log ${folder}/idle-nginx.log;
events {}
http {
  access_log off;
  ${blocks.join('\n  ')}
  server { listen 127.0.0.1:${port}; location / { return 200; } }
}
`,
  );
  return { name: 'nginx', command: [path, '-c', file, '-p', folder, '-e', `${folder}/idle-nginx.log`] };
}

function haproxy({ folder, port, services }: IdleSetup): Peer {
  const path = findProgram('haproxy');
  if (path === undefined) return { name: 'haproxy', missing: 'apt-get install haproxy' };
  const file = join(folder, 'idle-haproxy.cfg');
  const blocks = Array.from(
    { length: services },
    (_, at) => `frontend f${at}
  bind 127.0.0.2:${FIRST_PORT + at}
  default_backend s${at}
backend s${at}
${ENDPOINTS.map((address, each) => `  server e${each} ${address}`).join('\n')}`,
  );
  writeFileSync(
    file,
    `global
  nbthread 1
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
${blocks.join('\n')}
frontend ready
  bind 127.0.0.1:${port}
  http-request return status 200
`,
  );
  return { name: 'haproxy', command: [path, '-db', '-q', '-f', file] };
}
