import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Draft } from '../../../api/client/client.ts';
import { configMapKind } from '../../../api/kinds/config-map.ts';
import { deploymentKind } from '../../../api/kinds/deployment.ts';
import { leaseKind } from '../../../api/kinds/lease.ts';
import { namespaceKind } from '../../../api/kinds/namespace.ts';
import { type Node, nodeKind } from '../../../api/kinds/node.ts';
import { podKind } from '../../../api/kinds/pod.ts';
import { proxyKind } from '../../../api/kinds/proxy.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { configMapDraft, deploymentDraft, podDraft } from '../testing/drafts.ts';
import { verbBench, writeAs } from '../testing/verb-bench.ts';
import { createObject } from './create.ts';
import { deleteCollection } from './delete-collection.ts';
import { patchObject } from './patch.ts';
import { getScale, setScale } from './scale.ts';
import { updateObject } from './update.ts';

function refusedWith(code: number, words: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof ApiError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, words);
    return true;
  };
}

test('a new object gets name, identity, age and version from the server, whatever the client says', async () => {
  const { client } = await verbBench();
  const draft = podDraft('web');
  const lies = {
    uid: 'mine',
    generation: 9,
    creationTimestamp: '1999-01-01T00:00:00Z',
    deletionTimestamp: '1999-01-01T00:00:00Z',
  };
  const pod = await client.create(podKind, { ...draft, metadata: { ...draft.metadata, ...lies } });
  assert.equal(pod.metadata.creationTimestamp, '2030-01-01T00:00:00Z');
  assert.match(pod.metadata.uid, /^[0-9a-f-]{36}$/);
  assert.equal(pod.metadata.generation, 1);
  assert.equal(pod.metadata.deletionTimestamp, undefined);
  assert.match(pod.metadata.resourceVersion, /^\d+$/);
  assert.equal(pod.status.phase, 'Pending');
});

test('what is handed out is frozen all the way down', async () => {
  const { client } = await verbBench();
  const pod = await client.create(podKind, podDraft('web'));
  assert.throws(() => void (pod.metadata.labels = {}), TypeError);
  assert.throws(() => void pod.spec.containers.pop(), TypeError);
});

test('generateName makes names that are free', async () => {
  const { client } = await verbBench();
  const draft = { ...podDraft(''), metadata: { generateName: 'web-', namespace: 'default' } };
  const made = await Promise.all(Array.from({ length: 20 }, () => client.create(podKind, draft)));
  const names = new Set(made.map(({ metadata }) => metadata.name));
  assert.equal(names.size, 20);
  for (const name of names) assert.match(name, /^web-[b-z2-9]{5}$/);
});

test('a name that is taken is refused with 409, also in a dry run, and a dry run stores nothing', async () => {
  const { client } = await verbBench();
  const dry = await client.create(configMapKind, configMapDraft('a'), { dryRun: true });
  assert.equal(dry.metadata.resourceVersion, undefined);
  await client.create(configMapKind, configMapDraft('a'));
  for (const dryRun of [true, false]) {
    await assert.rejects(
      client.create(configMapKind, configMapDraft('a'), { dryRun }),
      refusedWith(409, /^configmaps "a" already exists$/),
    );
  }
});

test('an object needs a namespace that is there and stays', async () => {
  const { client } = await verbBench();
  const draft = { metadata: { name: 'a', namespace: 'shop' } };
  await assert.rejects(client.create(configMapKind, draft), refusedWith(404, /^namespaces "shop" not found$/));
  await client.create(namespaceKind, { metadata: { name: 'shop' }, spec: {}, status: { phase: 'Active' } });
  await client.create(configMapKind, draft);
  await client.delete(namespaceKind, { name: 'shop' });
  await assert.rejects(
    client.create(configMapKind, { metadata: { name: 'b', namespace: 'shop' } }),
    refusedWith(403, /because it is being terminated/),
  );
});

test('a namespace ends when its content finalizer is taken out', async () => {
  const { client } = await verbBench();
  await client.create(namespaceKind, { metadata: { name: 'shop' }, spec: {}, status: { phase: 'Active' } });
  await client.delete(namespaceKind, { name: 'shop' });
  const ending = await client.get(namespaceKind, { name: 'shop' });
  assert.equal(ending.status.phase, 'Terminating');
  await client.update(namespaceKind, { ...ending, spec: { finalizers: [] } });
  await assert.rejects(client.get(namespaceKind, { name: 'shop' }), refusedWith(404, /not found/));
});

