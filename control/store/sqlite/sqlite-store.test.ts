import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../../../kit/fake-clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { storeConformance } from '../conformance.ts';
import type { Store } from '../store.ts';
import { isPassing, refusalOf, StoreRefusedError, unwritable } from './refusal.ts';
import { openSqliteStore } from './sqlite-store.ts';
import { changesAfter } from './testing/held-writes.ts';
import { startWriter } from './testing/writer-process.ts';

storeConformance('sqlite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-store-'));
  const clock = new FakeClock();
  const store = await openSqliteStore({ path: join(folder, 'store.db'), clock, log: silentLog() });
  return {
    store,
    advance: (byMs) => clock.advance(byMs),
    dispose: async () => {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
});

async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-store-'));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

function open(path: string): Promise<Store> {
  return openSqliteStore({ path, clock: new FakeClock(), log: silentLog() });
}

function refusedFor(reason: string, wayBack: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof StoreRefusedError, String(error));
    assert.equal(error.reason, reason);
    assert.match(error.message, wayBack);
    return true;
  };
}

async function put(store: Store, key: string, value: string): Promise<void> {
  assert.ok((await store.transact({ compare: [], put: [{ key, value }], delete: [] })).ok);
}

test('a store opened again has its entries, history, leases and epochs, and its revisions go on', async (context) => {
  const path = join(await temporaryFolder(context), 'deep', 'store.db');
  const first = await open(path);
  for (const value of ['1', '2', '3']) await put(first, '/a', value);
  await first.compact(1);
  await first.leases.acquire('leader', 'one', 10_000);
  await first.close();
  assert.deepEqual(await readdir(join(path, '..')), ['store.db'], 'a closed store leaves one file');
  const second = await open(path);
  assert.equal(await second.revision(), 3);
  await put(second, '/a', '4');
  assert.deepEqual(await second.get('/a'), { key: '/a', value: '4', revision: 4, created: 1 });
  assert.deepEqual(
    (await changesAfter(second, 1)).map(({ revision, previous }) => [revision, previous?.value]),
    [
      [2, '1'],
      [3, '2'],
      [4, '3'],
    ],
  );
  assert.equal(await second.leases.acquire('leader', 'two', 10_000), undefined);
  await second.leases.release('leader', 'one');
  assert.deepEqual(await second.leases.acquire('leader', 'two', 10_000), { epoch: 2 });
  await second.close();
});

test('revisions go on even when the last was a delete that compaction has taken', async (context) => {
  const path = join(await temporaryFolder(context), 'store.db');
  const first = await open(path);
  await put(first, '/a', '1');
  await first.transact({ compare: [], put: [], delete: ['/a'] });
  await first.compact(2);
  await first.close();
  const second = await open(path);
  assert.equal(await second.revision(), 2);
  await put(second, '/a', '3');
  assert.equal((await second.get('/a'))?.revision, 3);
  await second.close();
});

test('only the owner of the file may read it', async (context) => {
  const path = join(await temporaryFolder(context), 'store.db');
  const store = await open(path);
  for (const name of [path, `${path}-wal`]) assert.equal((await stat(name)).mode & 0o077, 0, name);
  await store.close();
});

test('a second opener is told who has the file, and may have it afterwards', async (context) => {
  const path = join(await temporaryFolder(context), 'store.db');
  const store = await open(path);
  const who = new RegExp(
    `in use by process ${process.pid} since 2030-01-01.*; stop it, or choose another state folder`,
  );
  await assert.rejects(open(path), refusedFor('in-use', who));
  await put(store, '/a', 'still written');
  await store.close();
  await (await open(path)).close();
});

test('a second process is refused too, and a killed one leaves the file free', async (context) => {
  const path = join(await temporaryFolder(context), 'store.db');
  const writer = startWriter(path, { round: 0, transactions: 10 });
  await writer.acknowledged(1);
  await assert.rejects(open(path), refusedFor('in-use', new RegExp(`process ${writer.pid} `)));
  await writer.kill();
  await (await open(path)).close();
});

test('what is not a sound store is refused with the way back, and is left as it was', async (context) => {
  const folder = await temporaryFolder(context);
  const noise = join(folder, 'noise.db');
  await writeFile(noise, 'this is not a database\n'.repeat(1000));
  await assert.rejects(
    open(noise),
    refusedFor(
      'corrupt',
      /put a backup in its place with: tutti store restore BACKUP --data ".*" \(keeps this file aside\)/,
    ),
  );

  const torn = join(folder, 'torn.db');
  const store = await open(torn);
  for (let write = 0; write < 200; write++) await put(store, `/k/${write}`, 'x'.repeat(5000));
  await store.close();
  const { size } = await stat(torn);
  await truncate(torn, Math.floor(size / 2));
  await assert.rejects(open(torn), refusedFor('corrupt', /is corrupt/));
  assert.equal((await stat(torn)).size, Math.floor(size / 2));

  const foreign = join(folder, 'foreign.db');
  withDatabase(foreign, 'CREATE TABLE songs (name TEXT)');
  await assert.rejects(open(foreign), refusedFor('foreign', /another program; choose another path/));

  const newer = join(folder, 'newer.db');
  await (await open(newer)).close();
  withDatabase(newer, 'PRAGMA user_version = 99');
  await assert.rejects(open(newer), refusedFor('newer', /has format 99, .* start the newer version/));

  await assert.rejects(open(folder), refusedFor('unreachable', /./));
});

