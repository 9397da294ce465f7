import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HttpClient, httpClient } from '../../api/client/http-client.ts';
import { readKubeconfig } from '../../api/client/kubeconfig.ts';
import { configMapKind } from '../../api/kinds/config-map.ts';
import { freePort } from '../support/free-port.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { type Finished, type RunningTutti, startTutti, tutti } from '../support/tutti-process.ts';

/** One of the control planes that share a store. */
export interface Member {
  readonly data: string;
  readonly apiPort: number;
  readonly xdsPort: number;
  process: RunningTutti;
}

export interface SharedCluster {
  readonly folder: string;
  readonly redis: RedisServer;
  /** Starts a control plane under this name; `flags` are added. Resolves when it leads or stands by. */
  start(name: string, flags?: readonly string[]): Promise<Member>;
  /** A `tutti` command with the member's kubeconfig. */
  tutti(member: Member, ...args: string[]): Promise<Finished>;
  /** An administrator's client by this member's address. */
  client(member: Member): Promise<HttpClient>;
  dispose(): Promise<void>;
}

export async function sharedCluster(): Promise<SharedCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-ha-'));
  const redis = await startRedisServer();
  const members: Member[] = [];
  const clients: HttpClient[] = [];
  return {
    folder,
    redis,
    start: async (name, flags = []) => {
      const data = join(folder, name);
      const ports = { apiPort: await freePort(), xdsPort: await freePort() };
      const args = ['--data', data, '--api-port', `${ports.apiPort}`, '--xds-port', `${ports.xdsPort}`];
      const process = startTutti(
        ['control', '--store', redis.url, ...args, '--node-name', 'node-1', '--log-level', 'info', ...flags],
        { cwd: folder },
      );
      const member = { data, ...ports, process };
      members.push(member);
      await process.printed('kubeconfig:');
      return member;
    },
    tutti: (member, ...args) => tutti(args, { cwd: folder, env: { KUBECONFIG: join(member.data, 'kubeconfig') } }),
    client: async (member) => {
      const connection = await readKubeconfig(join(member.data, 'kubeconfig'));
      const client = httpClient({ ...connection, userAgent: 'test' });
      clients.push(client);
      return client;
    },
    dispose: async () => {
      for (const client of clients) await client.close();
      for (const { process } of members) process.signal('SIGKILL');
      await Promise.all(members.map(({ process }) => process.exited));
      await redis.dispose();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What was acknowledged, and what was refused or left open. */
export interface Written {
  readonly acknowledged: readonly string[];
  readonly longestGapMs: number;
}

/**
 * Writes one object after the other, through whichever of these clients answers, until the signal aborts: each has a name of its own, so
 * that one that is missing later was lost.
 */
export async function writeOn(clients: readonly HttpClient[], name: string, signal: AbortSignal): Promise<Written> {
  const acknowledged: string[] = [];
  let last = performance.now();
  let longestGapMs = 0;
  let turn = 0;
  let client = 0;
  while (!signal.aborted) {
    const object = `${name}-${turn++}`;
    try {
      await (clients[client % clients.length] as HttpClient).create(configMapKind, {
        metadata: { name: object, namespace: 'default' },
        data: { turn: `${turn}` },
      });
      acknowledged.push(object);
      longestGapMs = Math.max(longestGapMs, performance.now() - last);
      last = performance.now();
    } catch {
      client += 1;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return { acknowledged, longestGapMs };
}