test('the content finalizer of a namespace that lives cannot be taken out', async () => {
  const { client } = await verbBench();
  const live = await client.get(namespaceKind, { name: 'default' });
  const updated = await client.update(namespaceKind, { ...live, spec: { finalizers: [] } });
  assert.deepEqual(updated.spec.finalizers, ['kubernetes']);
  await assert.rejects(client.delete(namespaceKind, { name: 'default' }), refusedWith(403, /may not be deleted/));
});

test('an update that was decided on an older version is refused with 409', async () => {
  const { client } = await verbBench();
  const first = await client.create(configMapKind, configMapDraft('a', { x: '1' }));
  await client.update(configMapKind, { ...first, data: { x: '2' } });
  await assert.rejects(
    client.update(configMapKind, { ...first, data: { x: '3' } }),
    refusedWith(409, /the object has been modified/),
  );
  assert.deepEqual((await client.get(configMapKind, { namespace: 'default', name: 'a' })).data, { x: '2' });
});

test('of two writers at once, one wins and the other is told', async () => {
  const { client } = await verbBench();
  const first = await client.create(configMapKind, configMapDraft('a'));
  const results = await Promise.allSettled(
    ['1', '2', '3'].map((x) => client.update(configMapKind, { ...first, data: { x } })),
  );
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
});

test('a change that changes nothing writes nothing', async () => {
  const { client, store } = await verbBench();
  const first = await client.create(deploymentKind, deploymentDraft('web'));
  const before = await store.revision();
  const same = await client.update(deploymentKind, first);
  await client.patch(
    deploymentKind,
    { namespace: 'default', name: 'web' },
    { spec: { replicas: 2 } },
    { type: 'merge' },
  );
  assert.equal(await store.revision(), before);
  assert.equal(same.metadata.resourceVersion, first.metadata.resourceVersion);
});

test('generation counts changes of what is wanted, and of nothing else', async () => {
  const { client } = await verbBench();
  const ref = { namespace: 'default', name: 'web' };
  const first = await client.create(deploymentKind, deploymentDraft('web'));
  assert.equal(first.metadata.generation, 1);
  const labelled = await client.patch(deploymentKind, ref, { metadata: { labels: { a: 'b' } } }, { type: 'merge' });
  assert.equal(labelled.metadata.generation, 1);
  const status = await client.updateStatus(deploymentKind, { ...labelled, status: { replicas: 2 } });
  assert.equal(status.metadata.generation, 1);
  const scaled = await client.patch(deploymentKind, ref, { spec: { replicas: 3 } }, { type: 'merge' });
  assert.equal(scaled.metadata.generation, 2);
});

test('status is written by its subresource alone, and the subresource writes nothing else', async () => {
  const { client } = await verbBench();
  const first = await client.create(deploymentKind, { ...deploymentDraft('web'), status: { replicas: 7 } });
  assert.equal(first.status.replicas, undefined);
  const updated = await client.update(deploymentKind, { ...first, status: { replicas: 7 } });
  assert.equal(updated.status.replicas, undefined);
  const written = await client.updateStatus(deploymentKind, {
    ...updated,
    metadata: { ...updated.metadata, labels: { stolen: 'yes' } },
    spec: { ...updated.spec, replicas: 99 },
    status: { replicas: 7 },
  });
  assert.deepEqual([written.status.replicas, written.spec.replicas, written.metadata.labels], [7, 2, { app: 'web' }]);
});

test('a node brings its status when it registers', async () => {
  const { client } = await verbBench();
  const addresses = [{ type: 'InternalIP', address: '127.0.0.1' }];
  const draft = { metadata: { name: 'a' }, spec: {}, status: { addresses } };
  const node = await client.create(nodeKind, draft as unknown as Draft<Node>);
  assert.deepEqual(node.status.addresses, addresses);
});

test('identity cannot be changed: name, namespace and uid of the body must be those of the object', async () => {
  const { client, verbs } = await verbBench();
  const first = await client.create(configMapKind, configMapDraft('a'));
  const ref = { namespace: 'default', name: 'a' };
  const update = (metadata: object) =>
    updateObject(verbs, configMapKind, { ...writeAs(), ref, input: { ...first, metadata } });
  await assert.rejects(
    update({ ...first.metadata, name: 'b' }),
    refusedWith(400, /does not match the name on the URL/),
  );
  await assert.rejects(update({ ...first.metadata, namespace: 'x' }), refusedWith(400, /namespace/));
  await assert.rejects(update({ ...first.metadata, uid: 'other' }), refusedWith(409, /UID in precondition/));
});