function withDatabase(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

/** Runs a script in a process of its own, `store` being a function that opens the file, and gives what it printed. */
async function run(path: string, script: string, shell = ''): Promise<string> {
  const imports = `
    import { chmodSync } from 'node:fs';
    import { openSqliteStore } from ${JSON.stringify(import.meta.resolve('./sqlite-store.ts'))};
    import { silentLog } from ${JSON.stringify(import.meta.resolve('../../../kit/log.ts'))};
    import { systemClock } from ${JSON.stringify(import.meta.resolve('../../../kit/clock.ts'))};
    const path = ${JSON.stringify(path)};
    const store = () => openSqliteStore({ path, clock: systemClock(), log: silentLog() });`;
  const command = `${shell} exec "$0" --input-type=module -e "$1"`;
  const child = spawn('/bin/sh', ['-c', command, process.execPath, imports + script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.setEncoding('utf8');
  return (await child.stdout.toArray()).join('');
}

test('a file that may not be written is refused with the way back', async (context) => {
  const folder = await temporaryFolder(context);
  const path = join(folder, 'store.db');
  await (await open(path)).close();
  // Permissions do not bind root: it becomes somebody else for the attempt.
  const said = await run(
    path,
    `
    chmodSync(path, 0o444);
    chmodSync(${JSON.stringify(folder)}, 0o755);
    if (process.geteuid() === 0) process.seteuid(65534);
    await store().then(() => console.log('opened'), (error) => console.log(error.reason + ': ' + error.message));`,
  );
  assert.match(said, /^read-only: .*cannot be written .*let this user write the file and its folder/);
});

test('a full disk is told as such, and is no reason to give the store up', () => {
  const database = new DatabaseSync(':memory:');
  database.exec('CREATE TABLE t (x); PRAGMA max_page_count = 2');
  try {
    database.prepare('INSERT INTO t VALUES (?)').run('x'.repeat(100_000));
    assert.fail('the disk was not full');
  } catch (error) {
    assert.equal(isPassing(error), true);
    const refusal = refusalOf('store.db', error);
    assert.equal(refusal?.reason, 'full');
    assert.match(refusal.message, /the disk is full .*; nothing was lost: make room there and try again/);
  }
  for (const [code, reason] of [
    ['ENOSPC', 'full'],
    ['EDQUOT', 'full'],
    ['EROFS', 'read-only'],
    ['EACCES', 'read-only'],
    ['ENOENT', 'unreachable'],
  ]) {
    assert.equal(unwritable('store.db', Object.assign(new Error(code), { code })).reason, reason);
  }
});

test('when the disk fails nothing more is acknowledged, and a new start has all that was', async (context) => {
  const path = join(await temporaryFolder(context), 'store.db');
  const said = await run(
    path,
    `
    const opened = await store();
    const put = (key) => opened.transact({ compare: [], put: [{ key, value: 'x'.repeat(20000) }], delete: [] });
    let written = 0;
    try {
      for (;;) await put('/k/' + written), written++;
    } catch (error) {
      console.log(written, error.message);
    }
    await put('/k/late').catch((error) => console.log(error.message));
    await opened.get('/k/0').catch((error) => console.log(error.message));
    await opened.close();`,
    // In blocks of 512 bytes: a file larger than about a megabyte cannot be written.
    'ulimit -f 2000;',
  );
  const [first = '', ...later] = said.trim().split('\n');
  assert.match(first, /^\d+ disk I\/O error$/);
  assert.equal(later.length, 2);
  for (const line of later) assert.match(line, /a write failed; restart to open it anew$/);
  const store = await open(path);
  const { entries } = await store.list('/k/');
  assert.equal(entries.length, Number.parseInt(first, 10));
  await store.close();
});

test('a watch further behind than memory reaches reads the file', async (context) => {
  const store = await open(join(await temporaryFolder(context), 'store.db'));
  const keys = Array.from({ length: 500 }, (_, index) => `/k/${index}`);
  for (let round = 1; round <= 24; round++) {
    const result = await store.transact({
      compare: [],
      put: keys.map((key) => ({ key, value: `${round}` })),
      delete: [],
    });
    assert.deepEqual(result, { ok: true, revision: round });
  }
  const changes = await changesAfter(store, 0);
  assert.equal(changes.length, 12_000);
  for (const [at, { revision, value, previous }] of changes.entries()) {
    const round = Math.floor(at / 500) + 1;
    assert.deepEqual([revision, value, previous?.revision ?? 0], [round, `${round}`, round - 1]);
  }
  await store.close();
});

test('compaction keeps the file from growing while the same keys are written again', async (context) => {
  const path = join(await temporaryFolder(context), 'store.db');
  const store = await open(path);
  const sizes: number[] = [];
  for (let round = 0; round < 12; round++) {
    for (let write = 0; write < 20; write++) {
      await Promise.all(Array.from({ length: 25 }, (_, key) => put(store, `/k/${key}`, 'x'.repeat(2000))));
    }
    await store.compact(await store.revision());
    sizes.push((await stat(path)).size);
  }
  assert.ok((sizes.at(-1) ?? 0) <= (sizes[3] ?? 0) * 1.1, `sizes: ${sizes.join(', ')}`);
  await store.close();
});
