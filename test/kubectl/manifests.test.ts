import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { deploymentKind } from '../../api/kinds/deployment.ts';
import { startTestApiServer, type TestApiServer } from '../support/api-server.ts';
import { needs } from '../support/programs.ts';
import { Kubectl } from './kubectl.ts';
import { configMapYaml, deploymentYaml, serviceYaml } from './manifests.ts';

let api: TestApiServer;
let kubectl: Kubectl;

before(async () => {
  api = await startTestApiServer();
  kubectl = new Kubectl(api);
});

after(() => api.close());

test('apply creates, finds nothing to change, and changes', needs('kubectl'), async () => {
  const manifest = (image: string) => `${deploymentYaml('web', image)}---${serviceYaml('web')}`;
  const apply = (image: string) => kubectl.ok('apply -f -', [], { input: manifest(image) });
  assert.equal(await apply('shop/web:v1'), 'deployment.apps/web created\nservice/web created\n');
  assert.equal(await apply('shop/web:v1'), 'deployment.apps/web unchanged\nservice/web unchanged\n');
  assert.equal(await apply('shop/web:v2'), 'deployment.apps/web configured\nservice/web unchanged\n');
  const { spec, metadata } = await api.client.get(deploymentKind, { namespace: 'default', name: 'web' });
  assert.equal(spec.template.spec.containers[0]?.image, 'shop/web:v2');
  assert.equal(metadata.generation, 2);
});

test(
  'apply takes away what the manifest no longer has, and leaves what others have set',
  needs('kubectl'),
  async () => {
    const input = (data: Record<string, string>) => ({ input: configMapYaml('conf', data) });
    await kubectl.ok('apply -f -', [], input({ a: '1', b: '2' }));
    await kubectl.ok('patch configmap conf --type merge', ['-p', '{"data":{"theirs":"3"}}']);
    await kubectl.ok('apply -f -', [], input({ a: '1' }));
    assert.equal(await kubectl.ok('get configmap conf', ['-o', 'jsonpath={.data}']), '{"a":"1","theirs":"3"}');
  },
);

test('an unknown field is refused by the server, with its path', needs('kubectl'), async () => {
  const input = deploymentYaml('bad').replace('replicas:', 'replicaz:');
  assert.match(
    await kubectl.refused('apply -f -', [], { input }),
    /Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec\.replicaz"/,
  );
  const warned = await kubectl.run('apply --validate=warn -f -', [], { input });
  assert.match(warned.stderr, /Warning: unknown field "spec\.replicaz"/);
  assert.equal(warned.code, 0);
});

test('values that are not allowed are refused, each with its field', needs('kubectl'), async () => {
  const input = deploymentYaml('invalid')
    .replace('replicas: 2', 'replicas: two')
    .replace('containerPort: 8080', 'containerPort: 99999');
  // What cannot be read at all comes first, and is no matter of rules.
  const words = await kubectl.refused('apply -f -', [], { input });
  assert.match(words, /cannot be handled as a Deployment: spec\.replicas: Invalid value: "two": must be a number/);
  const port = await kubectl.refused('apply -f -', [], { input: input.replace('replicas: two', 'replicas: 2') });
  assert.match(port, /The Deployment "invalid" is invalid/);
  assert.match(port, /spec\.template\.spec\.containers\[0\]\.ports\[0\]\.containerPort: Invalid value: 99999/);
});

test('what is accepted and not acted on is warned of', needs('kubectl'), async () => {
  const input = deploymentYaml('warned').replace('      containers:', '      hostNetwork: true\n      containers:');
  const { code, stderr } = await kubectl.run('apply -f -', [], { input });
  assert.equal(code, 0);
  assert.match(stderr, /Warning: spec\.template\.spec\.hostNetwork/);
});

test('a dry run on the server answers and stores nothing', needs('kubectl'), async () => {
  const input = configMapYaml('dry', { a: '1' });
  assert.match(
    await kubectl.ok('apply --dry-run=server -f -', [], { input }),
    /configmap\/dry created \(server dry run\)/,
  );
  assert.match(await kubectl.refused('get configmap dry'), /NotFound/);
});

test('diff shows what an apply would change', needs('kubectl'), async () => {
  await kubectl.ok('apply -f -', [], { input: configMapYaml('diffed', { a: '1' }) });
  const { code, stdout } = await kubectl.run('diff -f -', [], { input: configMapYaml('diffed', { a: '2' }) });
  assert.equal(code, 1);
  assert.match(stdout, /^-\s+a: "1"$/m);
  assert.match(stdout, /^\+\s+a: "2"$/m);
});

test('create, replace and delete take manifests', needs('kubectl'), async () => {
  const input = (value: string) => ({ input: configMapYaml('plain', { a: value }) });
  assert.equal(await kubectl.ok('create -f -', [], input('1')), 'configmap/plain created\n');
  assert.match(
    await kubectl.refused('create -f -', [], input('1')),
    /AlreadyExists.*configmaps "plain" already exists/s,
  );
  assert.equal(await kubectl.ok('replace -f -', [], input('2')), 'configmap/plain replaced\n');
  assert.match(await kubectl.ok('delete -f -', [], input('2')), /configmap "plain" deleted/);
  assert.match(await kubectl.refused('replace -f -', [], input('3')), /NotFound/);
});

test('typed create commands, which send protobuf, store what they show', needs('kubectl'), async () => {
  const commands: readonly (readonly [command: string, name: string])[] = [
    ['create namespace made', 'namespace/made'],
    ['create configmap made --from-literal=a=1 --from-literal=empty=', 'configmap/made'],
    ['create secret generic made --from-literal=password=hunter2', 'secret/made'],
    ['create serviceaccount made', 'serviceaccount/made'],
    ['create deployment made --image=shop/web:v1 --replicas=0 --port=8080 -- serve --fast', 'deployment/made'],
    ['create service clusterip made --tcp=80:8080', 'service/made'],
    ['create service clusterip headless --clusterip=None', 'service/headless'],
    ['create service externalname far --external-name shop.example', 'service/far'],
  ];
  for (const [command, name] of commands) {
    const [words, tail] = command.split(' -- ') as [string, string | undefined];
    const more = tail === undefined ? [] : ['--', ...tail.split(' ')];
    const wanted = JSON.parse(await kubectl.ok(`${words} --dry-run=client -o json`, more)) as Tree;
    await kubectl.ok(words, more);
    assertContains(JSON.parse(await kubectl.ok(`get ${name} -o json`)) as Tree, wanted, name);
  }
});

type Tree = { readonly [field: string]: unknown };

/** Every leaf of `wanted` that says something is in `stored`. */
function assertContains(stored: unknown, wanted: unknown, at: string): void {
  if (wanted === null) return;
  if (typeof wanted !== 'object') {
    assert.equal(stored, wanted, at);
    return;
  }
  for (const [field, value] of Object.entries(wanted)) {
    assertContains((stored as Tree | undefined)?.[field], value, `${at}.${field}`);
  }
}
