import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { configMapKind } from '../api/kinds/config-map.ts';
import { eventKind } from '../api/kinds/event.ts';
import { leaseKind } from '../api/kinds/lease.ts';
import { nodeKind } from '../api/kinds/node.ts';
import { type Pod, podKind } from '../api/kinds/pod.ts';
import type { ContainerStatus } from '../api/kinds/pod-status.ts';
import { findCondition } from '../api/meta/condition.ts';
import { APP_PORTS, INJECT, MESH_ADDRESS } from '../api/meta/well-known.ts';
import { identifyProcess } from '../kit/process.ts';
import { heardBy, isReady, TEST_NODE, type TestNode, testNode } from '../test/support/agent-node.ts';
import { eventually } from './testing/eventually.ts';
import { serverContainer, shellContainer } from './testing/pod-specs.ts';

const OPTIONS = { timeout: 180_000 };

function containerOf({ status }: Pod, name = 'app'): ContainerStatus {
  const found = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])].find(
    (each) => each.name === name,
  );
  assert.ok(found);
  return found;
}

async function logOf(node: TestNode, pod: string, query = ''): Promise<string> {
  const path = `/api/v1/namespaces/default/pods/${pod}/log?container=app${query}`;
  let text = '';
  for await (const piece of node.admin.stream(path, { signal: AbortSignal.timeout(60_000) })) text += piece.toString();
  return text;
}

async function appPid(node: TestNode, pod: string): Promise<number> {
  const [, pid] = await eventually(
    'the app says its pid',
    async () => /^up (\d+)$/m.exec(await logOf(node, pod)) ?? undefined,
  );
  return Number(pid);
}

/** Why the pod's first container waits, with the message: every reason that it has from now on, however short. */
function waitingStates(t: TestContext, node: TestNode, { metadata }: Pod): ReadonlyMap<string, string> {
  const told = new Map<string, string>();
  const abort = new AbortController();
  const options = { namespace: 'default', resourceVersion: metadata.resourceVersion, signal: abort.signal };
  const follow = async (): Promise<void> => {
    for await (const event of node.admin.watch(podKind, options)) {
      if (event.type === 'BOOKMARK' || event.object.metadata.uid !== metadata.uid) continue;
      const { reason, message = '' } = event.object.status.containerStatuses?.[0]?.state.waiting ?? {};
      if (reason !== undefined) told.set(reason, message);
    }
  };
  // Until the server goes, with the node.
  follow().catch(() => undefined);
  t.after(() => abort.abort());
  return told;
}

async function eventsOf(node: TestNode, pod: string): Promise<readonly string[]> {
  const { items } = await node.admin.list(eventKind, {
    namespace: 'default',
    fieldSelector: `involvedObject.name=${pod}`,
  });
  return items.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
}

test('the node is registered with what it has, and its lease is renewed', OPTIONS, async (t) => {
  const node = await testNode(t);
  const agent = await node.start();
  const found = await eventually('the node is ready', async () => {
    const present = await node.admin.get(nodeKind, { name: TEST_NODE });
    return findCondition(present.status.conditions, 'Ready')?.status === 'True' ? present : undefined;
  });
  assert.equal(found.metadata.labels?.['kubernetes.io/hostname'], TEST_NODE);
  assert.equal(found.status.daemonEndpoints?.kubeletEndpoint?.Port, agent.port);
  assert.deepEqual(found.status.addresses?.[0], { type: 'InternalIP', address: '127.0.0.1' });
  assert.ok(Number(found.status.allocatable?.['cpu']) >= 1);
  const lease = { namespace: 'kube-node-lease', name: TEST_NODE };
  const first = await eventually('the lease', () => node.admin.get(leaseKind, lease).catch(() => undefined));
  await eventually(
    'the lease is renewed',
    async () => (await node.admin.get(leaseKind, lease)).spec.renewTime !== first.spec.renewTime,
  );
});

