import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import * as fc from 'fast-check';
import type { ContainerResources } from '../../runtime.ts';
import { Cgroup, sweepCgroups } from './cgroup.ts';
import { cgroupFiles } from './cgroup-files.ts';
import { findMount, groupFolder, ownGroup } from './cgroup-mount.ts';
import { findCgroups } from './find-cgroups.ts';

const FILES: readonly (readonly [resources: ContainerResources, files: Readonly<Record<string, string>>])[] = [
  [{}, { 'cpu.weight': '1' }],
  [{ cpuRequestMillis: 1000 }, { 'cpu.weight': '39' }],
  [{ cpuRequestMillis: 256_000 }, { 'cpu.weight': '10000' }],
  [{ cpuLimitMillis: 500 }, { 'cpu.weight': '1', 'cpu.max': '50000 100000' }],
  [{ cpuLimitMillis: 2500 }, { 'cpu.weight': '1', 'cpu.max': '250000 100000' }],
  [{ cpuLimitMillis: 1 }, { 'cpu.weight': '1', 'cpu.max': '1000 100000' }],
  [{ memoryLimitBytes: 1 << 26 }, { 'cpu.weight': '1', 'memory.max': '67108864', 'memory.oom.group': '1' }],
  [{ memoryLimitBytes: 0, cpuLimitMillis: 0 }, { 'cpu.weight': '1' }],
];

for (const [resources, files] of FILES) {
  test(`resources ${JSON.stringify(resources)} come to ${JSON.stringify(files)}`, () => {
    assert.deepEqual(Object.fromEntries(cgroupFiles(resources).map(({ name, value }) => [name, value])), files);
  });
}

test('whatever is asked for, the kernel takes it: weights of 1 to 10,000, quotas of a millisecond and more', () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.integer({ min: 1, max: 1_000_000 }), (cpuRequestMillis, cpuLimitMillis) => {
      const files = new Map(cgroupFiles({ cpuRequestMillis, cpuLimitMillis }).map(({ name, value }) => [name, value]));
      const weight = Number(files.get('cpu.weight'));
      return weight >= 1 && weight <= 10_000 && Number(files.get('cpu.max')?.split(' ')[0]) >= 1000;
    }),
  );
});

const SYSTEMD = '33 24 0:28 / /sys/fs/cgroup rw,nosuid,nodev - cgroup2 cgroup2 rw,nsdelegate\n';
const HYBRID = [
  '41 30 0:35 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
  '42 30 0:36 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
].join('\n');
const BOUND = '60 50 0:28 /docker/abc /sys/fs/my\\040groups ro - cgroup2 cgroup rw\n';

test('the mount of version 2 is found among others, and a group in it', () => {
  assert.deepEqual(findMount(SYSTEMD), { point: '/sys/fs/cgroup', root: '/' });
  assert.deepEqual(findMount(HYBRID), { point: '/sys/fs/cgroup/unified', root: '/' });
  assert.deepEqual(findMount(BOUND), { point: '/sys/fs/my groups', root: '/docker/abc' });
  assert.equal(findMount('1 2 0:1 / /proc rw - proc proc rw\n'), undefined);
  assert.equal(ownGroup('4:memory:/x\n0::/user.slice/session-1.scope\n'), '/user.slice/session-1.scope');
  assert.equal(ownGroup('4:memory:/x\n'), undefined);
  assert.equal(groupFolder({ point: '/c', root: '/' }, '/'), '/c');
  assert.equal(groupFolder({ point: '/c', root: '/' }, '/a/b'), '/c/a/b');
  assert.equal(groupFolder({ point: '/c', root: '/docker/abc' }, '/docker/abc/d'), '/c/d');
  assert.equal(groupFolder({ point: '/c', root: '/docker/abc' }, '/docker/abcd'), undefined);
});

