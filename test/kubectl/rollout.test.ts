import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { podKind } from '../../api/kinds/pod.ts';
import { type Controllers, startControllers } from '../../control/controllers/run-all.ts';
import { systemClock, timestamp } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { systemRandom } from '../../kit/random.ts';
import { startTestApiServer, type TestApiServer } from '../support/api-server.ts';
import { needs } from '../support/programs.ts';
import { Kubectl } from './kubectl.ts';
import { deploymentYaml } from './manifests.ts';

let api: TestApiServer;
let kubectl: Kubectl;
let controllers: Controllers;
let agent: { stop(): Promise<void> };

/** In place of an agent: every pod that comes is Ready at once. */
function readyEverything({ client }: TestApiServer): { stop(): Promise<void> } {
  const abort = new AbortController();
  const done = (async () => {
    for await (const event of client.watch(podKind, { resourceVersion: '0', signal: abort.signal })) {
      if (event.type !== 'ADDED') continue;
      const lastTransitionTime = timestamp(Date.now());
      const conditions = ['Ready', 'ContainersReady', 'Initialized', 'PodScheduled'].map((type) => ({
        type,
        status: 'True' as const,
        lastTransitionTime,
      }));
      const { namespace = '', name } = event.object.metadata;
      const patch = { status: { phase: 'Running', conditions } };
      await client
        .patch(podKind, { namespace, name }, patch, { type: 'merge', subresource: 'status' })
        .catch(() => undefined);
    }
  })();
  return {
    stop: async () => {
      abort.abort();
      await done;
    },
  };
}

before(async () => {
  api = await startTestApiServer();
  kubectl = new Kubectl(api);
  controllers = startControllers({
    client: api.client,
    clock: systemClock(),
    random: systemRandom(),
    log: silentLog(),
  });
  agent = readyEverything(api);
});

after(async () => {
  await agent.stop();
  await controllers.close();
  await api.close();
});

test('a rollout is followed, listed, undone, paused, resumed and restarted', needs('kubectl'), async () => {
  const image = () => kubectl.ok('get deployment web', ['-o', 'jsonpath={.spec.template.spec.containers[0].image}']);
  await kubectl.ok('apply -f -', [], { input: deploymentYaml('web', 'shop/web:v1') });
  assert.match(await kubectl.ok('rollout status deployment/web --timeout=120s'), /successfully rolled out/);

  await kubectl.ok('set image deployment/web app=shop/web:v2');
  await kubectl.ok('annotate deployment web kubernetes.io/change-cause=second');
  assert.match(await kubectl.ok('rollout status deployment/web --timeout=120s'), /successfully rolled out/);
  assert.match(await kubectl.ok('rollout history deployment/web'), /^1 .*\n2 /m);
  assert.match(await kubectl.ok('rollout history deployment/web --revision=1'), /shop\/web:v1/);

  assert.match(await kubectl.ok('rollout undo deployment/web'), /rolled back/);
  assert.match(await kubectl.ok('rollout status deployment/web --timeout=120s'), /successfully rolled out/);
  assert.equal(await image(), 'shop/web:v1');
  assert.match(await kubectl.ok('rollout history deployment/web'), /^2 .*\n3 /m);
  await kubectl.ok('rollout undo deployment/web --to-revision=2');
  assert.equal(await image(), 'shop/web:v2');

  await kubectl.ok('rollout pause deployment/web');
  assert.match(await kubectl.refused('rollout restart deployment/web'), /can't restart paused deployment/);
  await kubectl.ok('rollout resume deployment/web');
  await kubectl.ok('rollout restart deployment/web');
  assert.match(await kubectl.ok('rollout status deployment/web --timeout=120s'), /successfully rolled out/);
  assert.match(await kubectl.ok('get deployment web'), /web +2\/2 +2 +2/);
});

test('deleting a Deployment in the foreground waits for what it owned', needs('kubectl'), async () => {
  await kubectl.ok('apply -f -', [], { input: deploymentYaml('owned') });
  await kubectl.ok('rollout status deployment/owned --timeout=120s');
  await kubectl.ok('delete deployment owned --cascade=foreground --timeout=120s');
  assert.equal(await kubectl.ok('get replicasets,pods -l app=owned -o name'), '');
});

test('a namespace takes what is in it along', needs('kubectl'), async () => {
  await kubectl.ok('create namespace shop');
  await kubectl.ok('apply -n shop -f -', [], { input: deploymentYaml('web') });
  await kubectl.ok('delete namespace shop --timeout=120s');
  assert.match(await kubectl.refused('get namespace shop'), /NotFound/);
  assert.equal(await kubectl.ok('get pods,deployments -n shop -o name'), '');
});
