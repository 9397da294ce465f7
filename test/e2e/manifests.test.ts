import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { killAll, TEST_FLAGS, TEST_NODE_FLAGS } from '../support/shop.ts';
import { type RunningTutti, startTutti, tutti } from '../support/tutti-process.ts';

const GOOD = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: good\ndata:\n  colour: blue\n';
const SERVICE =
  'apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  selector:\n    app: web\n  ports:\n    - port: 80\n';
const ROUTE = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: web
spec:
  parentRefs:
    - kind: Service
      group: ""
      name: web
  rules:
    - backendRefs:
        - name: nowhere
          port: 80
`;

let folder: string;
let up: RunningTutti;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tutti-bad-manifests-'));
  up = startTutti(['up', '--no-ingress', ...TEST_FLAGS, ...TEST_NODE_FLAGS], { cwd: folder });
  await up.printed('Try next:');
});

after(async () => {
  up.signal('SIGINT');
  await up.exited;
  await killAll(folder);
  await rm(folder, { recursive: true });
});

for (const [what, bad, place, message] of [
  [
    'a wrong type',
    SERVICE.replace('port: 80', 'port: eighty'),
    '9:7',
    /spec\.ports\[0\]\.port: is a string "eighty"; a .*number was wanted/,
  ],
  [
    'an unknown field',
    SERVICE.replace('  selector:', '  selectors:'),
    '6:3',
    /spec\.selectors: is not a field of Service \(did you mean "selector"\?\)/,
  ],
  ['a duplicate key', `${SERVICE}  selector:\n    app: db\n`, '10:3', /field "selector" stands here twice/],
  ['a missing Service', `${SERVICE}---\n${ROUTE}`, '22:11', /HTTPRoute\/web: names Service "nowhere"/],
  ['a broken document', `${SERVICE}---\nkind: [\n`, '12:1', /not valid YAML/],
] as const) {
  test(`${what} is refused with file, line and column, and nothing is applied by half`, async () => {
    await mkdir(join(folder, 'app'), { recursive: true });
    await writeFile(join(folder, 'app', 'a-good.yaml'), GOOD);
    await writeFile(join(folder, 'app', 'b-bad.yaml'), bad);
    const { code, stdout, stderr } = await tutti(['apply', '-f', 'app'], { cwd: folder });
    assert.equal(code, 1, stdout);
    assert.match(stderr, new RegExp(`app/b-bad\\.yaml:${place}: `));
    assert.match(stderr, message);
    assert.match(stderr, /not applied, though nothing is wrong with them: ConfigMap\/good/);
    assert.equal(stdout, '');
    const got = await tutti(['get', 'configmap', 'good'], { cwd: folder });
    assert.equal(got.code, 1, got.stdout);
  });
}

test('`tutti up` with a manifest that cannot be read starts nothing', async () => {
  const { code, stderr } = await tutti(
    ['up', '-f', 'nowhere.yaml', '--data', 'other', ...TEST_FLAGS, ...TEST_NODE_FLAGS],
    { cwd: folder },
  );
  assert.equal(code, 1);
  assert.match(stderr, /manifest "nowhere\.yaml": no such file or folder/);
});

test('what is good is applied, and applied again it is unchanged', async () => {
  await mkdir(join(folder, 'fine'), { recursive: true });
  await writeFile(join(folder, 'fine', 'all.yaml'), `${GOOD}---\n${SERVICE}`);
  const first = await tutti(['apply', '-f', 'fine'], { cwd: folder });
  assert.equal(first.code, 0, first.stderr);
  assert.equal(first.stdout, 'configmap/good created\nservice/web created\n');
  const second = await tutti(['apply', '-f', 'fine'], { cwd: folder });
  assert.equal(second.stdout, 'configmap/good unchanged\nservice/web unchanged\n');
  await writeFile(join(folder, 'fine', 'all.yaml'), `${GOOD.replace('blue', 'red')}---\n${SERVICE}`);
  const third = await tutti(['apply', '-f', 'fine'], { cwd: folder });
  assert.equal(third.stdout, 'configmap/good configured\nservice/web unchanged\n');
});
