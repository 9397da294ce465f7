import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROXY_NODE_FLAGS } from '../../cli/process/proxy-command.ts';
import type { Peer } from '../side-by-side.ts';
import { caddy } from './caddy.ts';
import { envoy } from './envoy.ts';
import { haproxy } from './haproxy.ts';
import type { Job } from './job.ts';
import { nginx } from './nginx.ts';

/**
 * How each proxy is set up for a job. The same work for all: no access log, keep-alive to both sides, X-Forwarded-For and a
 * request id added, one worker. The last two know the simplest job only.
 */
export const PEERS = { tutti, nginx, haproxy, envoy, caddy, 'http-proxy': httpProxy, undici } as const;

export type PeerName = keyof typeof PEERS;

function tutti(job: Job): Peer {
  const file = join(job.folder, `tutti-${job.port}.json`);
  writeFileSync(file, JSON.stringify(job));
  return {
    name: 'tutti',
    command: [process.execPath, ...PROXY_NODE_FLAGS, join(import.meta.dirname, 'tutti.ts'), file],
  };
}

function httpProxy(job: Job): Peer {
  return { name: 'http-proxy', command: nodeProxy('http-proxy.ts', job) };
}

function undici(job: Job): Peer {
  return { name: 'undici', command: nodeProxy('undici.ts', job) };
}

function nodeProxy(script: string, { port, upstreams }: Job): readonly string[] {
  const ports = [port, ...upstreams.map((upstream) => upstream.port)].map(String);
  return [process.execPath, '--no-warnings', join(import.meta.dirname, script), ...ports];
}