test('a PUT without a version replaces a core object and is refused for a lease', async () => {
  const { client, verbs } = await verbBench();
  const { metadata, ...rest } = await client.create(configMapKind, configMapDraft('a', { x: '1' }));
  const { resourceVersion: _, ...unversioned } = metadata;
  const ref = { namespace: 'default', name: 'a' };
  const replaced = await updateObject(verbs, configMapKind, {
    ...writeAs(),
    ref,
    input: { ...rest, metadata: unversioned, data: { x: '2' } },
  });
  assert.deepEqual(replaced.data, { x: '2' });
  const lease = await client.create(leaseKind, { metadata: ref, spec: { holderIdentity: 'me' } });
  const input = { ...lease, metadata: { ...ref }, spec: { holderIdentity: 'you' } };
  await assert.rejects(
    updateObject(verbs, leaseKind, { ...writeAs(), ref, input }),
    refusedWith(422, /metadata\.resourceVersion: .*must be specified for an update/),
  );
});

test('a PUT that leaves the namespace out keeps the object where its path says', async () => {
  const { client, verbs } = await verbBench();
  await client.create(configMapKind, configMapDraft('a', { x: '1' }));
  const ref = { namespace: 'default', name: 'a' };
  const input = { metadata: { name: 'a' }, data: { x: '2' } };
  const replaced = await updateObject(verbs, configMapKind, { ...writeAs(), ref, input });
  assert.deepEqual([replaced.metadata.namespace, replaced.data], ['default', { x: '2' }]);
});

test('a patch is applied to what is there when it is written, so that patches at once all count', async () => {
  const { client } = await verbBench();
  await client.create(configMapKind, configMapDraft('a'));
  const keys = ['b', 'c', 'd', 'e'];
  const ref = { namespace: 'default', name: 'a' };
  await Promise.all(keys.map((key) => client.patch(configMapKind, ref, { data: { [key]: '1' } }, { type: 'merge' })));
  assert.deepEqual(Object.keys((await client.get(configMapKind, ref)).data ?? {}).sort(), keys);
});

test('a patch that names a version is refused when that has passed', async () => {
  const { client } = await verbBench();
  const first = await client.create(configMapKind, configMapDraft('a'));
  const ref = { namespace: 'default', name: 'a' };
  await client.patch(configMapKind, ref, { data: { b: '1' } }, { type: 'merge' });
  const { resourceVersion } = first.metadata;
  const patch = { metadata: { resourceVersion }, data: { c: '1' } };
  await assert.rejects(client.patch(configMapKind, ref, patch, { type: 'merge' }), refusedWith(409, /modified/));
});

test('strategic merge finds list items by their key', async () => {
  const { client } = await verbBench();
  await client.create(deploymentKind, deploymentDraft('web'));
  const patch = { spec: { template: { spec: { containers: [{ name: 'app', env: [{ name: 'A', value: '1' }] }] } } } };
  const patched = await client.patch(deploymentKind, { namespace: 'default', name: 'web' }, patch, {
    type: 'strategic',
  });
  const [container] = patched.spec.template.spec.containers;
  assert.equal(container?.image, 'shop/web:v1');
  assert.deepEqual(container?.env, [{ name: 'A', value: '1' }]);
});

test('unknown fields are refused, told or dropped, as the client wants', async () => {
  const { verbs } = await verbBench();
  const input = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: {}, dat: { a: 'b' } };
  const write = (fieldValidation: 'Ignore' | 'Warn' | 'Strict') => {
    const request = { ...writeAs(), fieldValidation, dryRun: true, namespace: 'default', input };
    return { request, made: createObject(verbs, configMapKind, request) };
  };
  await assert.rejects(
    write('Strict').made,
    refusedWith(
      400,
      /^ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dat"$/,
    ),
  );
  const warned = write('Warn');
  assert.equal('dat' in (await warned.made), false);
  assert.deepEqual(warned.request.warnings, ['unknown field "dat"']);
  const ignored = write('Ignore');
  await ignored.made;
  assert.deepEqual(ignored.request.warnings, []);
});

test('what is accepted and not acted on is told in a warning', async () => {
  const { verbs } = await verbBench();
  const draft = podDraft('web', { hostNetwork: true });
  const request = { ...writeAs(), namespace: 'default', input: { apiVersion: 'v1', kind: 'Pod', ...draft } };
  await createObject(verbs, podKind, request);
  assert.match(request.warnings.join('\n'), /spec\.hostNetwork/);
});

