import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMapKind } from '../../../api/kinds/config-map.ts';
import { deploymentKind } from '../../../api/kinds/deployment.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { configMapDraft, deploymentDraft } from '../testing/drafts.ts';
import { verbBench } from '../testing/verb-bench.ts';

const ref = { namespace: 'default', name: 'web' };

function config(data: Record<string, string>, metadata: object = {}) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'web', ...metadata }, data };
}

function apply(manager: string, force = false) {
  return { type: 'apply', fieldManager: manager, force } as const;
}

function owned(managedFields: readonly { manager?: string | undefined; fieldsV1?: object | undefined }[] | undefined) {
  return Object.fromEntries((managedFields ?? []).map(({ manager, fieldsV1 }) => [manager, fieldsV1]));
}

function refused(code: number, words: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof ApiError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, words);
    return true;
  };
}

test('an apply creates what is not there, and owns what it says and no default', async () => {
  const { client } = await verbBench();
  const { metadata: _, ...draft } = deploymentDraft('web');
  const wanted = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: { ...draft.spec } };
  const made = await client.patch(deploymentKind, ref, wanted, apply('me'));
  assert.equal(made.spec.progressDeadlineSeconds, 600);
  const [entry] = made.metadata.managedFields ?? [];
  assert.deepEqual(
    [entry?.manager, entry?.operation, entry?.apiVersion, entry?.time, entry?.fieldsType],
    ['me', 'Apply', 'apps/v1', '2030-01-01T00:00:00Z', 'FieldsV1'],
  );
  assert.deepEqual(Object.keys(entry?.fieldsV1?.['f:spec'] as object), ['f:replicas', 'f:selector', 'f:template']);
});

test('an apply that is repeated writes nothing', async () => {
  const { client, clock } = await verbBench();
  const first = await client.patch(configMapKind, ref, config({ a: '1' }), apply('me'));
  await clock.advance(5000);
  const second = await client.patch(configMapKind, ref, config({ a: '1' }), apply('me'));
  assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
});

test('what is applied no longer goes, unless another manager owns it', async () => {
  const { client } = await verbBench();
  await client.patch(configMapKind, ref, config({ a: '1', b: '2', c: '3' }), apply('one'));
  await client.patch(configMapKind, ref, config({ b: '2' }), apply('two'));
  const after = await client.patch(configMapKind, ref, config({ a: '1' }), apply('one'));
  assert.deepEqual(after.data, { a: '1', b: '2' });
  assert.deepEqual(owned(after.metadata.managedFields), {
    one: { 'f:data': { 'f:a': {} } },
    two: { 'f:data': { 'f:b': {} } },
  });
});

test('changing what another manager owns is a conflict with a cause per field, and force takes it', async () => {
  const { client } = await verbBench();
  await client.create(configMapKind, configMapDraft('web', { a: '1', b: '2' }), { fieldManager: 'kubectl-create' });
  const change = client.patch(configMapKind, ref, config({ a: '9', b: '8' }), apply('me'));
  await assert.rejects(change, (error: unknown) => {
    assert.ok(error instanceof ApiError);
    assert.deepEqual(
      { code: error.code, reason: error.reason, message: error.message, details: error.status.details },
      {
        code: 409,
        reason: 'Conflict',
        message: 'Apply failed with 2 conflicts: conflicts with "kubectl-create" using v1:\n- .data.a\n- .data.b',
        details: {
          causes: ['a', 'b'].map((key) => ({
            reason: 'FieldManagerConflict',
            message: 'conflict with "kubectl-create" using v1',
            field: `.data.${key}`,
          })),
        },
      },
    );
    return true;
  });
  const one = client.patch(configMapKind, ref, config({ a: '9' }), apply('me'));
  await assert.rejects(
    one,
    refused(409, /^Apply failed with 1 conflict: conflict with "kubectl-create" using v1: \.data\.a$/),
  );
  const forced = await client.patch(configMapKind, ref, config({ a: '9' }), apply('me', true));
  assert.deepEqual(forced.data, { a: '9', b: '2' });
  assert.deepEqual(owned(forced.metadata.managedFields)['kubectl-create'], { 'f:data': { '.': {}, 'f:b': {} } });
});

