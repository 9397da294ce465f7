import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../../kit/fake-clock.ts';
import { openMemoryStore } from '../store/memory/memory-store.ts';
import { openBundle, sealBundle } from './sealed-bundle.ts';
import { SharedAuthority, SharedAuthorityError } from './shared-authority.ts';

async function member(t: TestContext, files: Record<string, string> = {}) {
  const stateFolder = await mkdtemp(join(tmpdir(), 'tutti-shared-'));
  t.after(() => rm(stateFolder, { recursive: true, force: true }));
  const keyPath = join(stateFolder, 'store.key');
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(join(stateFolder, 'ca'), { recursive: true });
    await writeFile(join(stateFolder, path), text, { mode: 0o600 });
  };
  for (const [path, text] of Object.entries(files)) await write(path, text);
  const read = (path: string): Promise<string> => readFile(join(stateFolder, path), 'utf8');
  return { stateFolder, keyPath, write, read, authority: new SharedAuthority({ stateFolder, keyPath }) };
}

function refused(words: RegExp) {
  return (error: unknown) => error instanceof SharedAuthorityError && words.test(error.message);
}

const CLUSTER = {
  'ca/ca.key': 'key',
  'ca/ca.crt': 'certificate',
  'ca/service-account.key': 'tokens',
  'encryption.key': 'secrets',
};

test('the first leader gives the keys of the cluster, and others with the store key take them, closed to others', async (t) => {
  const store = openMemoryStore({ clock: new FakeClock() });
  const first = await member(t, CLUSTER);
  assert.equal(await first.authority.take(store), false);
  await first.authority.give(store);
  const [entry] = (await store.list('')).entries;
  assert.ok(!entry?.value.includes('tokens'));
  const second = await member(t);
  await copyFile(first.keyPath, second.keyPath);
  assert.equal(await second.authority.take(store), true);
  for (const [path, text] of Object.entries(CLUSTER)) assert.equal(await second.read(path), text);
  assert.equal((await stat(join(second.stateFolder, 'ca', 'ca.key'))).mode & 0o777, 0o600);
  const revision = await store.revision();
  await second.authority.give(store);
  await first.authority.give(store);
  assert.equal(await store.revision(), revision);
});

test('keys that the leader has rotated reach the others, and those that are gone are not left behind as current', async (t) => {
  const store = openMemoryStore({ clock: new FakeClock() });
  const first = await member(t, CLUSTER);
  await first.authority.give(store);
  const second = await member(t);
  await copyFile(first.keyPath, second.keyPath);
  await second.authority.take(store);
  await first.write('ca/ca.crt', 'rotated');
  await first.authority.give(store);
  assert.equal(await second.authority.take(store), true);
  assert.equal(await second.read('ca/ca.crt'), 'rotated');
});

test('without the store key, with a wrong, broken or open one, or with other keys of its own, a member is refused', async (t) => {
  const store = openMemoryStore({ clock: new FakeClock() });
  const first = await member(t, CLUSTER);
  await first.authority.give(store);
  const second = await member(t);
  await assert.rejects(second.authority.take(store), refused(/store\.key": not found.*copy the file.*--store-key/));
  await writeFile(second.keyPath, randomBytes(32).toString('base64'), { mode: 0o600 });
  await assert.rejects(second.authority.take(store), refused(/does not open .* another cluster's/));
  await writeFile(second.keyPath, 'short');
  await assert.rejects(second.authority.take(store), refused(/holds \d+ bytes, 32 in base64.*openssl rand -base64 32/));
  await chmod(second.keyPath, 0o644);
  await assert.rejects(second.authority.take(store), refused(/has mode 644.*chmod 600/));
  const third = await member(t, { 'ca/ca.crt': 'of my own' });
  await copyFile(first.keyPath, third.keyPath);
  await assert.rejects(third.authority.take(store), refused(/is not the one of the cluster.*move the folder aside/));
  assert.equal(await third.read('ca/ca.crt'), 'of my own');
});

test('a sealed bundle opens with its key alone, whole, and is never the same twice', () => {
  const key = randomBytes(32);
  const bundle = { 'ca/ca.key': 'ü✓' };
  const sealed = sealBundle(bundle, key);
  assert.deepEqual(openBundle(sealed, key), bundle);
  assert.notEqual(sealBundle(bundle, key), sealed);
  assert.equal(openBundle(sealed, randomBytes(32)), undefined);
  for (let at = 0; at < Buffer.from(sealed, 'base64').length; at++) {
    const bytes = Buffer.from(sealed, 'base64');
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    assert.equal(openBundle(bytes.toString('base64'), key), undefined);
  }
  assert.equal(openBundle('', key), undefined);
});