test('scale shows and sets replicas, and refuses an older version', async () => {
  const { client, verbs } = await verbBench();
  const ref = { namespace: 'default', name: 'web' };
  const first = await client.create(deploymentKind, deploymentDraft('web', 2));
  const scale = await getScale(verbs, deploymentKind, ref);
  assert.deepEqual([scale.spec.replicas, scale.status.selector], [2, 'app=web']);
  const set = await setScale(
    verbs,
    deploymentKind,
    { ...writeAs(), ref },
    { input: { ...scale, spec: { replicas: 0 } } },
  );
  assert.equal(set.spec.replicas, 0);
  await assert.rejects(
    setScale(verbs, deploymentKind, { ...writeAs(), ref }, { input: { ...scale, spec: { replicas: 5 } } }),
    refusedWith(409, /modified/),
  );
  const patched = await setScale(
    verbs,
    deploymentKind,
    { ...writeAs(), ref },
    { type: 'merge', patch: { spec: { replicas: 4 } } },
  );
  assert.equal(patched.spec.replicas, 4);
  const after = await client.get(deploymentKind, ref);
  assert.deepEqual([after.spec.replicas, after.metadata.uid], [4, first.metadata.uid]);
});

test('a finalizer holds an object until it is taken out, and none can be added meanwhile', async () => {
  const { client } = await verbBench();
  const ref = { namespace: 'default', name: 'a' };
  const draft = configMapDraft('a');
  await client.create(configMapKind, { ...draft, metadata: { ...draft.metadata, finalizers: ['x.example/y'] } });
  await client.delete(configMapKind, ref);
  const held = await client.get(configMapKind, ref);
  assert.equal(held.metadata.deletionTimestamp, '2030-01-01T00:00:00Z');
  const finalizers = ['x.example/y', 'x.example/z'];
  await assert.rejects(
    client.update(configMapKind, { ...held, metadata: { ...held.metadata, finalizers } }),
    refusedWith(422, /no new finalizers can be added/),
  );
  await client.update(configMapKind, { ...held, metadata: { ...held.metadata, finalizers: [] } });
  await assert.rejects(client.get(configMapKind, ref), refusedWith(404, /not found/));
});

test('a pod on a node stays until its agent deletes it with grace 0', async () => {
  const { client } = await verbBench();
  const ref = { namespace: 'default', name: 'web' };
  await client.create(podKind, podDraft('web', { nodeName: 'a' }));
  await client.delete(podKind, ref, { gracePeriodSeconds: 7 });
  const ending = await client.get(podKind, ref);
  assert.equal(ending.metadata.deletionTimestamp, '2030-01-01T00:00:07Z');
  await client.delete(podKind, ref, { gracePeriodSeconds: 0, preconditions: { uid: ending.metadata.uid } });
  await assert.rejects(client.get(podKind, ref), refusedWith(404, /not found/));
});

test('preconditions protect what came after', async () => {
  const { client } = await verbBench();
  const ref = { namespace: 'default', name: 'a' };
  const first = await client.create(configMapKind, configMapDraft('a'));
  await assert.rejects(
    client.delete(configMapKind, ref, { preconditions: { uid: 'another' } }),
    refusedWith(409, /does not match the UID in record/),
  );
  await client.patch(configMapKind, ref, { data: { b: '1' } }, { type: 'merge' });
  const { resourceVersion } = first.metadata;
  await assert.rejects(
    client.delete(configMapKind, ref, { preconditions: { resourceVersion } }),
    refusedWith(409, /does not match the ResourceVersion in record/),
  );
});

test('deletecollection deletes what is selected and nothing else', async () => {
  const { client, verbs } = await verbBench();
  for (const name of ['a', 'b', 'c']) await client.create(podKind, podDraft(name));
  await deleteCollection(verbs, podKind, { user: writeAs().user, namespace: 'default', labelSelector: 'app in (a,b)' });
  const left = await client.list(podKind);
  assert.deepEqual(
    left.items.map(({ metadata }) => metadata.name),
    ['c'],
  );
});

test('live kinds can be read and not written', async () => {
  const { client, verbs } = await verbBench();
  assert.deepEqual((await client.list(proxyKind)).items, []);
  const ref = { namespace: 'default', name: 'a' };
  await assert.rejects(
    patchObject(verbs, proxyKind, { ...writeAs(), ref, type: 'merge', patch: {} }),
    refusedWith(405, /not supported/),
  );
});

test('an object over the limit of the store is refused with 413', async () => {
  const { client } = await verbBench();
  const annotations = Object.fromEntries(Array.from({ length: 2 }, (_, index) => [`a${index}`, 'x'.repeat(100_000)]));
  const draft = podDraft('big', {});
  const containers = [{ name: 'app', image: 'x:v1', args: ['y'.repeat(1_500_000)] }];
  const big = { ...draft, metadata: { ...draft.metadata, annotations }, spec: { containers } };
  await assert.rejects(client.create(podKind, big as unknown as typeof draft), refusedWith(413, /too large/));
});
