import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Deployment, deploymentKind } from '../../api/kinds/deployment.ts';
import { endpointSliceKind } from '../../api/kinds/endpoint-slice.ts';
import { eventKind } from '../../api/kinds/event.ts';
import type { Kind } from '../../api/kinds/kind.ts';
import { namespaceKind } from '../../api/kinds/namespace.ts';
import { nodeKind } from '../../api/kinds/node.ts';
import { type Pod, podKind } from '../../api/kinds/pod.ts';
import { replicaSetKind } from '../../api/kinds/replica-set.ts';
import { serviceKind } from '../../api/kinds/service.ts';
import { serviceAccountKind } from '../../api/kinds/service-account.ts';
import { hasCode } from '../../api/meta/api-error.ts';
import { isActive, isReady } from './pod-state.ts';
import { MemoryCluster, type MemoryClusterOptions } from './testing/memory-cluster.ts';
import { deployment, service } from './testing/objects.ts';

const WEB = { namespace: 'default', name: 'web' };

/** What a person applies: no identity, no status of its own. */
function applied<T extends { apiVersion: string; kind: string; metadata: { name: string } }>(object: T) {
  const { apiVersion: _a, kind: _k, metadata, ...rest } = object;
  return { ...rest, metadata: { name: metadata.name, namespace: 'default' } };
}

async function running(
  work: (cluster: MemoryCluster) => Promise<void>,
  options: MemoryClusterOptions = {},
): Promise<void> {
  const cluster = await MemoryCluster.start(options);
  try {
    await work(cluster);
  } finally {
    await cluster.close();
  }
  assert.equal(cluster.clock.pendingTimers, 0, 'nothing is left behind');
}

const podsOf = async (cluster: MemoryCluster): Promise<readonly Pod[]> =>
  (await cluster.client.list(podKind, { namespace: 'default' })).items;

/** As `kubectl rollout status` decides. */
async function isRolledOut(cluster: MemoryCluster): Promise<Deployment | undefined> {
  const web = await cluster.client.get(deploymentKind, WEB);
  const { observedGeneration, replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = web.status;
  const isSeen = (observedGeneration ?? 0) >= (web.metadata.generation ?? 0);
  const isDone = updatedReplicas >= web.spec.replicas && replicas <= updatedReplicas;
  return isSeen && isDone && availableReplicas >= updatedReplicas ? web : undefined;
}

const image = (version: string) => ({
  spec: { template: { spec: { containers: [{ name: 'app', image: version }] } } },
});

test('a Deployment comes up, rolls, is undone and scaled, and its Service follows, on a clock that nobody waits for', async () => {
  await running(async (cluster) => {
    const { client } = cluster;
    for (const name of ['node-1', 'node-2', 'node-3']) await cluster.addNode(name);
    await client.create(serviceKind, applied(service('web', { spec: { clusterIP: undefined } })));
    await client.create(deploymentKind, applied(deployment('web')));
    await cluster.until('the first rollout', () => isRolledOut(cluster));
    const nodes = (await podsOf(cluster)).map(({ spec }) => spec.nodeName ?? '').sort();
    assert.deepEqual(nodes, ['node-1', 'node-2', 'node-3']);

    await client.patch(deploymentKind, WEB, image('shop/web:v2'), { type: 'strategic' });
    let fewest = Number.POSITIVE_INFINITY;
    await cluster.until('the second rollout', async () => {
      const ready = (await podsOf(cluster)).filter((pod) => isActive(pod) && isReady(pod));
      fewest = Math.min(fewest, ready.length);
      return await isRolledOut(cluster);
    });
    // 25 % of 3 is no pod at all, rounded down.
    assert.equal(fewest, 3);
    const second = await client.get(deploymentKind, WEB);
    assert.equal(second.metadata.annotations?.['deployment.kubernetes.io/revision'], '2');
    assert.equal((await client.list(replicaSetKind)).items.length, 2);

    await client.patch(deploymentKind, WEB, image('shop/web:v1'), { type: 'strategic' });
    await cluster.until('the undo', () => isRolledOut(cluster));
    assert.equal((await client.list(replicaSetKind)).items.length, 2);
    const undone = await client.get(deploymentKind, WEB);
    assert.equal(undone.metadata.annotations?.['deployment.kubernetes.io/revision'], '3');

    await client.patch(deploymentKind, WEB, { spec: { replicas: 6 } }, { type: 'merge' });
    await cluster.until('six replicas', async () => (await isRolledOut(cluster))?.spec.replicas === 6);
    const slices = await cluster.until('six endpoints', async () => {
      const { items } = await client.list(endpointSliceKind, { labelSelector: 'kubernetes.io/service-name=web' });
      return (
        items.flatMap(({ endpoints }) => endpoints).filter(({ conditions }) => conditions.ready).length === 6 && items
      );
    });
    assert.equal(slices.length, 1);

    const events = (await client.list(eventKind)).items.map(({ reason }) => reason);
    for (const reason of ['ScalingReplicaSet', 'SuccessfulCreate', 'SuccessfulDelete', 'Scheduled']) {
      assert.ok(events.includes(reason), reason);
    }
  });
});

test('a pod that nobody has room for says why, and is placed as soon as there is room', async () => {
  await running(async (cluster) => {
    const { client } = cluster;
    await cluster.addNode('small', { cpu: '1', memory: '8Gi' });
    const containers = [{ name: 'app', image: 'shop/web:v1', resources: { requests: { cpu: '2' } } }];
    const web = deployment('web', {
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: { containers } },
      },
    });
    await client.create(deploymentKind, applied(web));
    const waiting = await cluster.until('the reason', async () =>
      (await podsOf(cluster)).find(({ status }) => status.conditions?.some(({ type }) => type === 'PodScheduled')),
    );
    assert.equal(waiting.status.conditions?.[0]?.message, '0/1 nodes are available: 1 Insufficient cpu.');
    await cluster.until('the event', async () =>
      (await client.list(eventKind)).items.some(
        ({ reason, message }) =>
          reason === 'FailedScheduling' && message === '0/1 nodes are available: 1 Insufficient cpu.',
      ),
    );
    await cluster.addNode('large', { cpu: '8', memory: '8Gi' });
    await cluster.until('the placement', async () =>
      (await podsOf(cluster)).some(({ spec }) => spec.nodeName === 'large'),
    );
  });
});