test('a pod gets address, ports and sidecar, becomes Ready, and goes without leaving a process', OPTIONS, async (t) => {
  const node = await testNode(t);
  await node.start();
  await node.run('web', { containers: [serverContainer()] });
  const pod = await node.until('web', 'is ready', isReady);
  const port = (JSON.parse(pod.metadata.annotations?.[APP_PORTS] ?? '{}') as Record<string, number>)['8080'];
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), String(await appPid(node, 'web')));
  assert.match(pod.metadata.annotations?.[MESH_ADDRESS] ?? '', /^127\.0\.0\.1:\d+$/);
  assert.match(pod.status.podIP ?? '', /^127\.\d+\.\d+\.\d+$/);
  assert.deepEqual(
    [pod.status.phase, containerOf(pod).ready, containerOf(pod).started, containerOf(pod).restartCount],
    ['Running', true, true, 0],
  );
  assert.deepEqual(
    pod.status.conditions?.filter(({ reason, message }) => reason !== undefined || message !== undefined),
    [],
  );
  assert.ok(node.processes().length >= 4);
  await node.remove('web');
  await node.untilGone('web');
  assert.deepEqual(node.processes(), []);
  await eventually('its folder is gone', () => !existsSync(node.podFolder(pod)));
});

test('a pod that goes is unrouted first, then drained, then told to end, its sidecar last', OPTIONS, async (t) => {
  const node = await testNode(t);
  await node.start();
  await node.run('web', { containers: [serverContainer()] });
  const pod = await node.until('web', 'is ready', isReady);
  const sidecar = join(node.podFolder(pod), 'sidecar');
  const ref = { namespace: 'default', name: 'web' };
  await node.admin.delete(podKind, ref);
  const pid = await appPid(node, 'web');
  // While proxies may still send it requests nothing is drained or stopped: it answers.
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.deepEqual([await heardBy(sidecar), identifyProcess(pid) !== undefined], [['started'], true]);
  const order: string[] = [];
  const watching = eventually('the sidecar has ended', async () => {
    // The app first: what is drained before it ends is written down by the time that it has.
    const hasEnded = identifyProcess(pid) === undefined;
    const heard = await heardBy(sidecar);
    if (heard.includes('drained') && !order.includes('drained')) order.push('drained');
    if (hasEnded && !order.includes('app ended')) order.push('app ended');
    return heard.includes('stopped') || order.includes('app ended');
  });
  const unrouted = { type: 'tutti.dev/Unrouted', status: 'True', lastTransitionTime: new Date().toISOString() };
  await node.admin.patch(
    podKind,
    ref,
    { status: { conditions: [unrouted] } },
    { type: 'strategic', subresource: 'status' },
  );
  await watching;
  assert.equal(order[0], 'drained');
  await node.untilGone('web');
  assert.deepEqual(node.processes(), []);
});

test(
  'a killed app makes the pod not Ready at once, and Ready again with a new process in the same place',
  OPTIONS,
  async (t) => {
    const node = await testNode(t);
    await node.start();
    const gate = join(node.stateFolder, 'broken');
    await node.run('web', { containers: [serverContainer({ env: [{ name: 'BROKEN_FILE', value: gate }] })] });
    const before = await node.until('web', 'is ready', isReady);
    // The next run does not become ready: so that what is between is seen however fast the restart.
    await writeFile(gate, '');
    const pid = await appPid(node, 'web');
    process.kill(pid, 'SIGKILL');
    const between = await node.until(
      'web',
      'is not ready and runs again',
      (pod) => !isReady(pod) && containerOf(pod).restartCount === 1,
    );
    assert.equal(findCondition(between.status.conditions, 'Ready')?.reason, 'ContainersNotReady');
    const { terminated } = containerOf(between).lastState;
    assert.deepEqual([terminated?.exitCode, terminated?.signal, terminated?.reason], [137, 9, 'Error']);
    await rm(gate);
    const after = await node.until('web', 'is ready again', isReady);
    assert.deepEqual(
      [after.status.podIP, after.metadata.annotations],
      [before.status.podIP, before.metadata.annotations],
    );
    assert.notEqual(await appPid(node, 'web'), pid);
    assert.match(await logOf(node, 'web', '&previous=true'), new RegExp(`^up ${pid}$`, 'm'));
  },
);