test('an update owns what it changes, through the subresource that it came by', async () => {
  const { client } = await verbBench();
  await client.create(deploymentKind, deploymentDraft('web'), { fieldManager: 'creator' });
  const made = await client.get(deploymentKind, ref);
  await client.updateStatus(
    deploymentKind,
    { ...made, status: { observedGeneration: 1 } },
    { fieldManager: 'controller' },
  );
  const scaled = { spec: { replicas: 7 } };
  await client.patch(deploymentKind, ref, scaled, { type: 'merge', subresource: 'scale', fieldManager: 'scaler' });
  const { metadata } = await client.get(deploymentKind, ref);
  const entries = (metadata.managedFields ?? []).map(({ manager, operation, subresource }) => [
    manager,
    operation,
    subresource,
  ]);
  assert.deepEqual(entries, [
    ['controller', 'Update', 'status'],
    ['creator', 'Update', undefined],
    ['scaler', 'Update', 'scale'],
  ]);
  const all = owned(metadata.managedFields);
  assert.deepEqual(all['controller'], { 'f:status': { 'f:observedGeneration': {} } });
  assert.deepEqual(all['scaler'], { 'f:spec': { 'f:replicas': {} } });
  assert.equal('f:replicas' in (all['creator'] as { 'f:spec': object })['f:spec'], false);
});

test('a scale can be applied, and conflicts with who set the replicas', async () => {
  const { client } = await verbBench();
  await client.create(deploymentKind, deploymentDraft('web'), { fieldManager: 'creator' });
  const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'web' }, spec: { replicas: 5 } };
  const options = { ...apply('scaler'), subresource: 'scale' } as const;
  await assert.rejects(client.patch(deploymentKind, ref, scale, options), refused(409, /\.spec\.replicas$/));
  await client.patch(deploymentKind, ref, scale, { ...options, force: true });
  assert.equal((await client.get(deploymentKind, ref)).spec.replicas, 5);
});

test('managedFields are emptied by [{}] or [], and begin again with the next apply', async () => {
  const { client } = await verbBench();
  for (const reset of [[{}], []]) {
    const name = `reset-${reset.length}`;
    const at = { ...ref, name };
    await client.create(configMapKind, configMapDraft(name, { a: '1' }));
    const emptied = await client.patch(configMapKind, at, { metadata: { managedFields: reset } }, { type: 'merge' });
    assert.equal(emptied.metadata.managedFields, undefined);
    const untracked = await client.patch(configMapKind, at, { data: { b: '2' } }, { type: 'merge' });
    assert.equal(untracked.metadata.managedFields, undefined);
    const applied = await client.patch(configMapKind, at, { ...config({ c: '3' }), metadata: { name } }, apply('me'));
    assert.deepEqual(Object.keys(owned(applied.metadata.managedFields)), ['me', 'before-first-apply']);
  }
});

test('kubectl takes over without conflicts what it has applied from the client side', async () => {
  const { client } = await verbBench();
  const lastApplied = JSON.stringify(config({ a: '1' }));
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': lastApplied };
  const draft = { metadata: { ...ref, annotations }, data: { a: '1', theirs: '1' } };
  await client.create(configMapKind, draft, { fieldManager: 'kubectl-client-side-apply' });
  const taken = await client.patch(configMapKind, ref, config({ a: '2' }), apply('kubectl'));
  assert.deepEqual(taken.data, { a: '2', theirs: '1' });
  const kept = taken.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'] ?? '';
  assert.deepEqual((JSON.parse(kept) as { data: object }).data, { a: '2' });
  const others = client.patch(configMapKind, ref, config({ theirs: '2' }), apply('kubectl'));
  await assert.rejects(others, refused(409, /\.data\.theirs$/));
});

const bad: readonly (readonly [what: string, patch: unknown, code: number, words: RegExp])[] = [
  ['another kind', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'web' } }, 400, /invalid object type/],
  ['no kind', { metadata: { name: 'web' } }, 400, /invalid object type/],
  ['another name', config({}, { name: 'other' }), 400, /does not match the name on the URL/],
  ['managedFields', config({}, { managedFields: [] }), 400, /metadata\.managedFields must be nil/],
  ['an unknown field', { ...config({}), dato: {} }, 400, /\.dato: field not declared in schema/],
  ['a uid', config({}, { uid: 'u' }), 409, /uid mismatch/],
  ['a list', [], 400, /must be an object/],
  ['a hostile key', JSON.parse('{"apiVersion":"v1","kind":"ConfigMap","data":{"__proto__":"x"}}'), 400, /not allowed/],
];

for (const [what, patch, code, words] of bad) {
  test(`an apply with ${what} is refused`, async () => {
    const { client } = await verbBench();
    await assert.rejects(client.patch(configMapKind, ref, patch, apply('me')), refused(code, words));
  });
}

test('an apply with a list whose items cannot be told apart is refused', async () => {
  const { client } = await verbBench();
  const spec = (containers: unknown) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: { containers } },
    },
  });
  const twice = [
    { name: 'a', image: 'x' },
    { name: 'a', image: 'y' },
  ];
  await assert.rejects(
    client.patch(deploymentKind, ref, spec(twice), apply('me')),
    refused(400, /duplicate entries for key/),
  );
  await assert.rejects(
    client.patch(deploymentKind, ref, spec([{ image: 'x' }]), apply('me')),
    refused(400, /omits all key fields \["name"\]/),
  );
});
