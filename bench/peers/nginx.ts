import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../test/support/programs.ts';
import { SERVER_NAME } from '../certificates.ts';
import type { Peer } from '../side-by-side.ts';
import type { Job } from './job.ts';

export function nginx(job: Job): Peer {
  const path = findProgram('nginx');
  if (path === undefined) return { name: 'nginx', missing: 'apt-get install nginx-light' };
  const file = join(job.folder, `nginx-${job.port}.conf`);
  if (job.carries === 'bytes' && !existsSync(STREAM_MODULE)) {
    return { name: 'nginx', missing: 'apt-get install libnginx-mod-stream' };
  }
  const servers = job.upstreams.map(({ address, port }) => `server ${address}:${port};`).join(' ');
  writeFileSync(
    file,
    `${job.carries === 'bytes' ? `load_module ${STREAM_MODULE};` : ''}
daemon off; worker_processes ${job.workers ?? 1}; worker_rlimit_nofile 16000; pid ${job.folder}/nginx-${job.port}.pid; error_log ${job.folder}/nginx.log;
events { worker_connections 15000; }
${job.carries === 'bytes' ? stream(job, servers) : http(job, servers)}`,
  );
  return { name: 'nginx', command: [path, '-c', file, '-p', job.folder, '-e', `${job.folder}/nginx.log`] };
}

/** Debian's place for it. */
const STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';

function stream(job: Job, servers: string): string {
  return `stream {
  upstream app { ${servers} }
  server { listen 127.0.0.1:${job.port} backlog=4096; proxy_pass app; tcp_nodelay on; }
}
`;
}

function http(job: Job, servers: string): string {
  return `http {
  access_log off; tcp_nodelay on; keepalive_requests 1000000000; client_max_body_size 0;
  client_body_temp_path ${job.folder}/nginx-body; proxy_temp_path ${job.folder}/nginx-proxy;
  map $http_upgrade $connection_field { default upgrade; '' ''; }
  upstream app { ${servers} keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${job.port}${job.front === 'plain' ? '' : ' ssl'}${job.protocol === 'http2' ? ' http2' : ''} backlog=4096${(job.workers ?? 1) > 1 ? ' reuseport' : ''};
    ${front(job)}
    location / { ${job.upstreamProtocol === 'http2' ? GRPC_PASS : proxyPass(job)} }
  }
}
`;
}

// The only way in which nginx speaks HTTP/2 to an upstream.
const GRPC_PASS = `grpc_pass grpc://app;
      grpc_set_header X-Forwarded-For $proxy_add_x_forwarded_for; grpc_set_header X-Request-Id $request_id;`;

function proxyPass(job: Job): string {
  return `proxy_pass ${job.back === 'plain' ? 'http' : 'https'}://app; proxy_http_version 1.1;
      proxy_set_header Connection $connection_field; proxy_set_header Upgrade $http_upgrade;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Request-Id $request_id;
      proxy_request_buffering off; proxy_max_temp_file_size 0;
      ${back(job)}`;
}

function front({ front, certificates }: Job): string {
  if (front === 'plain') return '';
  const shown = `ssl_protocols TLSv1.3; ssl_certificate ${certificates.serverCertificate}; ssl_certificate_key ${certificates.serverKey};`;
  return front === 'tls' ? shown : `${shown} ssl_client_certificate ${certificates.ca}; ssl_verify_client on;`;
}

function back({ back, certificates }: Job): string {
  if (back === 'plain') return '';
  return `proxy_ssl_protocols TLSv1.3; proxy_ssl_certificate ${certificates.clientCertificate}; proxy_ssl_certificate_key ${certificates.clientKey};
      proxy_ssl_trusted_certificate ${certificates.ca}; proxy_ssl_verify on; proxy_ssl_name ${SERVER_NAME}; proxy_ssl_server_name on;`;
}