test(
  'pods of a killed agent go on and are adopted with the same processes; one deleted meanwhile is stopped',
  OPTIONS,
  async (t) => {
    const node = await testNode(t);
    const kill = await node.startProcess();
    for (const name of ['kept', 'deleted']) await node.run(name, { containers: [serverContainer()] });
    await node.until('kept', 'is ready', isReady);
    const deleted = await node.until('deleted', 'is ready', isReady);
    const pid = await appPid(node, 'kept');
    const before = node.processes().toSorted((a, b) => a - b);
    await kill();
    assert.deepEqual(
      node.processes().toSorted((a, b) => a - b),
      before,
    );
    await node.admin.delete(podKind, { namespace: 'default', name: 'deleted' }, { gracePeriodSeconds: 0 });
    const agent = await node.start();
    assert.equal(agent.adopted, 2);
    await eventually('the deleted pod is gone', () => !existsSync(node.podFolder(deleted)));
    const kept = await node.get('kept');
    assert.deepEqual([isReady(kept), containerOf(kept).restartCount], [true, 0]);
    assert.equal(await appPid(node, 'kept'), pid);
    assert.ok(identifyProcess(pid) !== undefined);
    // Adopted is as good as started here: its exit is seen, explained, and it starts again.
    process.kill(pid, 'SIGKILL');
    const again = await node.until('kept', 'runs again', (pod) => containerOf(pod).restartCount === 1 && isReady(pod));
    assert.equal(containerOf(again).lastState.terminated?.exitCode, 137);
    await node.admin.delete(podKind, { namespace: 'default', name: 'kept' }, { gracePeriodSeconds: 0 });
    await eventually('nothing is left', () => node.processes().length === 0);
  },
);

test('pods go on while the API server is away, and are adopted without it', OPTIONS, async (t) => {
  const node = await testNode(t);
  const first = await node.start();
  await node.run('web', { containers: [serverContainer()] });
  await node.until('web', 'is ready', isReady);
  const pid = await appPid(node, 'web');
  await first.stop({ pods: 'keep' });
  const { server } = node.options.apiServer;
  await node.api.close();
  const second = await node.start();
  assert.deepEqual([second.adopted, server.startsWith('https://')], [1, true]);
  process.kill(pid, 'SIGKILL');
  await eventually('it runs again', () => node.processes().length >= 4 && identifyProcess(pid) === undefined);
});

test(
  'stopping everything leaves no process, and the next start begins anew from what is stored',
  OPTIONS,
  async (t) => {
    const node = await testNode(t);
    const first = await node.start();
    await node.run('web', { containers: [serverContainer()] });
    const before = await node.until('web', 'is ready', isReady);
    await first.stop({ pods: 'stop' });
    assert.deepEqual(node.processes(), []);
    assert.equal(isReady(await node.get('web')), false);
    const second = await node.start();
    assert.equal(second.adopted, 0);
    const after = await node.until('web', 'is ready again', isReady);
    assert.deepEqual([after.status.podIP, containerOf(after).restartCount], [before.status.podIP, 1]);
  },
);

test('adopted proxies are started anew when their settings have changed, and apps go on', OPTIONS, async (t) => {
  const node = await testNode(t, { ingress: {} });
  const first = await node.start();
  await node.run('web', { containers: [serverContainer()] });
  const pod = await node.until('web', 'is ready', isReady);
  const pid = await appPid(node, 'web');
  await first.stop({ pods: 'keep' });
  await node.start({ xdsAddress: '127.0.0.1:2' });
  for (const folder of [join(node.podFolder(pod), 'sidecar'), join(node.agentFolder, 'ingress')]) {
    await eventually('the proxy has been started anew', async () => {
      const heard = await heardBy(folder);
      return heard.join(' ') === 'started stopped started';
    });
    assert.match(readFileSync(join(folder, 'bootstrap.json'), 'utf8'), /"xdsAddress": "127\.0\.0\.1:2"/);
  }
  await node.until('web', 'is ready again', isReady);
  assert.equal(await appPid(node, 'web'), pid);
});

