import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  CoreV1Api,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
  type V1ObjectMeta,
  Watch,
} from '@kubernetes/client-node';
import { configMapKind } from '../../api/kinds/config-map.ts';
import { startTestApiServer, type TestApiServer } from '../support/api-server.ts';
import { eventually } from '../support/eventually.ts';

let api: TestApiServer;
let config: KubeConfig;
let core: CoreV1Api;

before(async () => {
  api = await startTestApiServer();
  config = new KubeConfig();
  config.loadFromFile(api.kubeconfig);
  core = config.makeApiClient(CoreV1Api);
});

after(() => api.close());

const namespace = 'default';
const configMap = (name: string, value: string): V1ConfigMap => ({ metadata: { name }, data: { value } });
const path = `/api/v1/namespaces/${namespace}/configmaps`;

function informer() {
  const made = makeInformer(config, path, () => core.listNamespacedConfigMap({ namespace }));
  const heard: string[] = [];
  for (const verb of ['add', 'update', 'delete'] as const) {
    made.on(verb, ({ metadata, data }: V1ConfigMap) => {
      heard.push(`${verb} ${metadata?.name ?? ''}=${data?.['value'] ?? ''}`);
    });
  }
  // It does not start anew by itself after an error (its documentation leaves that to its user), and stopping it is one.
  let wanted = true;
  made.on('error', () => {
    if (wanted) void made.start();
  });
  const start = (): Promise<void> => {
    wanted = true;
    return made.start();
  };
  const stop = (): Promise<void> => {
    wanted = false;
    return made.stop();
  };
  return { list: () => made.list(), heard, start, stop };
}

test('an informer of @kubernetes/client-node hears of every change once', async () => {
  const { heard, ...following } = informer();
  await core.createNamespacedConfigMap({ namespace, body: configMap('before', '0') });
  await following.start();
  try {
    await core.createNamespacedConfigMap({ namespace, body: configMap('a', '1') });
    for (const value of ['2', '3']) {
      const patch = { data: { value } };
      await core.patchNamespacedConfigMap(
        { namespace, name: 'a', body: patch },
        setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
      );
    }
    await core.deleteNamespacedConfigMap({ namespace, name: 'a' });
    await eventually('the deletion is heard', () => heard.includes('delete a=3'));
    assert.deepEqual(heard, ['add before=0', 'add a=1', 'update a=2', 'update a=3', 'delete a=3']);
    assert.deepEqual(
      following.list().map(({ metadata }) => metadata?.name),
      ['before'],
    );
  } finally {
    await following.stop();
  }
});

test('an informer that fell out of history lists anew and goes on without a gap', async () => {
  const { heard, ...following } = informer();
  await following.start();
  try {
    await core.createNamespacedConfigMap({ namespace, body: configMap('old', '1') });
    await eventually('the creation is heard', () => heard.includes('add old=1'));
    await following.stop();
    await core.deleteNamespacedConfigMap({ namespace, name: 'old' });
    await core.createNamespacedConfigMap({ namespace, body: configMap('new', '1') });
    await api.store.compact(await api.store.revision());
    await following.start();
    await eventually('what came is heard', () => heard.includes('add new=1'));
    await eventually('what went is heard', () => heard.includes('delete old=1'));
  } finally {
    await following.stop();
  }
});

test('a watch from a version that is compacted gets an ERROR event with code 410', async () => {
  await api.client.create(configMapKind, { metadata: { name: 'w', namespace }, data: {} });
  await api.store.compact(await api.store.revision());
  const { promise, resolve } = Promise.withResolvers<{ phase: string; code: number }>();
  const watching = await new Watch(config).watch(
    path,
    { resourceVersion: '1', allowWatchBookmarks: true },
    (phase: string, object: { code: number }) => resolve({ phase, code: object.code }),
    () => undefined,
  );
  assert.deepEqual(await promise, { phase: 'ERROR', code: 410 });
  watching.abort();
});

test('the object API finds kinds by discovery and creates, reads, patches and deletes', async () => {
  const objects = KubernetesObjectApi.makeApiClient(config);
  const route = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'web', namespace },
    spec: { parentRefs: [{ name: 'edge' }], rules: [{ backendRefs: [{ name: 'web', port: 80 }] }] },
  };
  const created = await objects.create(route);
  assert.equal((created.metadata as V1ObjectMeta).generation, 1);
  const patched = await objects.patch(
    { ...route, metadata: { ...route.metadata, labels: { tier: 'front' } } },
    undefined,
    undefined,
    undefined,
    undefined,
    PatchStrategy.MergePatch,
  );
  assert.equal(patched.metadata?.labels?.['tier'], 'front');
  assert.equal((await objects.read(route)).metadata?.name, 'web');
  await objects.delete(route);
  await assert.rejects(objects.read(route), /404/);
});