test('the pods of a node that falls silent are replaced within 10 s and forgotten after; it is welcome when it returns', async () => {
  await running(async (cluster) => {
    const { client, clock } = cluster;
    const agents = await Promise.all(['node-1', 'node-2', 'node-3'].map((name) => cluster.addNode(name)));
    await client.create(deploymentKind, applied(deployment('web')));
    await cluster.until('the first rollout', () => isRolledOut(cluster));
    const [lost] = agents;
    assert.ok(lost !== undefined);
    const silentSince = clock.now();
    lost.isSilent = true;
    await cluster.until('replacements', async () => {
      const pods = await podsOf(cluster);
      return pods.filter((pod) => isActive(pod) && isReady(pod) && pod.spec.nodeName !== 'node-1').length === 3;
    });
    const tookMs = clock.now() - silentSince;
    assert.ok(tookMs <= 10_000, `${tookMs} ms`);
    const node = await client.get(nodeKind, { name: 'node-1' });
    assert.equal(node.status.conditions?.find(({ type }) => type === 'Ready')?.status, 'Unknown');
    await cluster.until('nothing hangs', async () => (await podsOf(cluster)).length === 3);
    lost.isSilent = false;
    await cluster.until('the return', async () => {
      const { status } = await client.get(nodeKind, { name: 'node-1' });
      return status.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
    });
  });
});

for (const watchDelayMs of [1000, 7000]) {
  test(`a cache that is ${watchDelayMs} ms behind never leads to a pod too many or to two in the same room`, async () => {
    await running(
      async (cluster) => {
        const { client } = cluster;
        await cluster.addNode('node-1', { cpu: '2', memory: '8Gi' });
        await cluster.addNode('node-2', { cpu: '2', memory: '8Gi' });
        const containers = [{ name: 'app', image: 'shop/web:v1', resources: { requests: { cpu: '900m' } } }];
        const web = deployment('web');
        const template = { ...web.spec.template, spec: { containers } };
        await client.create(deploymentKind, applied(deployment('web', { spec: { ...web.spec, template } })));
        let most = 0;
        const watched = async () => {
          const pods = await podsOf(cluster);
          most = Math.max(most, pods.filter(isActive).length);
          for (const node of ['node-1', 'node-2']) {
            assert.ok(pods.filter(({ spec }) => spec.nodeName === node).length <= 2);
          }
          return (await isRolledOut(cluster)) !== undefined;
        };
        await cluster.until('the first rollout', watched, 300_000);
        assert.equal(most, 3);
        await client.patch(deploymentKind, WEB, { spec: { replicas: 1 } }, { type: 'merge' });
        await cluster.until('the scaling', watched, 300_000);
        await cluster.pass(60_000);
        assert.equal((await podsOf(cluster)).length, 1);
      },
      { watchDelayMs },
    );
  });
}