test(
  'a proxy of an earlier version hands over to a new one, ends with its last connection, and is not lost meanwhile',
  OPTIONS,
  async (t) => {
    const node = await testNode(t, { ingress: {} });
    await mkdir(join(node.agentFolder, 'ingress'), { recursive: true });
    await writeFile(join(node.agentFolder, 'ingress', 'can-hand-over'), '');
    const first = await node.start();
    const folder = join(node.agentFolder, 'ingress');
    await eventually('it runs', async () => existsSync(join(folder, 'state', 'restart.sock')));
    await first.stop({ pods: 'keep' });
    const second = await node.start({ version: 'v0.0.1-test' });
    const order = async (): Promise<string> => (await heardBy(folder)).join(' ');
    await eventually('the new one has taken over', async () => (await order()) === 'started succeeded started');
    await eventually('the new one is ready', () => second.ingress === 'ready');
    // The one before still has connections: the next agent knows it, and starts nothing.
    await second.stop({ pods: 'keep' });
    await node.start({ version: 'v0.0.1-test' });
    assert.equal(await order(), 'started succeeded started');
    const runs = node.processes().length;
    await writeFile(join(folder, 'leave'), '');
    await eventually('the first has ended', async () => node.processes().length < runs);
    assert.ok(node.processes().length > 0);
  },
);

test('processes of which nothing is written down any more are killed at the start', OPTIONS, async (t) => {
  const node = await testNode(t);
  const first = await node.start();
  await node.run('web', { containers: [serverContainer()] });
  const pod = await node.until('web', 'is ready', isReady);
  await first.stop({ pods: 'keep' });
  await node.admin.delete(podKind, { namespace: 'default', name: 'web' }, { gracePeriodSeconds: 0 });
  await rm(node.podFolder(pod), { recursive: true });
  assert.ok(node.processes().length >= 4);
  await node.start();
  assert.deepEqual(node.processes(), []);
});

test(
  'a sidecar that is killed is started again; until then the pod is not Ready, its app goes on',
  OPTIONS,
  async (t) => {
    const node = await testNode(t);
    await node.start();
    await node.run('web', { containers: [serverContainer()] });
    const pod = await node.until('web', 'is ready', isReady);
    const pid = await appPid(node, 'web');
    const sidecar = join(node.podFolder(pod), 'sidecar');
    await writeFile(join(sidecar, 'hold'), '');
    const supervisor = JSON.parse(readFileSync(join(sidecar, 'runs', '1', 'process.json'), 'utf8')) as { pid: number };
    process.kill(-supervisor.pid, 'SIGKILL');
    const without = await node.until('web', 'is not ready', (present) => !isReady(present));
    assert.equal(findCondition(without.status.conditions, 'Ready')?.reason, 'SidecarNotReady');
    await rm(join(sidecar, 'hold'));
    await node.until('web', 'is ready again', isReady);
    assert.equal(await appPid(node, 'web'), pid);
  },
);

test('a container that ends again and again waits longer and longer, and says so', OPTIONS, async (t) => {
  const node = await testNode(t);
  await node.start();
  await node.run('crash', {
    containers: [shellContainer('echo it broke >&2; exit 3', { terminationMessagePolicy: 'FallbackToLogsOnError' })],
  });
  const pod = await node.until(
    'crash',
    'backs off',
    (present) =>
      containerOf(present).state.waiting?.reason === 'CrashLoopBackOff' &&
      containerOf(present).lastState.terminated?.message !== undefined,
  );
  const { restartCount, state, lastState } = containerOf(pod);
  assert.ok(restartCount >= 1);
  // None after the first end, then 1 s, then twice as long each time; a slow test may have missed the first wait.
  const waits = `back-off ${2 ** (restartCount - 1)}s restarting failed container=app pod=crash_default(`;
  assert.equal(state.waiting?.message?.slice(0, waits.length), waits);
  assert.deepEqual(
    [lastState.terminated?.exitCode, lastState.terminated?.reason, lastState.terminated?.message],
    [3, 'Error', 'it broke\n'],
  );
  assert.equal(pod.status.phase, 'Running');
  await node.until('crash', 'has started again', (present) => containerOf(present).restartCount > restartCount);
  const event = `Warning BackOff: Back-off restarting failed container app in pod crash_default(${pod.metadata.uid})`;
  await eventually('an event says it', async () => (await eventsOf(node, 'crash')).includes(event));
});

