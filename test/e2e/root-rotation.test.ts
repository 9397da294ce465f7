// Certificates of a whole mesh: who has which, fetched by somebody else's SPIFFE client, renewed, and moved to another root
// under load.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readKubeconfig } from '../../api/client/kubeconfig.ts';
import type { Node } from '../../api/kinds/node.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import { MESH_ADDRESS, meshServerName } from '../../api/meta/well-known.ts';
import { eventually } from '../support/eventually.ts';
import { startLoad } from '../support/load.ts';
import { pause } from '../support/mesh.ts';
import { needs, program } from '../support/programs.ts';
import { type RunningShop, startShop } from '../support/shop.ts';

let shop: RunningShop;

before(async () => {
  shop = await startShop();
});

after(async () => {
  await shop?.stop();
});

interface Shown {
  readonly stage: string;
  readonly certificates: readonly {
    readonly kind: string;
    readonly name: string;
    readonly spiffeId: string;
    readonly serial: string;
    readonly issuer: string;
  }[];
}

async function ask(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await shop.tutti(...args);
  assert.equal(code, 0, `tutti ${args.join(' ')}: ${stderr}`);
  return stdout;
}

const show = async (): Promise<Shown> => JSON.parse(await ask('certs', 'show', '-o', 'json')) as Shown;

/** Until agents have told of all: each pod, the ingress, the agent, the control plane and the CA. */
const showAll = async (): Promise<Shown> => {
  const pods = (await ask('get', 'pods', '-o', 'name')).trim().split('\n').length;
  return await eventually('all certificates are shown', async () => {
    const shown = await show();
    return shown.certificates.length >= pods + 4 ? shown : undefined;
  });
};

interface Server {
  readonly name: string;
  /** host:port */
  readonly connect: string;
  readonly servername?: string;
}

/** Whoever shows a certificate to a client that has none: every sidecar's mesh port, the agent, the API server. */
async function whoServes(): Promise<readonly Server[]> {
  const list = async <T>(...what: readonly string[]) =>
    (JSON.parse(await ask('get', ...what, '-o', 'json')) as { readonly items: readonly T[] }).items;
  const pods = await list<Pod>('pods', '-l', 'app');
  const nodes = await list<Node>('nodes');
  const sidecars = pods.flatMap(({ metadata: { name, annotations } }) => {
    const connect = annotations?.[MESH_ADDRESS];
    return connect === undefined ? [] : [{ name, connect, servername: meshServerName(8080) }];
  });
  const agents = nodes.map(({ metadata: { name }, status }) => {
    const address = status.addresses?.find(({ type }) => type === 'InternalIP')?.address;
    return { name, connect: `${address}:${status.daemonEndpoints.kubeletEndpoint.Port}` };
  });
  const { server } = await readKubeconfig(shop.kubeconfig);
  return [...sidecars, ...agents, { name: 'the API server', connect: new URL(server).host }];
}

const withoutRoots = ({ certificates }: Shown) => certificates.filter(({ kind }) => kind !== 'ca');

test(
  "PyPI's spiffe fetches an SVID, follows a rotation, and calls a sidecar by it",
  needs('spiffe-python'),
  async () => {
    const pods = JSON.parse(await ask('get', 'pods', '-l', 'app=catalog', '-o', 'json')) as {
      readonly items: readonly { readonly metadata: { readonly annotations: Record<string, string> } }[];
    };
    const [host, port] = (pods.items[0]?.metadata.annotations['tutti.dev/mesh-address'] ?? '').split(':');
    const command = [
      program('spiffe-python'),
      join(import.meta.dirname, 'spiffe-workload.py'),
      host,
      port,
      meshServerName(8080),
    ];
    const manifest = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'referee' },
      spec: { containers: [{ name: 'app', image: 'none', command }] },
    };
    await writeFile(join(shop.folder, 'referee.yaml'), JSON.stringify(manifest));
    await ask('apply', '-f', 'referee.yaml');
    const printed = async (count: number): Promise<readonly string[]> => {
      let text = '';
      const lines = await eventually(`the referee has said ${count} lines`, async () => {
        text = (await shop.tutti('logs', 'referee')).stdout;
        const found = text.split('\n').filter((line) => line.startsWith('spiffe://'));
        return found.length >= count ? found : undefined;
      }).catch((error: unknown) => {
        throw new Error(`the referee said: ${text}`, { cause: error });
      });
      assert.match(text, /^bundle of 1$/m);
      return lines;
    };
    const expected =
      /^spiffe:\/\/tutti\.local\/ns\/default\/sa\/default [0-9A-F]+ roots=1 peer=spiffe:\/\/tutti\.local\/ns\/default\/sa\/catalog answer=HTTP\/1\.1 \d{3}/;
    const [first] = await printed(1);
    assert.match(first ?? '', expected);
    await ask('certs', 'rotate');
    const [, second] = await printed(2);
    assert.match(second ?? '', expected);
    assert.notEqual(first, second);
  },
);

