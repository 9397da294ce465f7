import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { configMapKind } from '../../api/kinds/config-map.ts';
import { secretKind } from '../../api/kinds/secret.ts';
import { FakeClock } from '../../kit/fake-clock.ts';
import { silentLog } from '../../kit/log.ts';
import { configMapDraft } from '../server/testing/drafts.ts';
import { verbBench } from '../server/testing/verb-bench.ts';
import { openMemoryStore } from '../store/memory/memory-store.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { type Encryption, openEncryption } from './open-encryption.ts';

const PASSWORD = 'hunter2-hunter2-hunter2';
const IN_BASE64 = Buffer.from(PASSWORD).toString('base64');

async function folderOf(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-encryption-'));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

function open(store: Store, keyFile: string, wipe?: () => Promise<void>): Promise<Encryption> {
  return openEncryption({ store, keyFile, makeMissing: true, wipe, log: silentLog() });
}

function secretDraft(name: string) {
  return { metadata: { name, namespace: 'default' }, type: 'Opaque', data: { password: IN_BASE64 } };
}

async function createSecrets(store: Store, values: Encryption['values'] | undefined, names: readonly string[]) {
  const { client } = await verbBench({ store, ...(values === undefined ? {} : { values }) });
  for (const name of names) await client.create(secretKind, secretDraft(name));
  return client;
}

async function storedSecrets(store: Store): Promise<readonly string[]> {
  return (await store.list('/registry/core/secrets/')).entries.map(({ value }) => value);
}

function newSqlite(folder: string) {
  return openSqliteStore({ path: join(folder, 'store.db'), clock: new FakeClock(), log: silentLog() });
}

/** What anyone finds who reads the folder's files as bytes. */
function filesHolding(folder: string, text: string): string {
  try {
    return execFileSync('grep', ['-rlaF', text, folder], { encoding: 'utf8' });
  } catch (error) {
    assert.equal((error as { status?: number }).status, 1);
    return '';
  }
}

test('grep finds a ConfigMap in the store’s files and no Secret, neither as text nor in base64', async (context) => {
  const folder = await folderOf(context);
  const store = await newSqlite(folder);
  const { values } = await open(store, join(folder, 'encryption.key'));
  const client = await createSecrets(store, values, ['a']);
  await client.create(configMapKind, configMapDraft('plain'));
  assert.match(filesHolding(folder, '"plain"'), /store\.db-wal/);
  for (const text of [PASSWORD, IN_BASE64]) assert.equal(filesHolding(folder, text), '');
  await store.maintenance.copyTo(join(folder, 'backup.db'));
  await store.close();
  assert.match(filesHolding(folder, '"plain"'), /backup\.db/);
  for (const text of [PASSWORD, IN_BASE64]) assert.equal(filesHolding(folder, text), '');
});

test('Secrets from before are sealed at the start, and nothing of them is left in the file, its log or its history', async (context) => {
  const folder = await folderOf(context);
  const store = await newSqlite(folder);
  const plain = await createSecrets(store, undefined, ['a', 'b', 'deleted']);
  await plain.delete(secretKind, { namespace: 'default', name: 'deleted' });
  assert.notEqual(filesHolding(folder, IN_BASE64), '');
  const { values } = await open(store, join(folder, 'encryption.key'), () => store.maintenance.rewrite());
  assert.equal(filesHolding(folder, IN_BASE64), '');
  const { client } = await verbBench({ store, values });
  const { items } = await client.list(secretKind);
  assert.deepEqual(
    items.map(({ data }) => data?.['password']),
    [IN_BASE64, IN_BASE64],
  );
  await store.close();
  assert.equal(filesHolding(folder, IN_BASE64), '');
});

test('a start that was cut short before history was wiped goes on with it at the next', async (context) => {
  const folder = await folderOf(context);
  const store = await newSqlite(folder);
  await createSecrets(store, undefined, ['a']);
  const keyFile = join(folder, 'encryption.key');
  await assert.rejects(
    open(store, keyFile, () => Promise.reject(new Error('killed'))),
    /killed/,
  );
  assert.notEqual(filesHolding(folder, IN_BASE64), '');
  await open(store, keyFile, () => store.maintenance.rewrite());
  assert.equal(filesHolding(folder, IN_BASE64), '');
  await store.close();
});

test('the key file is made for its owner alone, once, and read again', async (context) => {
  const keyFile = join(await folderOf(context), 'encryption.key');
  const store = openMemoryStore({ clock: new FakeClock() });
  const first = await open(store, keyFile);
  assert.equal((await stat(keyFile)).mode & 0o777, 0o600);
  const client = await createSecrets(store, first.values, ['a']);
  const second = await open(store, keyFile);
  assert.deepEqual(second.keys(), first.keys());
  assert.equal((await client.get(secretKind, { namespace: 'default', name: 'a' })).data?.['password'], IN_BASE64);
});

test('a key file that is missing, readable by others, of another store or no key file is refused in words', async (context) => {
  const folder = await folderOf(context);
  const keyFile = join(folder, 'encryption.key');
  const store = openMemoryStore({ clock: new FakeClock() });
  const encryption = await open(store, keyFile);
  await createSecrets(store, encryption.values, ['a', 'b']);
  const [id = ''] = encryption.keys();

  await chmod(keyFile, 0o640);
  await assert.rejects(
    open(store, keyFile),
    /others may read or write it \(mode 0640\); run: chmod 600 ".*encryption.key"/,
  );
  await chmod(keyFile, 0o600);

  const missing = join(folder, 'gone.key');
  await assert.rejects(
    open(store, missing),
    new RegExp(`is missing, and 2 Secrets are sealed with key ${id}; put the file back`),
  );
  await assert.rejects(stat(missing), /ENOENT/);

  const other = join(folder, 'other.key');
  await open(openMemoryStore({ clock: new FakeClock() }), other);
  await assert.rejects(
    open(store, other),
    new RegExp(`has no key ${id}, with which 2 Secrets are sealed; add that key`),
  );

  for (const [content, why] of [
    ['', /holds no key/],
    ['# only words\n', /holds no key/],
    ['c2hvcnQ=\n', /line 1 is no key/],
  ] as const) {
    await writeFile(other, content);
    await assert.rejects(open(store, other), why);
  }
  await assert.rejects(open(store, folder), /cannot be read|others may read/);
  const named = {
    store: openMemoryStore({ clock: new FakeClock() }),
    keyFile: missing,
    makeMissing: false,
    log: silentLog(),
  };
  await assert.rejects(openEncryption(named), /is missing; make one with: .*openssl rand -base64 32/);
});

test('the command that the refusal names makes a file that is taken', async (context) => {
  const keyFile = join(await folderOf(context), 'own.key');
  execFileSync('/bin/sh', ['-c', `umask 077; openssl rand -base64 32 > "${keyFile}"`]);
  const store = openMemoryStore({ clock: new FakeClock() });
  const encryption = await openEncryption({ store, keyFile, makeMissing: false, log: silentLog() });
  assert.equal(encryption.keys().length, 1);
});

test('a rotation seals every Secret anew while others write, and the old key still reads what history holds', async (context) => {
  const keyFile = join(await folderOf(context), 'encryption.key');
  const store = openMemoryStore({ clock: new FakeClock() });
  const encryption = await open(store, keyFile);
  const names = Array.from({ length: 450 }, (_, index) => `s${index}`);
  const client = await createSecrets(store, encryption.values, names);
  const before = await store.revision();
  const [oldId = ''] = encryption.keys();
  const rotating = encryption.rotate({ old: 'keep' });
  for (const name of names.slice(0, 50)) {
    await client.patch(secretKind, { namespace: 'default', name }, { data: { more: 'eA==' } }, { type: 'merge' });
  }
  const done = await rotating;
  assert.deepEqual(done.oldKeys, [oldId]);
  assert.deepEqual(encryption.keys(), [done.keyId, oldId]);
  for (const value of await storedSecrets(store)) assert.ok(value.includes(`:${done.keyId}:`));
  const { items } = await client.list(secretKind);
  assert.equal(items.length, 450);
  assert.ok(items.every(({ data }) => data?.['password'] === IN_BASE64));
  assert.equal(items.filter(({ data }) => data?.['more'] === 'eA==').length, 50);
  for await (const event of client.watch(secretKind, {
    resourceVersion: String(before - 1),
    signal: new AbortController().signal,
  })) {
    assert.equal(event.type, 'ADDED');
    break;
  }
});

test('rotations that are asked for at once follow one another, and the file has every key that is needed', async (context) => {
  const keyFile = join(await folderOf(context), 'encryption.key');
  const store = openMemoryStore({ clock: new FakeClock() });
  const encryption = await open(store, keyFile);
  await createSecrets(store, encryption.values, ['a']);
  const done = await Promise.all([1, 2, 3].map(() => encryption.rotate({ old: 'keep' })));
  assert.deepEqual(
    done.map(({ oldKeys }) => oldKeys.length),
    [1, 2, 3],
  );
  const again = await open(store, keyFile);
  assert.deepEqual(again.keys(), encryption.keys());
  assert.equal(again.keys().length, 4);
});

test('old keys leave the file when they are dropped, and a start with the new one alone reads everything', async (context) => {
  const keyFile = join(await folderOf(context), 'encryption.key');
  const store = openMemoryStore({ clock: new FakeClock() });
  const encryption = await open(store, keyFile);
  await createSecrets(store, encryption.values, ['a']);
  const [first] = encryption.keys();
  assert.deepEqual((await encryption.rotate({ old: 'keep' })).oldKeys, [first]);
  const done = await encryption.rotate({ old: 'drop' });
  assert.equal(done.droppedKeys.length, 2);
  assert.equal(
    (await readFile(keyFile, 'utf8')).split('\n').filter((line) => line !== '' && !line.startsWith('#')).length,
    1,
  );
  const again = await open(store, keyFile);
  const { client } = await verbBench({ store, values: again.values });
  assert.equal((await client.get(secretKind, { namespace: 'default', name: 'a' })).data?.['password'], IN_BASE64);
});

test('a value moved to another Secret’s place is refused by name, and not shown', async (context) => {
  const keyFile = join(await folderOf(context), 'encryption.key');
  const store = openMemoryStore({ clock: new FakeClock() });
  const encryption = await open(store, keyFile);
  const client = await createSecrets(store, encryption.values, ['mine', 'theirs']);
  const stolen = await store.get('/registry/core/secrets/default/theirs');
  await store.transact({
    compare: [],
    put: [{ key: '/registry/core/secrets/default/mine', value: stolen?.value ?? '' }],
    delete: [],
  });
  await assert.rejects(client.get(secretKind, { namespace: 'default', name: 'mine' }), (error: Error) => {
    assert.match(
      error.message,
      /"\/registry\/core\/secrets\/default\/mine" cannot be opened: its value was changed, or sealed for another place/,
    );
    assert.ok(!error.message.includes(PASSWORD));
    return true;
  });
  assert.equal((await client.get(secretKind, { namespace: 'default', name: 'theirs' })).data?.['password'], IN_BASE64);
});