test(
  'an image that is not there is told with the places that were looked at, and taken when it comes',
  OPTIONS,
  async (t) => {
    const node = await testNode(t);
    await node.start();
    const made = await node.run('web', { containers: [{ name: 'app', image: 'shop/web:v1' }] });
    const waiting = waitingStates(t, node, made);
    // Not for long: the second time it is a back-off.
    const message = await eventually('fails to pull', () => waiting.get('ErrImagePull'));
    assert.match(message, new RegExp(`looked at ${node.images}/shop/web/v1, ${node.images}/shop/web`));
    await eventually('backs off', () => waiting.has('ImagePullBackOff'));
    await mkdir(join(node.images, 'shop/web'), { recursive: true });
    await writeFile(join(node.images, 'shop/web/Dockerfile'), 'FROM node\nCMD ["sleep", "600"]\n');
    const pod = await node.until('web', 'runs', isReady);
    assert.equal(containerOf(pod).imageID, join(node.images, 'shop/web'));
    await eventually('an event', async () =>
      (await eventsOf(node, 'web')).some((event) => event.startsWith('Warning Failed: Error: image "shop/web:v1"')),
    );
  },
);

test('a ConfigMap that is missing holds the container back; its values and files follow it', OPTIONS, async (t) => {
  const node = await testNode(t);
  await node.start();
  await node.run('web', {
    containers: [
      shellContainer('echo "mode $MODE"; while :; do cat /etc/web/greeting; sleep 0.1; done', {
        env: [{ name: 'MODE', valueFrom: { configMapKeyRef: { name: 'web', key: 'mode' } } }],
        volumeMounts: [{ name: 'config', mountPath: '/etc/web' }],
      }),
    ],
    volumes: [{ name: 'config', configMap: { name: 'web', optional: true } }],
  });
  const held = await node.until(
    'web',
    'is held back',
    (pod) => containerOf(pod).state.waiting?.reason === 'CreateContainerConfigError',
  );
  assert.equal(containerOf(held).state.waiting?.message, 'configmap "web" not found');
  const ref = { namespace: 'default', name: 'web' };
  await node.admin.create(configMapKind, { metadata: ref, data: { mode: 'fast', greeting: 'hello\n' } });
  await node.until('web', 'runs', isReady);
  await eventually('its values', async () => /^mode fast\n(.|\n)*hello$/m.test(await logOf(node, 'web')));
  await node.admin.patch(configMapKind, ref, { data: { greeting: 'goodbye\n' } }, { type: 'merge' });
  await eventually('its new file', async () => /goodbye/.test(await logOf(node, 'web')));
  await eventually('a notice', async () =>
    (await eventsOf(node, 'web')).some((event) => /^Warning ProcessDriver: .*\/etc\/web is at /.test(event)),
  );
});

test(
  'init containers run in order before the others; a pod that completes is Succeeded and its sidecar goes',
  OPTIONS,
  async (t) => {
    const node = await testNode(t);
    await node.start();
    const marks = join(node.stateFolder, 'marks');
    await node.run('job', {
      restartPolicy: 'OnFailure',
      initContainers: [
        shellContainer(`echo first >>${marks}`, { name: 'first' }),
        // Fails once: it is tried again, by the pod's policy.
        shellContainer(`echo second >>${marks}; [ "$(grep -c second ${marks})" = 2 ]`, { name: 'second' }),
      ],
      containers: [shellContainer(`echo app >>${marks}`)],
    });
    const pod = await node.until('job', 'has succeeded', ({ status }) => status.phase === 'Succeeded');
    assert.deepEqual(readFileSync(marks, 'utf8').trim().split('\n'), ['first', 'second', 'second', 'app']);
    assert.deepEqual(
      [containerOf(pod, 'second').restartCount, containerOf(pod).state.terminated?.reason],
      [1, 'Completed'],
    );
    assert.equal(findCondition(pod.status.conditions, 'Ready')?.reason, 'PodCompleted');
    await eventually('its sidecar is gone', () => node.processes().length === 0);
    await node.remove('job');
    await node.untilGone('job');
  },
);

test('a pod that never restarts and fails is Failed, with the code', OPTIONS, async (t) => {
  const node = await testNode(t);
  await node.start();
  await node.run('once', {
    restartPolicy: 'Never',
    containers: [shellContainer('echo no > /dev/termination-log; exit 4')],
  });
  const pod = await node.until('once', 'has failed', ({ status }) => status.phase === 'Failed');
  const { terminated } = containerOf(pod).state;
  assert.deepEqual([terminated?.exitCode, terminated?.message, containerOf(pod).restartCount], [4, 'no\n', 0]);
});

