// Apps that do not do as they should: each ends where Kubernetes' users expect it, says why in the places where they
// look, and leaves nothing behind.
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Pod } from '../../api/kinds/pod.ts';
import { eventually } from '../support/eventually.ts';
import { startLoad } from '../support/load.ts';
import { deployment, isReady, type Mesh, pause, startMesh, untilPods } from '../support/mesh.ts';
import { processesNaming } from '../support/tutti-process.ts';

let mesh: Mesh;

before(async () => {
  mesh = await startMesh();
});

after(async () => {
  await mesh?.stop();
});

function stateOf(pods: readonly Pod[]) {
  return pods[0]?.status.containerStatuses?.[0];
}

async function only(app: string): Promise<Pod> {
  const [pod] = await mesh.pods(app);
  assert.ok(pod, `no pod of ${app}`);
  return pod;
}

test('an app that ends at once is left alone for longer and longer; get, describe, events and logs say so', async () => {
  await mesh.apply(
    deployment('crash', { env: { EXIT_AT_ONCE: '3' }, container: { ports: [], readinessProbe: undefined } }),
  );
  const pods = await untilPods(mesh, 'crash', 'back off after the third end', (present) => {
    const status = stateOf(present);
    return status?.state.waiting?.reason === 'CrashLoopBackOff' && status.restartCount >= 2;
  });
  const status = stateOf(pods);
  assert.match(status?.state.waiting?.message ?? '', /^back-off \d+s restarting failed container=app/);
  assert.equal(status?.lastState.terminated?.exitCode, 3);
  const { name } = (await only('crash')).metadata;
  // Between two waits the app runs for a moment, and the table says so.
  const backedOff = new RegExp(`${name} +0/1 +(CrashLoopBackOff|Error) +[2-9]`);
  await eventually('get pods shows the back-off', async () => backedOff.test(await mesh.command('get', 'pods')));
  const backOff = /BackOff .*Back-off restarting failed container app in pod/;
  await eventually('describe tells of it', async () => backOff.test(await mesh.command('describe', 'pod', name)));
  assert.match(await mesh.command('events'), /Warning +BackOff +Pod\/crash-/);
  assert.equal(await mesh.command('logs', name, '--previous'), 'cannot go on: it was told to end\n');
});

test('a missing image is told with the places that were looked at, a missing key with its name', async () => {
  await mesh.apply(
    deployment('no-image', { container: { image: 'nowhere/nothing:v9' } }),
    deployment('no-key', {
      container: { env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'absent', key: 'k' } } }] },
    }),
  );
  const image = await untilPods(mesh, 'no-image', 'back off', (pods) =>
    ['ErrImagePull', 'ImagePullBackOff'].includes(stateOf(pods)?.state.waiting?.reason ?? ''),
  );
  const message = stateOf(image)?.state.waiting?.message ?? '';
  assert.ok(message.includes(join(mesh.folder, 'images', 'nowhere', 'nothing')), message);
  const key = await untilPods(
    mesh,
    'no-key',
    'wait for the key',
    (pods) => stateOf(pods)?.state.waiting?.reason === 'CreateContainerConfigError',
  );
  assert.match(stateOf(key)?.state.waiting?.message ?? '', /configmap "absent" not found/);
  await mesh.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'absent' }, data: { k: 'v' } });
  await untilPods(mesh, 'no-key', 'ready with the key', (pods) => pods.every(isReady));
});

test('an app that ignores SIGTERM is killed when its grace is over, and a daemon that it left with it', async () => {
  await mesh.run('stubborn', {
    env: { IGNORE_TERM: '1', DAEMON: '1' },
    pod: { terminationGracePeriodSeconds: 3 },
  });
  const { metadata } = await only('stubborn');
  const commands = processesNaming(metadata.uid).map(({ command }) => command);
  assert.ok(commands.includes('sleep 1000'), commands.join('\n'));
  await mesh.command('delete', 'deployment', 'stubborn');
  const began = performance.now();
  await eventually('nothing of the pod runs', () => processesNaming(metadata.uid).length === 0 || undefined);
  // Its own 3 s, and not the 30 s that a pod has which says nothing.
  assert.ok(performance.now() - began < 20_000, `took ${Math.round(performance.now() - began)} ms`);
});

