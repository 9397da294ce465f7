import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../proxy/test-support/harness.ts';
import { program } from '../support/programs.ts';
import type { Dial } from './conversation.ts';

export const PEERS = ['nginx', 'haproxy'] as const;
export type Peer = (typeof PEERS)[number];

export interface RunningPeer extends AsyncDisposable {
  readonly dial: Dial;
}

/** A folder for sockets: peers and applications meet there, so that nobody needs a port. */
export async function socketFolder(): Promise<AsyncDisposable & { readonly path: string; readonly app: string }> {
  const path = await mkdtemp(join(tmpdir(), 'tutti-peers-'));
  return { path, app: join(path, 'app.sock'), [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Each as its distribution configures it, with keep-alive to both sides and limits no tighter than ours. */
const SETUPS: Readonly<
  Record<Peer, (folder: string) => { readonly file: string; readonly text: string; readonly args: readonly string[] }>
> = {
  nginx: (folder) => ({
    file: 'nginx.conf',
    text: `daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log crit;
events {}
http {
  access_log off; client_max_body_size 0; large_client_header_buffers 4 64k;
  client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  upstream app { server unix:${folder}/app.sock; keepalive 16; }
  server {
    listen unix:${folder}/nginx.sock; server_name app;
    location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; }
  }
}
`,
    args: ['-c', join(folder, 'nginx.conf'), '-p', folder, '-e', join(folder, 'nginx.log')],
  }),
  haproxy: (folder) => ({
    file: 'haproxy.cfg',
    text: `global
  nbthread 1
  tune.bufsize 65536
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend in
  bind unix@${folder}/haproxy.sock
  default_backend app
backend app
  server s unix@${folder}/app.sock
`,
    args: ['-db', '-q', '-f', join(folder, 'haproxy.cfg')],
  }),
};

/** A peer before the application that listens in the same folder. */
export async function startPeer(peer: Peer, folder: string): Promise<RunningPeer> {
  const { file, text, args } = SETUPS[peer](folder);
  await writeFile(join(folder, file), text);
  const child = spawn(program(peer), args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (data: Buffer) => void (said += data.toString()));
  const dial: Dial = () => net.connect({ path: join(folder, `${peer}.sock`), allowHalfOpen: true });
  let open = false;
  await eventually(() => {
    if (child.exitCode !== null) throw new Error(`${peer} ended at its start: ${said}`);
    const probe = dial();
    probe.on('connect', () => {
      open = true;
      probe.destroy();
    });
    probe.on('error', () => undefined);
    return open;
  }, `${peer} takes connections`);
  return { dial, [Symbol.asyncDispose]: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'close');
  child.kill('SIGKILL');
  await gone;
}
