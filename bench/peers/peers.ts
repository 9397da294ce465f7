import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../test/support/programs.ts';
import type { Peer } from '../side-by-side.ts';

export interface PeerSetup {
  /** For configuration files. */
  readonly folder: string;
  readonly port: number;
  readonly upstreamPorts: readonly number[];
}

/** The same work for all: no access log, keep-alive to both sides, X-Forwarded-For and a request id added, one worker. */
export const PEERS: readonly ((setup: PeerSetup) => Peer)[] = [tutti, nginx, haproxy, httpProxy];

function tutti({ port, upstreamPorts }: PeerSetup): Peer {
  const script = join(import.meta.dirname, 'tutti.ts');
  return { name: 'tutti', command: [process.execPath, script, String(port), ...upstreamPorts.map(String)] };
}

function httpProxy({ port, upstreamPorts }: PeerSetup): Peer {
  const script = join(import.meta.dirname, 'http-proxy.ts');
  const command = [process.execPath, '--no-warnings', script, String(port), ...upstreamPorts.map(String)];
  return { name: 'http-proxy', command };
}

function nginx({ folder, port, upstreamPorts }: PeerSetup): Peer {
  const path = findProgram('nginx');
  if (path === undefined) return { name: 'nginx', missing: 'apt-get install nginx-light' };
  const file = join(folder, 'nginx.conf');
  const servers = upstreamPorts.map((upstream) => `server 127.0.0.1:${upstream};`).join(' ');
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log;
events { worker_connections 4096; }
http {
  access_log off; tcp_nodelay on; keepalive_requests 1000000000;
  upstream app { ${servers} keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Request-Id $request_id;
    }
  }
}
`,
  );
  return { name: 'nginx', command: [path, '-c', file, '-p', folder, '-e', `${folder}/nginx.log`] };
}

function haproxy({ folder, port, upstreamPorts }: PeerSetup): Peer {
  const path = findProgram('haproxy');
  if (path === undefined) return { name: 'haproxy', missing: 'apt-get install haproxy' };
  const file = join(folder, 'haproxy.cfg');
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
  bind 127.0.0.1:${port}
  default_backend app
backend app
  balance roundrobin
  retries 2
${upstreamPorts.map((upstream, at) => `  server s${at} 127.0.0.1:${upstream}`).join('\n')}
`,
  );
  return { name: 'haproxy', command: [path, '-db', '-q', '-f', file] };
}