test('a liveness failure restarts the app and is told', async () => {
  const dead = join(mesh.folder, 'dead');
  await mesh.run('frail', {
    env: { DEAD_FILE: dead },
    container: {
      // However long it takes to start, it is not held dead before it has.
      startupProbe: {
        httpGet: { path: '/ready', port: 'http' },
        periodSeconds: 1,
        failureThreshold: 60,
        timeoutSeconds: 20,
      },
      livenessProbe: {
        httpGet: { path: '/alive', port: 'http' },
        periodSeconds: 1,
        failureThreshold: 2,
        // What ends it is its answer, not a machine that is held up.
        timeoutSeconds: 20,
      },
    },
  });
  await writeFile(dead, '');
  await untilPods(mesh, 'frail', 'restarted', (pods) => (stateOf(pods)?.restartCount ?? 0) > 0);
  await rm(dead);
  await untilPods(mesh, 'frail', 'ready again', (pods) => pods.every(isReady));
  const { name } = (await only('frail')).metadata;
  for (const words of [
    /Unhealthy .*Liveness probe failed: HTTP probe failed with statuscode: 500/,
    /Killing .*Container app failed liveness probe, will be restarted/,
  ]) {
    // Events are written behind the status.
    await eventually(`describe says ${words}`, async () => words.test(await mesh.command('describe', 'pod', name)));
  }
});

test('a new version that never is ready stays outside: the old one goes on, and the rollout fails in time', async () => {
  const unready = join(mesh.folder, 'unready');
  await writeFile(unready, '');
  await mesh.run('web', { replicas: 2 });
  const old = (await mesh.pods('web')).map(({ metadata }) => metadata.uid);
  const load = startLoad({ url: mesh.url, requestsPerSecond: 100, headers: { host: 'web.test' } });
  let result: Awaited<ReturnType<typeof load.stop>>;
  try {
    await mesh.apply(
      deployment('web', { replicas: 2, env: { UNREADY_FILE: unready }, spec: { progressDeadlineSeconds: 4 } }),
    );
    const { code, stderr } = await mesh.tutti('rollout', 'status', 'deployment/web', '--timeout', '120s');
    assert.equal(code, 1, stderr);
    assert.match(stderr, /deployment "web" exceeded its progress deadline/);
    const { status } = await mesh.get<{ status: { conditions: { type: string; reason: string }[] } }>(
      'deployment',
      'web',
    );
    assert.equal(status.conditions.find(({ type }) => type === 'Progressing')?.reason, 'ProgressDeadlineExceeded');
    const uids = (await mesh.pods('web')).filter(isReady).map(({ metadata }) => metadata.uid);
    assert.deepEqual(uids.sort(), old.sort());
    await mesh.command('rollout', 'undo', 'deployment/web');
    await mesh.command('rollout', 'status', 'deployment/web', '--timeout', '120s');
    await pause(500);
  } finally {
    result = await load.stop();
  }
  assert.equal(result.failed, 0, `${result.failed} of ${result.sent} requests failed: ${result.detail}`);
});

test('a start that ends with replicas that do not come up says why', async () => {
  mesh.up().signal('SIGINT');
  await mesh.up().exited;
  await mesh.restart(['--timeout', '5s']);
  const said = mesh.up().stderr();
  // The newest of its warnings: of the back-off, or of the end before it.
  assert.match(
    said,
    /not ready: deployment\/crash: 0\/1 ready; (BackOff: Back-off restarting failed container|Exited: Container app exited with code 3)/,
  );
  assert.match(
    said,
    /not ready: deployment\/no-image: 0\/1 ready; Failed: Error: image "nowhere\/nothing:v9": no folder/,
  );
});
