import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { podKind } from '../../api/kinds/pod.ts';
import { hasCode } from '../../api/meta/api-error.ts';
import type { Status } from '../../api/meta/status.ts';
import { PROXY_CONCURRENCY } from '../../api/meta/well-known.ts';
import { heardBy, isReady, TEST_NODE, type TestNode, testNode } from '../../test/support/agent-node.ts';
import { eventually } from '../testing/eventually.ts';
import { serverContainer } from '../testing/pod-specs.ts';

const OPTIONS = { timeout: 180_000 };
const POD = { containers: [serverContainer()] };

function restart({ admin }: TestNode, name: string, namespace = 'default'): Promise<unknown> {
  return admin.request('POST', `/apis/tutti.dev/v1alpha1/namespaces/${namespace}/proxies/${name}/restart`, {
    body: {},
  });
}

const refused = (code: number, words: RegExp) => (error: unknown) => {
  assert.ok(hasCode(error, code), String(error));
  assert.match((error as Error).message, words);
  return true;
};

test('a proxy is restarted by hand: a new process takes over from the one that runs', OPTIONS, async (t) => {
  const node = await testNode(t, { ingress: {} });
  const ingress = join(node.agentFolder, 'ingress');
  await mkdir(ingress, { recursive: true });
  await writeFile(join(ingress, 'can-hand-over'), '');
  await node.start();
  await eventually('the ingress runs', async () => existsSync(join(ingress, 'state', 'restart.sock')));
  const done = (await restart(node, TEST_NODE, 'tutti-system')) as Status;
  assert.match(
    done.message ?? '',
    /^proxy "test-node": a new process on node "test-node" has taken over after \d+ ms$/,
  );
  assert.equal((await heardBy(ingress)).join(' '), 'started succeeded started');

  // A pod's sidecar, which cannot yet, and then can.
  await node.run('web', POD, { annotations: { [PROXY_CONCURRENCY]: '2' } });
  const pod = await node.until('web', 'is ready', isReady);
  const sidecar = join(node.podFolder(pod), 'sidecar');
  assert.match(readFileSync(join(sidecar, 'bootstrap.json'), 'utf8'), /"workers": 2/);
  await assert.rejects(restart(node, 'web'), refused(409, /cannot hand its sockets over/));
  await writeFile(join(sidecar, 'can-hand-over'), '');
  await eventually('the sidecar can', async () => existsSync(join(sidecar, 'state', 'restart.sock')));
  // What the pod says now counts, at once: the new process has another number of workers, or none that is said.
  for (const [said, written] of [
    ['3', /"workers": 3/],
    [null, /^(?!.*"workers")/s],
  ] as const) {
    const annotations = { [PROXY_CONCURRENCY]: said };
    await node.admin.patch(
      podKind,
      { namespace: 'default', name: 'web' },
      { metadata: { annotations } },
      { type: 'merge' },
    );
    await restart(node, 'web');
    assert.match(readFileSync(join(sidecar, 'bootstrap.json'), 'utf8'), written);
  }
  await rm(join(ingress, 'state'), { recursive: true });
  await assert.rejects(restart(node, TEST_NODE, 'tutti-system'), refused(409, /cannot hand its sockets over/));

  await assert.rejects(restart(node, 'nobody'), refused(404, /"nobody" not found/));
  await node.run('plain', POD, { annotations: { 'tutti.dev/inject': 'false' } });
  await assert.rejects(restart(node, 'plain'), refused(400, /has no sidecar/));
  await assert.rejects(restart(node, 'elsewhere', 'tutti-system'), refused(404, /"elsewhere" not found/));
});

test('while the agent is away a proxy cannot be restarted, and who asks hears why', OPTIONS, async (t) => {
  const node = await testNode(t);
  const agent = await node.start();
  await node.run('web', POD);
  await node.until('web', 'is ready', isReady);
  await agent.stop({ pods: 'keep' });
  await assert.rejects(restart(node, 'web'), refused(503, /agent of node "test-node"/));
});
