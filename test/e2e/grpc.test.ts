import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import tls from 'node:tls';
import { stringify } from 'yaml';
import type { Pod } from '../../api/kinds/pod.ts';
import type { Proxy } from '../../api/kinds/proxy.ts';
import { MESH_ADDRESS } from '../../api/meta/well-known.ts';
import { eventually } from '../support/eventually.ts';
import { needs } from '../support/programs.ts';
import { copyShop, killAll, type ShopCopy, TEST_FLAGS, TEST_NODE_FLAGS } from '../support/shop.ts';
import { type Finished, type RunningTutti, startTutti, tutti } from '../support/tutti-process.ts';

/** gRPC waits up to two minutes between its tries to reach ADS again (doc/connection-backoff.md), and it decides when it begins to. */
const RECONNECTED_WITHIN_MS = 150_000;

const GRPCIO = '/usr/lib/python3/dist-packages/grpc';

/** Clients that nobody here wrote, in pods; each calls the Service by another of its names. */
const CLIENTS = [
  { name: 'grpc-js', command: [process.execPath, join(import.meta.dirname, 'grpc-client.ts'), 'xds:///stock:50051'] },
  {
    name: 'grpcio',
    // Debian's, whatever Python comes first on PATH.
    command: [
      '/usr/bin/python3',
      join(import.meta.dirname, 'grpc-client.py'),
      'xds:///stock.default.svc.cluster.local:50051',
    ],
  },
];

interface Said {
  /** `stock/<version> <pod>`. */
  readonly by?: string;
  readonly error?: string;
  readonly details?: string;
}

interface Measured {
  readonly shares: readonly {
    readonly service: string;
    readonly requests: number;
    readonly share?: number;
    readonly errors: number;
  }[];
}

/** gRPC throws a coin for each call: a share of one half is as far off as this less than once in ten million times. */
function farOff(calls: number): number {
  return (5.5 * 0.5) / Math.sqrt(calls);
}