test('when most nodes fall silent at once, no pod is moved', async () => {
  await running(async (cluster) => {
    const agents = await Promise.all(['node-1', 'node-2', 'node-3'].map((name) => cluster.addNode(name)));
    await cluster.client.create(deploymentKind, applied(deployment('web')));
    await cluster.until('the first rollout', () => isRolledOut(cluster));
    const before = (await podsOf(cluster)).map(({ metadata }) => metadata.uid).sort();
    for (const agent of agents) agent.isSilent = true;
    await cluster.pass(60_000);
    const after = await podsOf(cluster);
    assert.deepEqual(after.map(({ metadata }) => metadata.uid).sort(), before);
    assert.ok(after.every(isReady));
  });
});

test('a cluster at rest writes nothing, and a restart of the control plane restarts nothing', async () => {
  await running(async (cluster) => {
    for (const name of ['node-1', 'node-2']) await cluster.addNode(name);
    await cluster.client.create(serviceKind, applied(service('web', { spec: { clusterIP: undefined } })));
    await cluster.client.create(deploymentKind, applied(deployment('web')));
    await cluster.until('the first rollout', () => isRolledOut(cluster));
    await cluster.pass(2000);
    const before = await versions(cluster);
    await cluster.restart();
    await cluster.pass(20_000);
    assert.deepEqual(await versions(cluster), before);
  });
});

/** Of everything that the controllers write. */
async function versions({ client }: MemoryCluster): Promise<readonly string[]> {
  const lists = [deploymentKind, replicaSetKind, podKind, endpointSliceKind, namespaceKind, nodeKind].map(
    async (kind) => (await client.list(kind as unknown as Kind)).items,
  );
  return (await Promise.all(lists))
    .flat()
    .map(({ kind, metadata }) => `${kind} ${metadata.name} ${metadata.resourceVersion}`);
}

for (const policy of ['Background', 'Foreground', 'Orphan'] as const) {
  test(`deleting a Deployment in the ${policy.toLowerCase()} leaves ${policy === 'Orphan' ? 'its ReplicaSet and pods' : 'nothing'}`, async () => {
    await running(async (cluster) => {
      const { client } = cluster;
      await cluster.addNode('node-1');
      await client.create(deploymentKind, applied(deployment('web')));
      await cluster.until('the first rollout', () => isRolledOut(cluster));
      await client.delete(deploymentKind, WEB, { propagationPolicy: policy });
      let leftWhenGone = -1;
      await cluster.until('the Deployment to go', async () => {
        const { items } = await client.list(deploymentKind);
        if (items.length > 0) return false;
        leftWhenGone = (await podsOf(cluster)).length;
        return true;
      });
      await cluster.pass(5000);
      const left = await podsOf(cluster);
      const sets = (await client.list(replicaSetKind)).items;
      assert.equal(left.length, policy === 'Orphan' ? 3 : 0);
      assert.equal(sets.length, policy === 'Orphan' ? 1 : 0);
      if (policy === 'Foreground') assert.equal(leftWhenGone, 0);
      if (policy === 'Orphan') assert.ok(sets.every(({ metadata }) => metadata.ownerReferences === undefined));
    });
  });
}

test('a namespace has its default account while it lives, and takes its content with it', async () => {
  await running(async (cluster) => {
    const { client } = cluster;
    await cluster.addNode('node-1');
    await client.create(namespaceKind, { metadata: { name: 'shop' }, spec: {}, status: { phase: 'Active' } });
    const account = { namespace: 'shop', name: 'default' };
    await cluster.until(
      'its account',
      async () => await client.get(serviceAccountKind, account).catch(() => undefined),
    );
    const web = applied(deployment('web'));
    await client.create(deploymentKind, { ...web, metadata: { name: 'web', namespace: 'shop' } });
    await cluster.until('its pods', async () => (await client.list(podKind, { namespace: 'shop' })).items.length === 3);
    await client.delete(namespaceKind, { name: 'shop' });
    await cluster.until('its end', async () => {
      try {
        await client.get(namespaceKind, { name: 'shop' });
        return false;
      } catch (error) {
        return hasCode(error, 404);
      }
    });
    assert.deepEqual((await client.list(podKind, { namespace: 'shop' })).items, []);
    assert.deepEqual((await client.list(serviceAccountKind, { namespace: 'shop' })).items, []);
  });
});
