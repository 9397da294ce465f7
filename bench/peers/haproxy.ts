import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../test/support/programs.ts';
import { SERVER_NAME } from '../certificates.ts';
import type { Peer } from '../side-by-side.ts';
import type { Job } from './job.ts';

export function haproxy(job: Job): Peer {
  const path = findProgram('haproxy');
  if (path === undefined) return { name: 'haproxy', missing: 'apt-get install haproxy' };
  const file = join(job.folder, `haproxy-${job.port}.cfg`);
  const servers = job.upstreams.map(
    ({ address, port }, at) =>
      `  server s${at} ${address}:${port}${job.back === 'plain' ? '' : back(job)}${proto(job.upstreamProtocol)}`,
  );
  writeFileSync(
    file,
    `global
  nbthread 1
defaults
${job.carries === 'bytes' ? '  mode tcp' : HTTP}
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  timeout tunnel 60s
frontend in
  bind 127.0.0.1:${job.port} backlog 4096${proto(job.protocol)}${front(job)}
  default_backend app
backend app
  balance roundrobin
  retries 2
${servers.join('\n')}
`,
  );
  return { name: 'haproxy', command: [path, '-db', '-q', '-f', file] };
}

const HTTP = `  mode http
  option forwardfor
  http-reuse always
  unique-id-format %{+X}o\\ %ci:%cp_%fi:%fp_%Ts_%rt:%pid
  unique-id-header X-Request-Id`;

function proto(protocol: Job['protocol']): string {
  return protocol === 'http2' ? ' proto h2' : '';
}

function front({ front, certificates }: Job): string {
  if (front === 'plain') return '';
  const shown = ` ssl crt ${certificates.serverBoth} ssl-min-ver TLSv1.3`;
  return front === 'tls' ? shown : `${shown} ca-file ${certificates.ca} verify required`;
}

function back({ certificates }: Job): string {
  return ` ssl crt ${certificates.clientBoth} ca-file ${certificates.ca} verify required verifyhost ${SERVER_NAME} sni str(${SERVER_NAME}) ssl-min-ver TLSv1.3`;
}