describe("gRPC's own xDS clients call a service of the shop", { timeout: 450_000, ...needs(GRPCIO) }, () => {
  let shop: ShopCopy;
  let up: RunningTutti;

  const run = (...args: string[]): Promise<Finished> =>
    tutti(args, { cwd: shop.folder, env: { KUBECONFIG: join(shop.folder, '.tutti', 'kubeconfig') } });
  const ok = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(...args);
    assert.equal(code, 0, `tutti ${args.join(' ')}:\n${stdout}${stderr}`);
    return stdout;
  };
  const list = async <T>(...what: string[]): Promise<readonly T[]> =>
    (JSON.parse(await ok('get', ...what, '-o', 'json')) as { items: T[] }).items;
  const stock = (version: string): Promise<readonly Pod[]> => list<Pod>('pods', '-l', `app=stock,version=${version}`);
  const podFolder = async (name: string): Promise<string> => {
    const { metadata } = JSON.parse(await ok('get', 'pod', name, '-o', 'json')) as Pod;
    return join(shop.folder, '.tutti', 'agent', 'node-1', 'pods', metadata.uid);
  };
  const folders = new Map<string, string>();
  const heard = new Map<string, { readonly all: Said[]; read: number; rest: string }>();

  /** All that a client has said, in order; read on from where it was read to. */
  const said = async (client: string): Promise<readonly Said[]> => {
    const state = heard.get(client) ?? { all: [], read: 0, rest: '' };
    heard.set(client, state);
    const log = await readFile(join(folders.get(client) ?? '', 'containers', 'app', '0', 'log')).catch(() => undefined);
    if (log === undefined) return state.all;
    const lines = (state.rest + log.toString('utf8', state.read)).split('\n');
    state.read = log.length;
    state.rest = lines.pop() ?? '';
    // What is not its own word is the library's.
    state.all.push(...lines.filter((line) => line.startsWith('{"')).map((line) => JSON.parse(line) as Said));
    return state.all;
  };
  /** Waits until every client has made so many calls after now, and hands over what came of each. */
  const nextCalls = async (count: number): Promise<readonly (readonly Said[])[]> =>
    await Promise.all(
      CLIENTS.map(async ({ name }) => {
        const from = (await said(name)).length;
        return await eventually(`${name} makes ${count} calls`, async () => {
          const newer = (await said(name)).slice(from);
          return newer.length >= count ? newer : undefined;
        });
      }),
    );
  /** Waits until what these clients get is answered by exactly these pods. */
  const answeredBy = async (pods: readonly Pod[]): Promise<void> => {
    const wanted = pods.map(({ metadata }) => metadata.name).sort();
    await eventually(
      `calls are answered by ${wanted.join(', ')}`,
      async () => {
        const calls = await nextCalls(4 * wanted.length);
        const found = calls.map((own) => [...new Set(own.map(({ by = '' }) => by.split(' ')[1] ?? ''))].sort());
        return found.every((names) => names.join() === wanted.join()) || undefined;
      },
      RECONNECTED_WITHIN_MS,
    );
  };

  const start = async (): Promise<void> => {
    const manifests = ['-f', 'shop/grpc', '-f', 'clients.yaml', '--images', 'shop/images'];
    const flags = ['--no-ingress', ...TEST_FLAGS, ...TEST_NODE_FLAGS];
    up = startTutti(['up', ...manifests, ...flags], { cwd: shop.folder });
    await up.printed('Try next:');
  };

  before(async () => {
    shop = await copyShop();
    const pods = CLIENTS.map(({ name, command }) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, annotations: { 'tutti.dev/proxyless-grpc': 'true' } },
      spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'app', image: 'none', command }] },
    }));
    await writeFile(join(shop.folder, 'clients.yaml'), pods.map((pod) => stringify(pod)).join('---\n'));
    await start();
    for (const { name } of CLIENTS) {
      folders.set(name, await podFolder(name));
      await eventually(`${name} has been answered`, async () => {
        const all = await said(name);
        return all.some(({ by }) => by !== undefined) || undefined;
      });
    }
  });

  /** What was under way from which call on, for the message of a call that failed. */
  const phases: string[] = [];
  beforeEach(async ({ name }) => {
    const counts = await Promise.all(
      CLIENTS.map(async (client) => `${client.name} ${(await said(client.name)).length}`),
    );
    phases.push(`${counts.join(', ')}: ${name}`);
  });

  after(async () => {
    up.signal('SIGINT');
    await up.exited;
    await killAll(shop.folder);
    await shop.remove();
  });

  test('calls are spread over its endpoints, and a new one gets its share', async () => {
    await answeredBy(await stock('v1'));
    await ok('scale', 'deployment', 'stock-v1', '--replicas', '3');
    await ok('rollout', 'status', 'deployment/stock-v1', '--timeout', '120s');
    const pods = await stock('v1');
    assert.equal(pods.length, 3);
    await answeredBy(pods);
    for (const calls of await nextCalls(60)) {
      for (const { metadata } of pods) {
        const own = calls.filter(({ by }) => by?.endsWith(metadata.name)).length;
        assert.ok(Math.abs(own - calls.length / 3) < calls.length / 6, `${own} of ${calls.length}`);
      }
    }
  });

  test('a canary moves their calls by weight, waits until they carry it, and counts them', async () => {
    const weigh = async (weight: string, measure: string): Promise<Measured> => {
      const canary = ['canary', 'stock', '--to', 'stock-v2', '--weight', weight, '--measure', measure];
      const { code, stdout, stderr } = await run(...canary, '-o', 'json');
      assert.equal(code, 0, stderr);
      // The sidecars that may reach the Service, and the two clients.
      assert.match(stderr, /carried by (\d+) of \1 proxies/);
      return JSON.parse(stdout) as Measured;
    };
    // Carried before it is measured, so that no late report tells of calls by the weight of before.
    await weigh('50', '100ms');
    const { measured, counted } = await eventually('enough calls are measured', async () => {
      const found = await weigh('50', '4s');
      const of = found.shares.find((one) => one.service === 'stock-v2');
      return of !== undefined && of.requests > 10 ? { measured: found, counted: of } : undefined;
    });
    assert.equal(counted.errors, 0, JSON.stringify(measured));
    const all = measured.shares.reduce((sum, { requests }) => sum + requests, 0);
    assert.ok(Math.abs((counted.share ?? 0) - 50) < 100 * farOff(all), JSON.stringify(measured));
    for (const calls of await nextCalls(200)) {
      const share = calls.filter(({ by }) => by?.startsWith('stock/v2')).length / calls.length;
      assert.ok(Math.abs(share - 0.5) < farOff(calls.length), `${share} of ${calls.length}`);
    }
    await weigh('0', '100ms');
    await answeredBy(await stock('v1'));
  });

  test('endpoints go without a call being lost', async () => {
    await ok('scale', 'deployment', 'stock-v1', '--replicas', '1');
    await eventually('one pod is left', async () => ((await stock('v1')).length === 1 ? true : undefined));
    await answeredBy(await stock('v1'));
  });

  test('a control plane and an agent that are killed stop no call, and they are followed again when they are back', async () => {
    up.signal('SIGKILL');
    await up.exited;
    await nextCalls(30);
    await start();
    // As the manifest has it again, after the one that the last test left.
    await ok('rollout', 'status', 'deployment/stock-v1', '--timeout', '120s');
    const pods = await stock('v1');
    assert.equal(pods.length, 2);
    await answeredBy(pods);
  });

  test('none of their calls failed, and they refused nothing', async () => {
    for (const { name } of CLIENTS) {
      const all = await said(name);
      const first = all.findIndex(({ by }) => by !== undefined);
      const failed = all.findIndex(({ by }, at) => at > first && by === undefined);
      assert.equal(failed, -1, `${name}, call ${failed}: ${JSON.stringify(all[failed])}\n${phases.join('\n')}`);
    }
    // A stream that broke on a busy machine is opened again, and what has just been sent is answered.
    const clients = await eventually(
      'both are connected, and have answered all',
      async () => {
        const all = (await list<Proxy>('proxies')).filter(({ spec }) => spec.mode === 'grpc');
        const pods = new Set(all.map(({ spec }) => spec.podName));
        const isAnswered = ({ status: { types } }: Proxy): boolean =>
          types.length === 4 && types.every((one) => one.error !== undefined || one.ackedVersion === one.sentVersion);
        return CLIENTS.every(({ name }) => pods.has(name)) && all.every(isAnswered) ? all : undefined;
      },
      RECONNECTED_WITHIN_MS,
    );
    for (const { status } of clients) {
      for (const { type, error, sentVersion, ackedVersion } of status.types) {
        assert.deepEqual([type, error, ackedVersion], [type, undefined, sentVersion]);
      }
    }
  });

  test('the way to the app is mesh mTLS: a client without a certificate gets nothing', async () => {
    const [pod] = await stock('v1');
    const [host = '', port = ''] = (pod?.metadata.annotations?.[MESH_ADDRESS] ?? '').split(':');
    const identity = join(folders.get('grpcio') ?? '', 'grpc', 'identity');
    const read = (name: string): Promise<string> => readFile(join(identity, name), 'utf8');
    const own = { cert: await read('cert-chain.pem'), key: await read('key.pem'), ca: await read('root-cert.pem') };
    const greeted = (shown: tls.ConnectionOptions): Promise<boolean> =>
      new Promise((resolve) => {
        const at = { host, port: Number(port), servername: 'stock', ALPNProtocols: ['h2'], rejectUnauthorized: false };
        const socket = tls.connect({ ...at, ...shown }, () =>
          socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'),
        );
        socket.once('data', () => socket.destroy()).once('data', () => resolve(true));
        socket.once('error', () => resolve(false)).once('close', () => resolve(false));
      });
    assert.equal(await greeted({}), false);
    assert.equal(await greeted(own), true);
  });
});
