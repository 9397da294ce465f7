// A start takes over what a killed one left running: nobody who uses the shop notices, and the last one to be asked to
// stop stops everything.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Pod } from '../../api/kinds/pod.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startLoad } from '../support/load.ts';
import { appProcess, isReady, type Mesh, pause, proxyProcesses, startMesh } from '../support/mesh.ts';
import { processesNaming } from '../support/tutti-process.ts';

let mesh: Mesh;

before(async () => {
  mesh = await startMesh();
  await Promise.all([mesh.run('web', { replicas: 2 }), mesh.run('other')]);
});

after(async () => {
  await mesh?.stop();
});

const load = () => startLoad({ url: mesh.url, requestsPerSecond: 300, headers: { host: 'web.test' } });

async function killUp(): Promise<void> {
  mesh.up().signal('SIGKILL');
  await mesh.up().exited;
}

/** What may not change when one start takes over from another. */
async function picture(): Promise<readonly string[]> {
  const pods = [...(await mesh.pods('web')), ...(await mesh.pods('other'))];
  return pods.map((pod) => `${pod.metadata.uid} ${restartsOf(pod)} ${appProcess(pod)}`).sort();
}

function restartsOf({ status }: Pod): number {
  return status.containerStatuses?.[0]?.restartCount ?? 0;
}

test('kill -9 of `tutti up` under load loses no request, and the next start takes everything over as it is', async () => {
  const pods = await picture();
  const proxies = proxyProcesses(mesh.folder);
  const running = load();
  let result: Awaited<ReturnType<typeof running.stop>>;
  try {
    await pause(1000);
    await killUp();
    await pause(2000);
    await mesh.restart();
    await pause(2000);
  } finally {
    result = await running.stop();
  }
  assert.equal(result.failed, 0, `${result.failed} of ${result.sent} requests failed: ${result.detail}`);
  assert.ok(result.ok > 300, result.detail);
  assert.match(mesh.up().stderr(), /took over 3 running pods/);
  assert.deepEqual(await picture(), pods);
  assert.deepEqual(proxyProcesses(mesh.folder), proxies);
});

test('an app that died while nobody was there is started again, and only that one', async () => {
  const [victim] = await mesh.pods('web');
  assert.ok(victim);
  const before = await picture();
  await killUp();
  process.kill(appProcess(victim), 'SIGKILL');
  await mesh.restart();
  const again = await eventually('the app runs again', async () => {
    const pod = (await mesh.pods('web')).find(({ metadata }) => metadata.uid === victim.metadata.uid);
    return pod !== undefined && isReady(pod) && restartsOf(pod) === restartsOf(victim) + 1 ? pod : undefined;
  });
  assert.equal(again.status.containerStatuses?.[0]?.lastState.terminated?.exitCode, 137);
  const untouched = before.filter((line) => !line.startsWith(victim.metadata.uid));
  assert.deepEqual(
    (await picture()).filter((line) => !line.startsWith(victim.metadata.uid)),
    untouched,
  );
});

test('starts that are killed in the midst of rollouts leave no pod twice, and none behind', async () => {
  for (const round of [1, 2, 3]) {
    await mesh.command('rollout', 'restart', 'deployment/web');
    await pause(150 * round);
    await killUp();
    await mesh.restart();
  }
  await mesh.command('rollout', 'status', 'deployment/web', '--timeout', '120s');
  const pods = await eventually('the old replicas are gone', async () => {
    const present = await mesh.pods('web');
    return present.length === 2 && present.every(isReady) ? present : undefined;
  });
  const expected = [...pods, ...(await mesh.pods('other'))].map(appProcess).sort((left, right) => left - right);
  // What the starts that were killed had begun to stop is stopped by the last, in its time.
  await eventually('each app runs once, each proxy too, and nothing else', () => {
    const apps = processesNaming(mesh.folder).filter(({ command }) => command === 'node trial.ts');
    assert.deepEqual(
      apps.map(({ pid }) => pid).sort((left, right) => left - right),
      expected,
    );
    assert.equal(proxyProcesses(mesh.folder).length, 4);
    return true;
  });
});

test('a start with other ports than the killed one had takes the proxies with it', async () => {
  const pods = await picture();
  await killUp();
  await mesh.restart(['--api-port', String(await freePort()), '--xds-port', String(await freePort())]);
  await eventually('every proxy is connected', async () => {
    const { items } = JSON.parse(await mesh.command('get', 'proxies', '-A', '-o', 'json')) as {
      items: { status: { connected: boolean } }[];
    };
    return (items.length === 4 && items.every(({ status }) => status.connected)) || undefined;
  });
  assert.deepEqual(await picture(), pods);
  await eventually('the ingress answers', async () => (await fetch(mesh.url)).status === 404 || undefined);
});

test('Ctrl-C then stops everything, whoever started it', async () => {
  mesh.up().signal('SIGINT');
  assert.equal(await mesh.up().exited, 130, mesh.up().stderr());
  assert.deepEqual(processesNaming(mesh.folder), []);
});
