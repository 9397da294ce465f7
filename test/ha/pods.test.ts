import assert from 'node:assert/strict';
import { cp, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { needs } from '../support/programs.ts';
import { killAll } from '../support/shop.ts';
import { startTutti } from '../support/tutti-process.ts';
import { type Member, sharedCluster } from './shared-store.ts';

/** Asks for a Service as an app in the pod would: through its sidecar. The status, or the failure's code. */
function throughSidecar(podAddress: string, url: string): Promise<number | string> {
  return new Promise((resolve) => {
    const asked = request(
      { host: podAddress, port: 15_001, path: url, headers: { host: new URL(url).host } },
      (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode ?? 0));
      },
    );
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    asked.end();
  });
}

const service = (name: string): string => `
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { selector: { app: cart }, ports: [{ name: http, port: 80, targetPort: http }] }
`;

test(
  'pods run on over a take-over, and their sidecars hear of changes from the new leader',
  needs('redis-server'),
  async (t) => {
    const cluster = await sharedCluster();
    t.after(() => cluster.dispose());
    const leader = await cluster.start('one');
    await leader.process.printed('leading (epoch 1)');
    const second = await cluster.start('two', ['--store-key', join(leader.data, 'store.key')]);
    await second.process.printed('standing by;');
    const members = [leader, second];
    const shop = join(import.meta.dirname, '..', '..', 'examples', 'shop');
    await cp(shop, join(cluster.folder, 'shop'), { recursive: true });
    const all = (address: (member: Member) => string): string => members.map(address).join(',');
    const servers = all(({ apiPort }) => `https://127.0.0.1:${apiPort}`);
    const xds = all(({ xdsPort }) => `127.0.0.1:${xdsPort}`);
    const settings = [
      '--data',
      leader.data,
      '--node-name',
      'node-1',
      '--dns-port',
      '0',
      '--no-ingress',
      '--images',
      'shop/images',
    ];
    const agent = startTutti(['agent', ...settings, '--servers', servers, '--xds', xds], { cwd: cluster.folder });
    const apply = async (member: Member, file: string): Promise<void> => {
      const { code, stderr } = await cluster.tutti(member, 'apply', '-f', file);
      assert.equal(code, 0, stderr);
    };
    const pod = async (member: Member) => {
      const { stdout } = await cluster.tutti(member, 'get', 'pods', '-l', 'app=cart', '-o', 'json');
      const [found] = (JSON.parse(stdout) as { items: { metadata: { uid: string }; status: { podIP: string } }[] })
        .items;
      assert.ok(found);
      return found;
    };
    try {
      await agent.printed('node node-1');
      await apply(second, 'shop/config.yaml');
      await apply(second, 'shop/cart.yaml');
      const rolled = await cluster.tutti(second, 'rollout', 'status', 'deployment/cart', '--timeout', '90s');
      assert.equal(rolled.code, 0, rolled.stdout + rolled.stderr);
      const before = await pod(second);
      const { podIP } = before.status;
      await eventually(
        'the sidecar carries the Service',
        async () => (await throughSidecar(podIP, 'http://cart/healthz')) === 200 || undefined,
      );
      leader.process.signal('SIGKILL');
      await second.process.printed(/leading \(epoch \d+\)/);
      // Traffic does not wait for a control plane.
      assert.equal(await throughSidecar(podIP, 'http://cart/healthz'), 200, 'the sidecar goes on');
      const file = join(cluster.folder, 'later.yaml');
      await writeFile(file, service('later'));
      await apply(second, file);
      await eventually(
        'the sidecar has heard of a Service made after the take-over',
        async () => (await throughSidecar(podIP, 'http://later/healthz')) === 200 || undefined,
      );
      assert.equal((await pod(second)).metadata.uid, before.metadata.uid);
      const scaled = await cluster.tutti(second, 'scale', 'deployment/cart', '--replicas', '2');
      assert.equal(scaled.code, 0, scaled.stdout + scaled.stderr);
      await eventually(
        'a new pod has got its identity from the new leader and is Ready',
        async () => {
          const { stdout } = await cluster.tutti(second, 'get', 'deployment/cart', '-o', 'json');
          return (JSON.parse(stdout) as { status: { readyReplicas?: number } }).status.readyReplicas === 2 || undefined;
        },
        120_000,
      );
      assert.equal((await cluster.tutti(second, 'delete', 'deployment/cart')).code, 0);
      await eventually(
        'the agent has stopped the pods',
        async () => (await cluster.tutti(second, 'get', 'pods', '-o', 'name')).stdout.trim() === '' || undefined,
      );
    } finally {
      agent.signal('SIGTERM');
      await agent.exited;
      await killAll(cluster.folder);
    }
  },
);