/** A folder with the files that the kernel has in one. */
async function hierarchy(t: TestContext, controllers: string): Promise<{ root: string; mountinfo: string }> {
  const root = await mkdtemp(join(tmpdir(), 'cgroup-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  for (const group of [root, join(root, 'user.scope')]) {
    mkdirSync(group, { recursive: true });
    writeFileSync(join(group, 'cgroup.controllers'), controllers);
    writeFileSync(join(group, 'cgroup.subtree_control'), '');
  }
  return { root, mountinfo: `33 24 0:28 / ${root} rw - cgroup2 cgroup2 rw\n` };
}

test('root takes a place at the top; others the group that they are in, or the one above the room they made', async (t) => {
  const { root, mountinfo } = await hierarchy(t, 'cpuset cpu io memory pids\n');
  const top = findCgroups('/state/agent/one', { mountinfo, ownCgroup: '0::/user.scope\n', isRoot: true });
  assert.ok(top.ok);
  assert.match(top.folder, new RegExp(`^${root}/tutti-[0-9a-f]{8}$`));
  assert.equal(readFileSync(join(root, 'cgroup.subtree_control'), 'utf8'), '+cpu +memory');
  assert.equal(readFileSync(join(top.folder, 'cgroup.subtree_control'), 'utf8'), '+cpu +memory');
  const own = findCgroups('/state/agent/one', { mountinfo, ownCgroup: '0::/user.scope\n', isRoot: false });
  assert.deepEqual(own, { ok: true, folder: top.folder.replace(root, join(root, 'user.scope')) });
  const again = { mountinfo, ownCgroup: '0::/user.scope/tutti-agent\n', isRoot: false };
  assert.deepEqual(findCgroups('/state/agent/one', again), own);
  const other = findCgroups('/state/agent/two', { ...again, isRoot: true });
  assert.notEqual(other.ok ? other.folder : '', top.folder);
});

test('where groups cannot have limits none is made, and the reason is told', async (t) => {
  const { root, mountinfo } = await hierarchy(t, 'hugetlb cpu\n');
  const host = { mountinfo, ownCgroup: '0::/\n', isRoot: true };
  const why = `the control group ${root} has no memory controller (version 2)`;
  assert.deepEqual(findCgroups('/state', host), { ok: false, why });
  assert.deepEqual(readdirSync(root).toSorted(), ['cgroup.controllers', 'cgroup.subtree_control', 'user.scope']);
  assert.deepEqual(findCgroups('/state', { ...host, mountinfo: '' }), {
    ok: false,
    why: 'control groups version 2 are not mounted here',
  });
});

test('use is read as the kubelet does: the working set leaves out file pages that could go', async (t) => {
  const { root } = await hierarchy(t, 'cpu memory');
  const group = new Cgroup(root);
  assert.deepEqual([group.usage(), group.isOutOfMemory], [undefined, false]);
  writeFileSync(join(root, 'memory.current'), '1000000\n');
  writeFileSync(join(root, 'memory.stat'), 'anon 500000\nfile 400000\ninactive_file 300000\n');
  writeFileSync(join(root, 'cpu.stat'), 'usage_usec 1500\nuser_usec 1000\n');
  writeFileSync(join(root, 'memory.events'), 'low 0\nmax 12\noom 1\noom_kill 2\noom_group_kill 1\n');
  assert.deepEqual(group.usage(), { cpuNanoseconds: 1_500_000, memoryBytes: 700_000 });
  assert.equal(group.isOutOfMemory, true);
});

test('groups of which nothing is written down are swept', async (t) => {
  const { root } = await hierarchy(t, 'cpu memory');
  const parent = join(root, 'tutti');
  for (const name of ['kept', 'stray']) mkdirSync(join(parent, name), { recursive: true });
  sweepCgroups(parent, new Set([join(parent, 'kept')]));
  // A folder of a disk keeps what was written to have all in it killed; a group's files go with it.
  assert.deepEqual(readdirSync(join(parent, 'stray')), ['cgroup.kill']);
  assert.ok(existsSync(join(parent, 'kept')));
  assert.deepEqual(readdirSync(join(parent, 'kept')), []);
  sweepCgroups(join(root, 'missing'), new Set());
});
