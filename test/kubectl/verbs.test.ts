import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { configMapKind } from '../../api/kinds/config-map.ts';
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

/** Commands that only read or only check, and what they print. */
const prints: readonly (readonly [command: string, words: RegExp])[] = [
  ['explain deployment --recursive', /maxUnavailable\s+<\S+>[\s\S]*template\s+<\S+>[\s\S]*livenessProbe/],
  ['explain deployment.spec.strategy.rollingUpdate.maxSurge', /FIELD: maxSurge [\s\S]*above the wanted number/],
  ['api-versions', /^apps\/v1$[\s\S]*^v1$/m],
  ['api-resources --verbs=list,patch -o name', /^deployments\.apps$/m],
  ['api-resources --namespaced=false -o name', /^nodes$/m],
  ['auth whoami', /Username\s+admin/],
  ['auth whoami -o json', /"username": "admin"/],
  ['auth can-i create deployments.apps', /^yes\n$/],
  ['auth can-i patch deployments.apps --subresource=scale', /^yes\n$/],
  ['get --raw /apis/apps/v1/namespaces/default/deployments/web/scale', /"kind":"Scale"/],
  ['get deployment web --subresource=scale', /web/],
  ['get deployment web --subresource=status -o name', /deployment\.apps\/web/],
  ['create deployment made --image=shop/web:v1 --dry-run=server -o name', /^deployment\.apps\/made\n$/],
  ['create service clusterip made --tcp=80:8080 --dry-run=server -o name', /^service\/made\n$/],
  ['create secret generic made --from-literal=a=1 --dry-run=server -o name', /^secret\/made\n$/],
  ['create serviceaccount made --dry-run=server -o name', /^serviceaccount\/made\n$/],
  ['create namespace made --dry-run=server -o name', /^namespace\/made\n$/],
];

for (const [command, words] of prints) {
  test(`${command} prints what it should`, needs('kubectl'), async () => {
    assert.match(await kubectl.ok(command), words);
  });
}

test('who may not, is told so', needs('kubectl'), async () => {
  const { code, stdout } = await kubectl.run('auth can-i delete nodes --as=somebody');
  assert.equal(code, 1);
  assert.match(stdout, /^no\b/);
});

test('replace --force deletes and creates, and a replace of an old version is refused', needs('kubectl'), async () => {
  await kubectl.ok('create -f -', [], { input: configMapYaml('again', { a: '1' }) });
  const old = await kubectl.ok('get configmap again -o json');
  const { uid } = (await api.client.get(configMapKind, { namespace: 'default', name: 'again' })).metadata;
  await kubectl.ok('replace --force -f -', [], { input: configMapYaml('again', { a: '2' }) });
  const after = await api.client.get(configMapKind, { namespace: 'default', name: 'again' });
  assert.notEqual(after.metadata.uid, uid);
  assert.deepEqual(after.data, { a: '2' });
  assert.match(await kubectl.refused('replace -f -', [], { input: old }), /Conflict|UID in precondition/);
});

test('wait --for=create returns when it is there', needs('kubectl'), async () => {
  const waiting = kubectl.ok('wait configmap/coming --for=create --timeout=120s');
  await api.client.create(configMapKind, { metadata: { namespace: 'default', name: 'coming' }, data: {} });
  assert.match(await waiting, /configmap\/coming condition met/);
});

test('diff ends with 1 and the lines that would change, with 0 when none would', needs('kubectl'), async () => {
  const changed = await kubectl.run('diff -f -', [], { input: deploymentYaml('web', 'shop/web:v2') });
  assert.equal(changed.code, 1, changed.stderr);
  assert.match(changed.stdout, /^-\s+image: shop\/web:v1$[\s\S]*^\+\s+image: shop\/web:v2$/m);
  assert.equal((await kubectl.run('diff -f -', [], { input: deploymentYaml('web') })).code, 0);
});

test('edit refuses what is invalid, says why in the file, and keeps it', needs('kubectl'), async () => {
  await kubectl.ok('create configmap bad --from-literal=a=1');
  // The second time the editor leaves the file as it is, which ends the edit.
  const editor = "sed -i 's/^  a: /  not..a/key: /;s/^data:/datum:/'";
  const { code, stderr } = await kubectl.run('edit configmap bad', [], { env: { KUBE_EDITOR: editor } });
  assert.equal(code, 1);
  assert.match(stderr, /datum|invalid|strict decoding/i);
  const kept = await api.client.get(configMapKind, { namespace: 'default', name: 'bad' });
  assert.deepEqual(kept.data, { a: '1' });
});

test('a patch of the status goes to the status alone', needs('kubectl'), async () => {
  const patch = '{"status":{"replicas":3,"readyReplicas":3},"spec":{"replicas":9}}';
  await kubectl.ok('patch deployment web --subresource=status --type=merge', ['-p', patch]);
  const shown = await kubectl.ok('get deployment web', ['-o', 'jsonpath={.spec.replicas} {.status.readyReplicas}']);
  assert.equal(shown, '2 3');
});
