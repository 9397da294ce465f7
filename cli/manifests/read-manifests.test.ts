import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkObject } from './check-object.ts';
import { checkReferences } from './check-references.ts';
import { refuseProblems } from './checked.ts';
import { formatPath, parsePath } from './field-path.ts';
import { formatProblem } from './problem.ts';
import { type Manifests, readManifests } from './read-manifests.ts';
import { readDocuments } from './yaml-documents.ts';

async function read(files: Readonly<Record<string, string>>): Promise<Manifests> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-manifests-'));
  try {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(join(folder, name, '..'), { recursive: true });
      await writeFile(join(folder, name), content);
    }
    const { documents, problems } = await readManifests([folder]);
    const plain = (file: string): string => file.slice(folder.length + 1);
    return {
      documents: documents.map((each) => ({ ...each, file: plain(each.file) })),
      problems: problems.map((each) => ({ ...each, file: plain(each.file) })),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

const SERVICE =
  'apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec:\n  selector: { app: web }\n  ports:\n    - port: 80\n';

for (const [what, content, expected] of [
  [
    'a wrong type',
    SERVICE.replace('port: 80', 'port: eighty'),
    /^a\.yaml:7:7: Service\/web: spec\.ports\[0\]\.port: is a string "eighty"; a (whole )?number was wanted$/,
  ],
  [
    'an unknown field',
    SERVICE.replace('selector:', 'selectr:'),
    /^a\.yaml:5:3: Service\/web: spec\.selectr: is not a field of Service \(did you mean "selector"\?\)$/,
  ],
  ['a duplicate key', `${SERVICE}  selector: { app: db }\n`, /^a\.yaml:8:3: field "selector" stands here twice$/],
  ['a broken document', 'apiVersion: v1\nkind: Service\nmetadata: { name: web\n', /^a\.yaml:\d+:\d+: not valid YAML: /],
  ['a missing name', 'apiVersion: v1\nkind: Service\nmetadata: {}\n', /^a\.yaml:3:1: metadata\.name: is missing$/],
  [
    'a kind of another group',
    SERVICE.replace('v1', 'apps/v1'),
    /^a\.yaml:2:1: kind: there is no Service in apps\/v1 \(Service is in v1, not in apps\/v1\)$/,
  ],
  ['a kind with a slip', SERVICE.replace('Service', 'Servise'), /did you mean "Service"\?/],
  ['a list', '- a\n', /^a\.yaml:1:1: is a list; an object/],
  [
    'a name that is a number',
    SERVICE.replace('name: web', 'name: 5'),
    /^a\.yaml:3:13: Service: metadata\.name: is a number 5; a string was wanted$/,
  ],
  [
    'a kind that is a number',
    SERVICE.replace('Service', '5'),
    /^a\.yaml:2:1: kind: is a number 5; a string was wanted; such as/,
  ],
  [
    'metadata with a slip, which leaves the object without a name',
    SERVICE.replace('metadata', 'metdata'),
    /^a\.yaml:3:1: Service: metdata: is not a field of Service \(did you mean "metadata"\?\)$/,
  ],
  [
    'an alias of nothing, in the second document',
    `# nothing here\n---\n${SERVICE.replace('{ name: web }', '*names')}`,
    /^a\.yaml:5:11: alias "\*names": no anchor "&names" stands before it$/,
  ],
  ['a key that would change every object', SERVICE.replace('name: web', '__proto__: {}, name: web'), /__proto__/],
  [
    'what leads out of ASCII',
    SERVICE.replace('name: web', 'name: wéb'),
    /^a\.yaml:3:13: Service\/wéb: metadata\.name: /,
  ],
  ['Windows line ends', SERVICE.replace('80', 'x').replaceAll('\n', '\r\n'), /^a\.yaml:7:7: /],
  ['a value out of range', SERVICE.replace('80', '70000'), /^a\.yaml:7:7: Service\/web: spec\.ports\[0\]\.port: /],
] as const) {
  test(`${what} is told with file, line and column`, async () => {
    const { problems } = await read({ 'a.yaml': content });
    assert.equal(problems.length, 1, JSON.stringify(problems));
    assert.match(problems.map(formatProblem).join('\n'), expected);
  });
}

test('with one bad document nothing is applied, and the good ones are named', async () => {
  const { documents, problems } = await read({
    'a.yaml': `${SERVICE}---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings }\ndata: { colour: 7 }\n`,
    'b.yaml': SERVICE.replace('name: web', 'name: db'),
  });
  assert.throws(
    () => refuseProblems(problems, documents),
    (error: Error) => {
      assert.match(
        error.message,
        /^manifests: 1 problem; nothing was applied\na\.yaml:12:\d+: ConfigMap\/settings: data\.colour: is a number 7; a string was wanted\n/,
      );
      assert.match(error.message, /not applied, though nothing is wrong with them: Service\/web, Service\/db$/);
      return true;
    },
  );
});

test('the same object in two files is refused', async () => {
  const { problems } = await read({ 'a.yaml': SERVICE, 'b.yaml': SERVICE });
  assert.match(
    problems.map(formatProblem).join(),
    /^b\.yaml:3:13: Service\/web: is in the manifests twice; the first is at .*a\.yaml:3$/,
  );
});

test('folders give their manifests in order, and nothing of the folders within', async () => {
  const { documents } = await read({
    'b.yml': SERVICE.replace('web', 'b'),
    'a.yaml': SERVICE.replace('web', 'a'),
    'images/x/c.yaml': SERVICE,
    'notes.txt': 'no',
  });
  assert.deepEqual(
    documents.map(({ object }) => object.metadata.name),
    ['a', 'b'],
  );
});

test('a path that is not there is refused with its name', async () => {
  await assert.rejects(
    readManifests(['/nowhere/shop.yaml']),
    /manifest "\/nowhere\/shop\.yaml": no such file or folder/,
  );
});

const ROUTE = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: web }
spec:
  parentRefs: [{ group: '', kind: Service, name: web, port: 80 }]
  rules:
    - backendRefs:
        - name: web
          port: 80
        - name: web-v2
          port: 80