test('a container that fails its liveness probe is stopped and started again', OPTIONS, async (t) => {
  const node = await testNode(t);
  await node.start();
  const broken = join(node.stateFolder, 'broken');
  // With time for an answer: what ends it is the 500, and not a machine that is held up.
  const livenessProbe = { httpGet: { port: 'http' }, periodSeconds: 1, failureThreshold: 2, timeoutSeconds: 20 };
  // However long the app takes to start, it is not held dead before it has.
  const startupProbe = { tcpSocket: { port: 'http' }, periodSeconds: 1, failureThreshold: 60 };
  await node.run('web', {
    containers: [serverContainer({ livenessProbe, startupProbe, env: [{ name: 'BROKEN_FILE', value: broken }] })],
  });
  await node.until('web', 'is ready', isReady);
  await writeFile(broken, '');
  await node.until('web', 'has started again', (pod) => containerOf(pod).restartCount >= 1);
  await rm(broken);
  await node.until('web', 'is ready again', isReady);
  assert.match(await logOf(node, 'web', '&previous=true'), /told to end/);
  for (const event of [
    'Warning Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 500',
    'Normal Killing: Container app failed liveness probe, will be restarted',
  ]) {
    await eventually(event, async () => (await eventsOf(node, 'web')).includes(event));
  }
});

test('a pod that wants no sidecar has none, and keeps its own port', OPTIONS, async (t) => {
  const node = await testNode(t);
  await node.start();
  await node.run(
    'plain',
    {
      containers: [
        shellContainer('echo "port $PORT proxy [$HTTP_PROXY]"; sleep 600', { ports: [{ containerPort: 8080 }] }),
      ],
    },
    { annotations: { [INJECT]: 'false' } },
  );
  const pod = await node.until('plain', 'is ready', isReady);
  assert.equal(pod.metadata.annotations?.[MESH_ADDRESS], undefined);
  await eventually('its log', async () => (await logOf(node, 'plain')) === 'port 8080 proxy []\n');
});

test('figures of pods and of the node reach kubectl top', OPTIONS, async (t) => {
  const node = await testNode(t);
  await node.start();
  await node.run('busy', { containers: [shellContainer('while :; do :; done')] });
  await node.until('busy', 'is ready', isReady);
  interface Metrics {
    readonly items: readonly {
      readonly metadata: { readonly name: string };
      readonly containers: readonly {
        readonly name: string;
        readonly usage: { readonly cpu: string; readonly memory: string };
      }[];
    }[];
  }
  const found = await eventually('figures', async () => {
    const { items } = (await node.admin.request(
      'GET',
      '/apis/metrics.k8s.io/v1beta1/namespaces/default/pods',
    )) as Metrics;
    const [pod] = items;
    const isMeasured = pod?.containers.some(({ name, usage }) => name === 'app' && usage.cpu !== '0n') === true;
    return isMeasured && pod.containers.length > 1 ? pod : undefined;
  });
  assert.deepEqual(
    found.containers.map(({ name }) => name),
    ['app', 'tutti-proxy'],
  );
});

test('a pod deleted by force is stopped at once, without a word to the API server', OPTIONS, async (t) => {
  const node = await testNode(t);
  await node.start();
  await node.run('stubborn', {
    containers: [shellContainer('trap "" TERM; while :; do sleep 0.1; done')],
    terminationGracePeriodSeconds: 600,
  });
  await node.until('stubborn', 'is ready', isReady);
  await node.admin.delete(podKind, { namespace: 'default', name: 'stubborn' }, { gracePeriodSeconds: 0 });
  await eventually('nothing is left', () => node.processes().length === 0);
});

test('an ingress is kept running, adopted, and drained when everything stops', OPTIONS, async (t) => {
  const node = await testNode(t, { ingress: {} });
  const first = await node.start();
  await eventually('the ingress is ready', () => first.ingress === 'ready');
  const before = node.processes().toSorted((a, b) => a - b);
  await first.stop({ pods: 'keep' });
  const second = await node.start();
  await eventually('the adopted ingress is ready', () => second.ingress === 'ready');
  assert.deepEqual(
    node.processes().toSorted((a, b) => a - b),
    before,
  );
  await second.stop({ pods: 'stop' });
  assert.deepEqual(node.processes(), []);
  assert.deepEqual(await heardBy(join(node.agentFolder, 'ingress')), ['started', 'drained', 'stopped']);
});
