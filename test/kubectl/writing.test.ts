import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { configMapKind } from '../../api/kinds/config-map.ts';
import { deploymentKind } from '../../api/kinds/deployment.ts';
import { startTestApiServer, type TestApiServer } from '../support/api-server.ts';
import { needs } from '../support/programs.ts';
import { Kubectl } from './kubectl.ts';
import { configMapYaml, deploymentYaml } from './manifests.ts';

let api: TestApiServer;
let kubectl: Kubectl;

before(async () => {
  api = await startTestApiServer();
  kubectl = new Kubectl(api);
  if (needs('kubectl').skip === false) await kubectl.ok('apply -f -', [], { input: deploymentYaml('web') });
});

after(() => api.close());

const web = { namespace: 'default', name: 'web' };

test('label and annotate set, refuse to overwrite, and take away', needs('kubectl'), async () => {
  assert.equal(await kubectl.ok('label deployment web tier=front'), 'deployment.apps/web labeled\n');
  assert.match(await kubectl.refused('label deployment web tier=back'), /already has a value \(front\)/);
  await kubectl.ok('label deployment web tier=back --overwrite');
  await kubectl.ok('annotate deployment web note=hello');
  const set = await api.client.get(deploymentKind, web);
  assert.deepEqual([set.metadata.labels?.['tier'], set.metadata.annotations?.['note']], ['back', 'hello']);
  await kubectl.ok('label deployment web tier-');
  assert.equal((await api.client.get(deploymentKind, web)).metadata.labels?.['tier'], undefined);
});

const patches: readonly (readonly [type: string, patch: string])[] = [
  [
    'strategic',
    '{"spec":{"template":{"spec":{"containers":[{"name":"app","env":[{"name":"STRATEGIC","value":"1"}]}]}}}}',
  ],
  ['merge', '{"spec":{"minReadySeconds":3}}'],
  [
    'json',
    '[{"op":"test","path":"/spec/minReadySeconds","value":3},{"op":"replace","path":"/spec/minReadySeconds","value":4}]',
  ],
];

test('patches of each type are applied', needs('kubectl'), async () => {
  for (const [type, patch] of patches) {
    assert.match(await kubectl.ok(`patch deployment web --type ${type}`, ['-p', patch]), /patched$/m);
  }
  const { spec } = await api.client.get(deploymentKind, web);
  assert.deepEqual(
    spec.template.spec.containers[0]?.env?.map(({ name }) => name),
    ['STRATEGIC', 'LEVEL'],
  );
  assert.equal(spec.minReadySeconds, 4);
  const failed = patches.at(-1)?.[1] ?? '';
  assert.match(
    await kubectl.refused('patch deployment web --type json', ['-p', failed]),
    /the server rejected our request|Invalid/,
  );
});

test('scale sets replicas, and only from the number that is expected', needs('kubectl'), async () => {
  assert.equal(await kubectl.ok('scale deployment web --replicas=5'), 'deployment.apps/web scaled\n');
  assert.match(
    await kubectl.refused('scale deployment web --current-replicas=2 --replicas=3'),
    /Expected replicas to be 2, was 5/,
  );
  await kubectl.ok('scale deployment web --current-replicas=5 --replicas=0');
  assert.equal((await api.client.get(deploymentKind, web)).spec.replicas, 0);
});

test('set image, env and resources change the template', needs('kubectl'), async () => {
  await kubectl.ok('set image deployment/web app=shop/web:v9');
  await kubectl.ok('set env deployment/web LEVEL=debug NEW=1');
  await kubectl.ok('set resources deployment/web --limits=cpu=500m,memory=64Mi');
  const [container] = (await api.client.get(deploymentKind, web)).spec.template.spec.containers;
  assert.equal(container?.image, 'shop/web:v9');
  assert.equal(container?.env?.find(({ name }) => name === 'LEVEL')?.value, 'debug');
  assert.deepEqual(container?.resources.limits, { cpu: '500m', memory: '64Mi' });
});

test('edit saves what the editor leaves, and shows what is refused', needs('kubectl'), async () => {
  await kubectl.ok('apply -f -', [], { input: configMapYaml('edited', { color: 'red' }) });
  const edited = await kubectl.ok('edit configmap edited', [], { env: { KUBE_EDITOR: 'sed -i s/red/blue/' } });
  assert.match(edited, /configmap\/edited edited/);
  assert.deepEqual((await api.client.get(configMapKind, { ...web, name: 'edited' })).data, { color: 'blue' });
});

test('run makes a pod, and delete takes it away and waits until it is gone', needs('kubectl'), async () => {
  await kubectl.ok('run lone --image=shop/web:v1 --labels=app=lone');
  assert.match(await kubectl.ok('get pod lone'), /lone +0\/1 +Pending/);
  assert.match(await kubectl.ok('delete pod lone'), /pod "lone" deleted/);
  assert.match(await kubectl.refused('get pod lone'), /NotFound/);
});

test('wait --for=delete returns when a finalizer lets go', needs('kubectl'), async () => {
  const ref = { namespace: 'default', name: 'held' };
  await api.client.create(configMapKind, { metadata: { ...ref, finalizers: ['test.example/hold'] } });
  await kubectl.ok('delete configmap held --wait=false');
  assert.match(await kubectl.refused('wait configmap/held --for=delete --timeout=1s'), /timed out waiting/);
  const waiting = kubectl.ok('wait configmap/held --for=delete --timeout=120s');
  await api.client.patch(configMapKind, ref, { metadata: { finalizers: null } }, { type: 'merge' });
  await waiting;
});

test('wait --for a condition and a field sees them come', needs('kubectl'), async () => {
  const waiting = [
    kubectl.ok('wait deployment/web --for=condition=Available --timeout=120s'),
    kubectl.ok('wait deployment/web --timeout=120s', ['--for=jsonpath={.status.readyReplicas}=1']),
  ];
  const present = await api.client.get(deploymentKind, web);
  const condition = { type: 'Available', status: 'True' as const };
  await api.client.updateStatus(deploymentKind, {
    ...present,
    status: { replicas: 1, readyReplicas: 1, conditions: [condition] },
  });
  for (const each of waiting) assert.match(await each, /condition met/);
});

test('cordon and uncordon change the node', needs('kubectl'), async () => {
  await kubectl.ok('create -f -', [], { input: 'apiVersion: v1\nkind: Node\nmetadata: {name: one}\n' });
  await kubectl.ok('cordon one');
  assert.match(await kubectl.ok('get node one'), /SchedulingDisabled/);
  await kubectl.ok('uncordon one');
  assert.doesNotMatch(await kubectl.ok('get node one'), /SchedulingDisabled/);
});

test('delete follows the policy that it is given', needs('kubectl'), async () => {
  await kubectl.ok('apply -f -', [], { input: deploymentYaml('going') });
  await kubectl.ok('delete deployment going --cascade=foreground --wait=false');
  const going = await api.client.get(deploymentKind, { namespace: 'default', name: 'going' });
  assert.deepEqual(going.metadata.finalizers, ['foregroundDeletion']);
  await kubectl.ok('delete configmaps --all');
  assert.deepEqual((await api.client.list(configMapKind, { namespace: 'default' })).items, []);
});