`;

test('a route to a Service that is nowhere is refused where it names it', async () => {
  const { documents, problems } = await read({ 'a.yaml': `${SERVICE}---\n${ROUTE}` });
  assert.deepEqual(problems, []);
  const missing = checkReferences(documents, () => false);
  assert.deepEqual(missing.map(formatProblem), [
    'a.yaml:18:11: HTTPRoute/web: names Service "web-v2", which is neither in the manifests nor in namespace default',
  ]);
  assert.deepEqual(
    checkReferences(documents, ({ name }) => name === 'web-v2'),
    [],
  );
});

test('aliases that make a small file large are refused', () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
    .split('')
    .map((name, at) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefgh'.charAt(at)}`).join(',')}]`)
    .join('\n')}\n`;
  assert.match(readDocuments('a.yaml', bomb)[0]?.problems[0]?.message ?? '', /alias/i);
});

test('documents nested without end are refused', () => {
  assert.match(
    readDocuments('a.yaml', `a: ${'['.repeat(80)}${']'.repeat(80)}\n`)[0]?.problems[0]?.message ?? '',
    /nested more than 64/,
  );
});

test('documents nested so deep that they would fill the stack are refused in the same words', () => {
  for (const content of [
    `a: ${'['.repeat(50_000)}${']'.repeat(50_000)}\n`,
    `a: ${'{a: '.repeat(20_000)}${'}'.repeat(20_000)}\n`,
    `${'- '.repeat(20_000)}x\n`,
  ]) {
    assert.match(readDocuments('a.yaml', content)[0]?.problems[0]?.message ?? '', /^nested more than 64 levels deep$/);
  }
});

test("a file's mode is octal with a leading zero, as Kubernetes reads it", () => {
  const [document] = readDocuments('a.yaml', 'modes: [0644, 0o600, 420, 010, "0644", 089]\n');
  assert.deepEqual(document?.value, { modes: [0o644, 0o600, 420, 8, '0644', 89] });
});

test('a route to a port that its Service does not have is refused where it names it', async () => {
  const route = ROUTE.replace('web-v2', 'web').replace(/80\n$/, '81\n');
  const { documents } = await read({ 'a.yaml': `${SERVICE}---\n${route}` });
  assert.deepEqual(checkReferences(documents, () => false).map(formatProblem), [
    'a.yaml:19:11: HTTPRoute/web: names port 81 of Service "web", which has 80',
  ]);
});