test(
  'the root is rotated step by step under load: no request fails, every chain is of the new root',
  needs('openssl'),
  async () => {
    const before = await showAll();
    const oldKubeconfig = join(shop.folder, 'old.kubeconfig');
    await copyFile(shop.kubeconfig, oldKubeconfig);
    const caFolder = join(shop.folder, '.tutti', 'ca');
    const oldRoot = await readFile(join(caFolder, 'ca.crt'), 'utf8');

    const load = startLoad({ url: `${shop.url}/api/products`, requestsPerSecond: 100 });
    let newConnections = 0;
    const rotated = new AbortController();
    const dial = async (): Promise<void> => {
      for (; !rotated.signal.aborted; newConnections++) {
        const response = await fetch(`${shop.url}/api/products`, { headers: { connection: 'close' } });
        assert.equal(response.status, 200, await response.text());
        await pause(100);
      }
    };
    const dialling = dial();
    let result: Awaited<ReturnType<typeof load.stop>>;
    try {
      const refused = await shop.tutti('certs', 'root', 'retire');
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, /the CA is in no rotation; the step that comes next is "add"/);
      assert.match(
        await ask('certs', 'root', 'add'),
        /^add: done, and carried by all \(stage distributing, (\d+) of \1\)$/m,
      );
      assert.equal((await show()).certificates.filter(({ kind }) => kind === 'ca').length, 2);
      // A copy of the kubeconfig from before still works until the new root signs.
      assert.equal((await shop.tutti('get', 'nodes', '--kubeconfig', oldKubeconfig)).code, 0);
      assert.match(await ask('certs', 'root', 'rotate'), /the CA has a new root \(stage steady/);
      await pause(1000);
    } finally {
      rotated.abort();
      result = await load.stop();
    }
    await dialling;
    assert.equal(result.failed, 0, `${result.failed} of ${result.sent} requests failed: ${result.detail}`);
    assert.ok(newConnections > 0);

    const after = await showAll();
    const [root] = after.certificates;
    assert.equal(after.stage, 'steady');
    assert.notEqual(root?.issuer, before.certificates[0]?.issuer);
    assert.deepEqual(
      withoutRoots(after).map(({ issuer }) => issuer),
      withoutRoots(after).map(() => root?.issuer),
    );
    assert.deepEqual(
      withoutRoots(after).map(({ name, spiffeId }) => [name, spiffeId]),
      withoutRoots(before).map(({ name, spiffeId }) => [name, spiffeId]),
    );
    const serials = new Set(withoutRoots(before).map(({ serial }) => serial));
    assert.ok(withoutRoots(after).every(({ serial }) => !serials.has(serial)));

    await writeFile(join(shop.folder, 'old.pem'), oldRoot);
    const running = await whoServes();
    assert.equal(running.length, 10, 'eight sidecars, the agent and the API server');
    for (const { name, connect, servername } of running) {
      const shake = ['s_client', '-connect', connect, ...(servername === undefined ? [] : ['-servername', servername])];
      const shaken = spawnSync(program('openssl'), [...shake, '-showcerts'], { encoding: 'utf8', input: '' });
      const chain = shaken.stdout.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
      assert.notEqual(chain.length, 0, `${name} at ${connect} shows nothing: ${shaken.stderr}`);
      await writeFile(join(shop.folder, 'leaf.pem'), chain[0] ?? '');
      await writeFile(join(shop.folder, 'chain.pem'), chain.join('\n'));
      const verify = (roots: string): string => {
        const trust = ['-CAfile', join(shop.folder, roots), '-untrusted', join(shop.folder, 'chain.pem')];
        const command = ['verify', '-x509_strict', '-purpose', 'sslserver', ...trust, join(shop.folder, 'leaf.pem')];
        const { stdout: said, stderr } = spawnSync(program('openssl'), command, { encoding: 'utf8' });
        return said + stderr;
      };
      assert.match(verify('.tutti/ca/ca.crt'), /leaf\.pem: OK\n$/, name);
      assert.match(verify('old.pem'), /leaf\.pem: verification failed\n$/, name);
    }
    assert.notEqual((await shop.tutti('get', 'nodes', '--kubeconfig', oldKubeconfig)).code, 0);
    // Through the agent, which the control plane reaches by new certificates on both sides.
    assert.equal((await shop.tutti('logs', 'deployment/frontend')).code, 0);
  },
);
