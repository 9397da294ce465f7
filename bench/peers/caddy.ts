import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../test/support/programs.ts';
import { SERVER_NAME } from '../certificates.ts';
import type { Peer } from '../side-by-side.ts';
import type { Job } from './job.ts';

export function caddy(job: Job): Peer {
  const path = findProgram('caddy');
  if (path === undefined) return { name: 'caddy', missing: 'apt-get install caddy' };
  const file = join(job.folder, `Caddyfile-${job.port}`);
  const { certificates, front } = job;
  const client =
    front === 'mtls' ? `client_auth {\n mode require_and_verify\n trusted_ca_cert_file ${certificates.ca}\n }` : '';
  const shown =
    front === 'plain'
      ? ''
      : `tls ${certificates.serverCertificate} ${certificates.serverKey} {\n protocols tls1.3\n ${client}\n }`;
  const dialled =
    job.back === 'plain'
      ? ''
      : `tls_client_auth ${certificates.clientCertificate} ${certificates.clientKey}\n tls_trusted_ca_certs ${certificates.ca}\n tls_server_name ${SERVER_NAME}`;
  const scheme = job.back === 'plain' ? '' : 'https://';
  writeFileSync(
    file,
    `{
  admin off
  auto_https off
  default_sni ${SERVER_NAME}
  servers {
    protocols h1
  }
}
${front === 'plain' ? `http://:${job.port}` : `https://:${job.port}`} {
  bind 127.0.0.1
  ${shown}
  reverse_proxy ${job.upstreams.map(({ address, port }) => `${scheme}${address}:${port}`).join(' ')} {
    lb_policy round_robin
    header_up X-Request-Id {http.request.uuid}
    transport http {
      keepalive_idle_conns_per_host 256
      ${dialled}
    }
  }
}
`,
  );
  const env = ['GOMAXPROCS=1', `XDG_DATA_HOME=${job.folder}`, `XDG_CONFIG_HOME=${job.folder}`, `HOME=${job.folder}`];
  return { name: 'caddy', command: ['env', ...env, path, 'run', '--adapter', 'caddyfile', '--config', file] };
}