test('a mirror to a Service that is nowhere is refused', async () => {
  const mirror =
    '      filters: [{ type: RequestMirror, requestMirror: { backendRef: { name: nobody, port: 80 } } }]\n';
  const { documents, problems } = await read({ 'a.yaml': `${SERVICE}---\n${ROUTE.replace('web-v2', 'web')}${mirror}` });
  assert.deepEqual(problems, []);
  assert.match(
    checkReferences(documents, () => false)
      .map(formatProblem)
      .join(),
    /20:\d+: .*"nobody"/,
  );
});

test('routes of bytes name Gateways and Services too', async () => {
  const route = `apiVersion: gateway.networking.k8s.io/v1alpha2
kind: TCPRoute
metadata: { name: web }
spec:
  parentRefs: [{ name: nowhere }]
  rules: [{ backendRefs: [{ name: web, port: 81 }] }]
`;
  const { documents } = await read({ 'a.yaml': `${SERVICE}---\n${route}` });
  assert.deepEqual(
    checkReferences(documents, () => false).map(({ message }) => /names (\w+ \S+)/.exec(message)?.[1]),
    ['Gateway "nowhere",', 'port 81'],
  );
});

test('what a pod names and nobody has is a warning, unless it is optional', async () => {
  const pod = `apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  serviceAccountName: robot
  containers:
    - name: web
      image: shop/web
      env:
        - { name: A, valueFrom: { secretKeyRef: { name: keys, key: a } } }
        - { name: B, valueFrom: { configMapKeyRef: { name: maybe, key: b, optional: true } } }
  volumes:
    - { name: files, configMap: { name: settings } }
`;
  const { documents, problems } = await read({ 'a.yaml': pod });
  assert.deepEqual(problems, []);
  const missing = checkReferences(documents, () => false);
  assert.deepEqual(
    missing.map(({ severity, line, message }) => [severity, line, /"(\w+)"/.exec(message)?.[1]]),
    [
      ['warning', 5, 'robot'],
      ['warning', 13, 'settings'],
      ['warning', 10, 'keys'],
    ],
  );
  refuseProblems(missing, documents);
});

test("the shop's manifests have no problem, and name nothing that is not among them", async () => {
  const { documents, problems } = await readManifests([join(import.meta.dirname, '..', '..', 'examples', 'shop')]);
  assert.deepEqual(problems.map(formatProblem), []);
  assert.deepEqual(checkReferences(documents, () => false).map(formatProblem), []);
  assert.ok(documents.length > 15);
});

test('whichever field of a good manifest is broken, the problem is told at its line', () => {
  const lines = SERVICE.trimEnd().split('\n');
  const at = fc.integer({ min: 0, max: lines.length - 1 });
  fc.assert(
    fc.property(at, fc.constantFrom('x', 'zz', 'Q'), (line, slip) => {
      const content = lines.map((text, index) => (index === line ? text.replace(/[a-zA-Z]+(?=:)/, `$&${slip}`) : text));
      const found = readDocuments('a', content.join('\n')).flatMap(({ value, problems, index, locate }) =>
        value === undefined ? problems : checkObject(value, { file: 'a', index, locate }).problems,
      );
      assert.ok(found.length > 0);
      // A field that is missing is told where its object begins: what was found instead is told at its own line.
      const told = found.map((problem) => problem.line);
      assert.ok(told.includes(line + 1) || found.some(({ message }) => message.includes('is missing')), String(told));
    }),
  );
});

test('reading never throws, whatever the file says', () => {
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.constantFrom('a', ':', ' ', '\n', '-', '{', '}', '[', ']', '&', '*', '"', '#', '|', '\t', '%', '!'),
      }),
      (content) => {
        for (const { locate } of readDocuments('x', content)) assert.ok(locate(['a', 0, 'b']).line >= 1);
      },
    ),
  );
});

test('a field path is read as it is written', () => {
  for (const path of [['spec', 'ports', 0, 'name'], ['metadata', 'labels', 'app.example/tier'], []])
    assert.deepEqual(parsePath(formatPath(path)), path);
});
