import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { configMapKind } from '../../api/kinds/config-map.ts';
import { type Pod, podKind } from '../../api/kinds/pod.ts';
import { secretKind } from '../../api/kinds/secret.ts';
import { writeAtomicFolder } from './atomic-folder.ts';
import { mountsOf, writeVolumes } from './pod-volumes.ts';
import { tokenKey, tokenWishes, type VolumeInput } from './volume-files.ts';

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'volumes-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

function pod(volumes: readonly unknown[], volumeMounts: readonly unknown[] = []): Pod {
  return podKind.schema.parse({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', uid: 'u', labels: { app: 'web', tier: 'front' } },
    spec: {
      volumes,
      containers: [{ name: 'app', image: 'x', volumeMounts, resources: { limits: { memory: '64Mi' } } }],
    },
  });
}

function input(whole: Pod, data: Record<string, string> = { a: '1', b: '2' }): VolumeInput {
  const meta = (name: string) => ({ apiVersion: 'v1', metadata: { name } });
  const map = configMapKind.schema.parse({ ...meta('config'), kind: 'ConfigMap', data });
  const secret = secretKind.schema.parse({ ...meta('keys'), kind: 'Secret', stringData: { key: 'geheim' } });
  return {
    pod: whole,
    place: { nodeName: 'n', hostAddress: '10.0.0.1', podAddress: '127.64.0.1' },
    objects: {
      configMap: (name) => (name === 'config' ? map : undefined),
      secret: (name) => (name === 'keys' ? secret : undefined),
    },
    allocatable: {},
    tokens: new Map(tokenWishes(whole).map((wish) => [tokenKey(wish), 'token'])),
  };
}

const text = (path: string): string => readFileSync(path, 'utf8');
const mode = (path: string): number => statSync(path).mode & 0o777;

test('keys become files, all or the ones that are named, with their modes', async (t) => {
  const root = await folder(t);
  const whole = pod([
    { name: 'all', configMap: { name: 'config' } },
    { name: 'some', configMap: { name: 'config', items: [{ key: 'b', path: 'sub/bee', mode: 0o400 }] } },
    { name: 'keys', secret: { secretName: 'keys', defaultMode: 0o600 } },
  ]);
  await writeVolumes(root, input(whole), 0);
  const at = (...parts: string[]): string => join(root, 'volume-data', ...parts);
  assert.deepEqual([text(at('all', 'a')), text(at('all', 'b')), mode(at('all', 'a'))], ['1', '2', 0o644]);
  assert.deepEqual(
    [text(at('some', 'sub', 'bee')), mode(at('some', 'sub', 'bee')), existsSync(at('some', 'a'))],
    ['2', 0o400, false],
  );
  assert.deepEqual([text(at('keys', 'key')), mode(at('keys', 'key'))], ['geheim', 0o600]);
});

test('a change is swapped in at once: one link is renamed, keys that went are gone', async (t) => {
  const root = await folder(t);
  const whole = pod([{ name: 'config', configMap: { name: 'config' } }]);
  await writeVolumes(root, input(whole), 0);
  const at = join(root, 'volume-data', 'config');
  const before = readlinkSync(join(at, '..data'));
  await writeVolumes(root, input(whole), 1000);
  assert.equal(readlinkSync(join(at, '..data')), before);
  await writeVolumes(root, input(whole, { b: '3', c: '4' }), 2000);
  const after = readlinkSync(join(at, '..data'));
  assert.notEqual(after, before);
  assert.deepEqual(readdirSync(at).toSorted(), ['..data', after, 'b', 'c'].toSorted());
  assert.deepEqual([text(join(at, 'b')), text(join(at, 'c')), readlinkSync(join(at, 'b'))], ['3', '4', '..data/b']);
});

test('an emptyDir is there for everybody, and what is in it stays', async (t) => {
  const root = await folder(t);
  const whole = pod([{ name: 'scratch', emptyDir: {} }]);
  await writeVolumes(root, input(whole), 0);
  const at = join(root, 'volume-data', 'scratch');
  assert.equal(mode(at), 0o777);
  await writeFile(join(at, 'kept'), 'x');
  await writeVolumes(root, input(whole), 1000);
  assert.equal(text(join(at, 'kept')), 'x');
});

