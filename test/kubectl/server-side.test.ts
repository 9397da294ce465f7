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
});

after(() => api.close());

const managersOf = async (name: string) =>
  ((await api.client.get(deploymentKind, { namespace: 'default', name })).metadata.managedFields ?? []).map(
    ({ manager, operation }) => `${manager} ${operation}`,
  );

test('apply --server-side creates, conflicts with who changed a field, and is forced', needs('kubectl'), async () => {
  const input = { input: deploymentYaml('web') };
  assert.equal(await kubectl.ok('apply --server-side -f -', [], input), 'deployment.apps/web serverside-applied\n');
  assert.deepEqual(await managersOf('web'), ['kubectl Apply']);
  await kubectl.ok('scale deployment web --replicas=5');
  const refused = await kubectl.refused('apply --server-side -f -', [], input);
  assert.match(
    refused,
    /Apply failed with 1 conflict: conflict with "kubectl(?:-1\.35)?" with subresource "scale" using apps\/v1: \.spec\.replicas/,
  );
  await kubectl.ok('apply --server-side --force-conflicts -f -', [], input);
  assert.equal((await api.client.get(deploymentKind, { namespace: 'default', name: 'web' })).spec.replicas, 2);
  assert.match(await kubectl.ok('diff --server-side -f -', [], input), /^$/);
});

test(
  'an object that was applied from the client side goes over to the server side, and back',
  needs('kubectl'),
  async () => {
    await kubectl.ok('apply -f -', [], { input: deploymentYaml('moved') });
    assert.deepEqual(await managersOf('moved'), ['kubectl-client-side-apply Update']);
    await kubectl.ok('apply --server-side -f -', [], { input: deploymentYaml('moved', 'shop/web:v2') });
    assert.deepEqual(
      (await managersOf('moved')).filter((manager) => manager.includes('client-side')),
      [],
    );
    // What the manifest no longer has goes, though it was applied from the client side.
    const bare = deploymentYaml('moved', 'shop/web:v2').replace('env: [{name: LEVEL, value: info}]', '');
    await kubectl.ok('apply --server-side -f -', [], { input: bare });
    const { spec } = await api.client.get(deploymentKind, { namespace: 'default', name: 'moved' });
    assert.deepEqual(
      [spec.template.spec.containers[0]?.image, spec.template.spec.containers[0]?.env],
      ['shop/web:v2', undefined],
    );
    assert.match(await kubectl.ok('apply -f -', [], { input: bare }), /moved (?:unchanged|configured)/);
  },
);

test('managed fields are hidden unless they are asked for', needs('kubectl'), async () => {
  await kubectl.ok('create configmap shown --from-literal=a=1');
  assert.doesNotMatch(await kubectl.ok('get configmap shown -o yaml'), /managedFields/);
  assert.match(await kubectl.ok('get configmap shown -o yaml --show-managed-fields'), /manager: kubectl-create/);
});

test('an unknown field is refused with its path', needs('kubectl'), async () => {
  const input = deploymentYaml('bad').replace('replicas:', 'replicaz:');
  assert.match(
    await kubectl.refused('apply --server-side -f -', [], { input }),
    /\.spec\.replicaz: field not declared in schema/,
  );
});

test('apply --prune deletes what its label no longer finds in the manifest', needs('kubectl'), async () => {
  const labelled = (name: string) => configMapYaml(name, { a: '1' }).replace('{name:', '{labels: {set: pruned}, name:');
  const apply = 'apply --prune -l set=pruned --prune-allowlist=core/v1/ConfigMap -f -';
  await kubectl.ok(apply, [], { input: `${labelled('one')}---${labelled('two')}` });
  await kubectl.ok('create configmap bystander --from-literal=a=1');
  assert.match(await kubectl.ok(apply, [], { input: labelled('one') }), /configmap\/two pruned/);
  const { items } = await api.client.list(configMapKind, { namespace: 'default' });
  const left = items.map(({ metadata }) => metadata.name).filter((name) => ['one', 'two', 'bystander'].includes(name));
  assert.deepEqual(left, ['bystander', 'one']);
});

test('apply --prune deletes what its ApplySet no longer has', needs('kubectl'), async () => {
  const env = { KUBECTL_APPLYSET: 'true' };
  const apply = 'apply --server-side --prune --applyset=secrets/shop -n default -f -';
  const both = `${configMapYaml('kept', { a: '1' })}---${configMapYaml('dropped', { a: '1' })}`;
  await kubectl.ok(apply, [], { input: both, env });
  assert.match(
    await kubectl.ok(apply, [], { input: configMapYaml('kept', { a: '1' }), env }),
    /configmap\/dropped pruned/,
  );
  const label = 'applyset.kubernetes.io/part-of';
  assert.match(await kubectl.ok(`get configmaps -l ${label} -o name`), /^configmap\/kept\n$/);
});