test('the downward API and projected volumes show fields, resources and several sources in one folder', async (t) => {
  const root = await folder(t);
  const sources = [
    { configMap: { name: 'config', items: [{ key: 'a', path: 'a' }] } },
    { secret: { name: 'keys' } },
    {
      downwardAPI: {
        items: [
          { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
          { path: 'memory', resourceFieldRef: { containerName: 'app', resource: 'limits.memory', divisor: '1Mi' } },
        ],
      },
    },
    { serviceAccountToken: { path: 'token', audience: 'x' } },
  ];
  const whole = pod([{ name: 'all', projected: { sources } }]);
  await writeVolumes(root, input(whole), 0);
  const at = (name: string): string => join(root, 'volume-data', 'all', name);
  assert.deepEqual(
    ['a', 'key', 'labels', 'memory', 'token'].map((name) => text(at(name))),
    ['1', 'geheim', 'app="web"\ntier="front"', '64', 'token'],
  );
  assert.equal(mode(at('token')), 0o600);
});

const REFUSED: readonly (readonly [what: string, volume: Record<string, unknown>, message: RegExp])[] = [
  [
    'a missing ConfigMap',
    { configMap: { name: 'no' } },
    /^MountVolume.SetUp failed for volume "v" : configmap "no" not found$/,
  ],
  [
    'a missing key',
    { secret: { secretName: 'keys', items: [{ key: 'no', path: 'x' }] } },
    /references non-existent key: no/,
  ],
  ['a kind of volume that is not there', { nfs: { server: 'x', path: '/' } }, /not supported by the process driver/],
  [
    'a hostPath that is not what it should be',
    { hostPath: { path: '/no/such/folder', type: 'Directory' } },
    /is not a directory/,
  ],
  [
    'a path out of the volume',
    { configMap: { name: 'config', items: [{ key: 'a', path: '../a' }] } },
    /not a path inside/,
  ],
];

for (const [what, volume, message] of REFUSED) {
  test(`${what} is refused, with the volume's name`, async (t) => {
    const whole = pod([{ name: 'v', ...volume }]);
    await assert.rejects(writeVolumes(await folder(t), input(whole), 0), { name: 'ConfigError', message });
  });
}

test('what is optional and missing is an empty folder', async (t) => {
  const root = await folder(t);
  await writeVolumes(root, input(pod([{ name: 'v', configMap: { name: 'no', optional: true } }])), 0);
  assert.deepEqual(readdirSync(join(root, 'volume-data', 'v', '..data')), []);
});

test('mounts lead to the volume, to a path in it, or to the host; never out of it', async (t) => {
  const root = await folder(t);
  const volumes = [
    { name: 'data', emptyDir: {} },
    { name: 'host', hostPath: { path: '/srv' } },
  ];
  const mounts = async (volumeMount: Record<string, unknown>): Promise<readonly unknown[]> => {
    const whole = pod(volumes, [{ mountPath: '/m', ...volumeMount }]);
    const [container] = whole.spec.containers;
    return container === undefined ? [] : mountsOf(root, whole, container, { POD: 'web-1' });
  };
  const at = (path: string) => [{ mountPath: '/m', sourcePath: path }];
  assert.deepEqual(await mounts({ name: 'data' }), at(join(root, 'volume-data/data')));
  assert.deepEqual(await mounts({ name: 'data', subPath: 'logs/app' }), at(join(root, 'volume-data/data/logs/app')));
  assert.ok(existsSync(join(root, 'volume-data/data/logs/app')));
  assert.deepEqual(await mounts({ name: 'data', subPathExpr: '$(POD)' }), at(join(root, 'volume-data/data/web-1')));
  assert.deepEqual(await mounts({ name: 'host' }), at('/srv'));
  await assert.rejects(mounts({ name: 'data', subPath: '../../x' }), /must not leave its volume/);
});

test('a path in a volume of objects stays as it was when the container started; one that is missing is a folder', async (t) => {
  const root = await folder(t);
  const volumes = [{ name: 'config', configMap: { name: 'config' } }];
  const whole = pod(volumes, [
    { name: 'config', mountPath: '/etc/whole' },
    { name: 'config', mountPath: '/etc/a', subPath: 'a' },
    { name: 'config', mountPath: '/etc/none', subPath: 'none' },
  ]);
  const [container] = whole.spec.containers;
  assert.ok(container);
  await writeVolumes(root, input(whole), 0);
  const places = (await mountsOf(root, whole, container, {})).map(({ sourcePath }) => sourcePath);
  await writeVolumes(root, input(whole, { a: 'changed' }), 1000);
  const [all = '', one = '', none = ''] = places;
  assert.deepEqual([text(join(all, 'a')), text(one), mode(one), readdirSync(none)], ['changed', '1', 0o644, []]);
  const [, again = ''] = (await mountsOf(root, whole, container, {})).map(({ sourcePath }) => sourcePath);
  assert.equal(text(again), 'changed');
});

test('a path that a link leads out of its volume, and one made of a variable that is not there, are refused', async (t) => {
  const root = await folder(t);
  const whole = (subPath: Record<string, string>): Pod =>
    pod([{ name: 'data', emptyDir: {} }], [{ name: 'data', mountPath: '/m', ...subPath }]);
  const mounts = (one: Pod) => mountsOf(root, one, one.spec.containers[0] ?? { name: 'app' }, { POD: 'web' });
  await writeVolumes(root, input(whole({})), 0);
  await symlink('/etc', join(root, 'volume-data/data/out'));
  await assert.rejects(mounts(whole({ subPath: 'out' })), /subPath "out": leads out of volume "data" by a link/);
  await assert.rejects(mounts(whole({ subPathExpr: '$(NO)/x' })), /the container has no variable NO/);
});

test('a reader never sees a mixture of two sets of files', async (t) => {
  const root = join(await folder(t), 'v');
  const set = (value: string) => ['a', 'b'].map((path) => ({ path, bytes: Buffer.from(value), mode: 0o644 }));
  await writeAtomicFolder(root, set('0'), 0);
  const seen = new Set<string>();
  const written = new AbortController();
  const reading = (async () => {
    while (!written.signal.aborted) {
      const present = join(root, readlinkSync(join(root, '..data')));
      try {
        seen.add(text(join(present, 'a')) + text(join(present, 'b')));
      } catch (error) {
        // The set that was being read has been taken away: a reader begins anew with the next.
        assert.equal((error as NodeJS.ErrnoException).code, 'ENOENT');
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  for (let turn = 1; turn <= 30; turn++) await writeAtomicFolder(root, set(String(turn % 10)), turn * 1000);
  written.abort();
  await reading;
  for (const pair of seen) assert.equal(pair[0], pair[1]);
});
