import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { FakeClock } from '../../../kit/fake-clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { CompactedError, FutureRevisionError, type Store } from '../store.ts';
import { inspectFile } from './inspect.ts';
import { MaintenanceBusyError } from './maintenance.ts';
import { restoreStore, revisionAfterRestore } from './restore.ts';
import { openSqliteStore, type SqliteStore } from './sqlite-store.ts';

const NOW = Date.UTC(2026, 10, 28);

async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-restore-'));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

function open(path: string): Promise<SqliteStore> {
  return openSqliteStore({ path, clock: new FakeClock(), log: silentLog() });
}

async function put(store: Store, key: string, value: string): Promise<number> {
  const result = await store.transact({ compare: [], put: [{ key, value }], delete: [] });
  assert.ok(result.ok);
  return result.revision;
}

test('a copy made while others write is one whole past of the store, by itself and for its owner alone', async (context) => {
  const folder = await temporaryFolder(context);
  const store = await open(join(folder, 'store.db'));
  for (let key = 0; key < 300; key++) await put(store, `/k/${key}`, 'x'.repeat(8000));
  const before = await store.revision();
  const copy = join(folder, 'copy.db');
  let shares = 0;
  const copying = store.maintenance.copyTo(copy, () => (shares += 1));
  await assert.rejects(store.maintenance.copyTo(`${copy}2`), MaintenanceBusyError);
  let during = 0;
  const done = new AbortController();
  void copying.finally(() => done.abort());
  while (!done.signal.aborted) await put(store, '/pair/a', `${during++}`);
  await copying;
  assert.ok(shares > 1 && during > 0);
  const summary = inspectFile(copy);
  assert.ok(summary.revision >= before && summary.revision <= (await store.revision()));
  assert.equal((await stat(copy)).mode & 0o777, 0o600);
  assert.deepEqual((await readdir(folder)).sort(), ['copy.db', 'store.db', 'store.db-wal', 'store.db.owner']);
  const history = await store.list('', { revision: summary.revision });
  await store.close();
  const opened = await open(copy);
  assert.deepEqual((await opened.list('')).entries, history.entries);
  assert.equal(await opened.revision(), summary.revision);
  await opened.close();
});

test('after a restore every watcher of before lists anew, no revision comes twice, and no epoch does', async (context) => {
  const folder = await temporaryFolder(context);
  const path = join(folder, 'store.db');
  const backup = join(folder, 'backup.db');
  const old = await open(path);
  await put(old, '/a', '1');
  await put(old, '/b', '2');
  await old.leases.acquire('leader', 'one', 60_000);
  await old.maintenance.copyTo(backup);
  await put(old, '/a', 'lost');
  const reached = await put(old, '/lost', 'lost');
  await old.leases.release('leader', 'one');
  const lost = await old.leases.acquire('leader', 'two', 60_000);
  await old.close();

  const restored = restoreStore({ backup, path, nowMs: NOW });
  assert.equal(restored.backupRevision, 2);
  assert.equal(restored.keys, 2);
  const store = await open(path);
  assert.deepEqual(
    (await store.list('')).entries.map(({ key, value, revision }) => [key, value, revision]),
    [
      ['/a', '1', 1],
      ['/b', '2', 2],
    ],
  );
  const { signal } = new AbortController();
  for (let known = 0; known <= reached; known++) {
    const watch = store.watch('', { after: known, signal })[Symbol.asyncIterator]();
    await assert.rejects(watch.next(), CompactedError, `watch after ${known}`);
    await assert.rejects(store.list('', { revision: known }), CompactedError);
  }
  await assert.rejects(store.list('', { revision: restored.revision + 1 }), FutureRevisionError);
  const stale = await store.transact({
    compare: [{ key: '/a', revision: reached - 1 }],
    put: [{ key: '/a', value: 'from a client of before' }],
    delete: [],
  });
  assert.equal(stale.ok, false);
  assert.ok((await put(store, '/new', '3')) > reached);
  assert.ok(((await store.leases.acquire('leader', 'three', 60_000))?.epoch ?? 0) > (lost?.epoch ?? 0));
  await store.close();

  const aside = await open(restored.keptAside ?? '');
  assert.equal((await aside.get('/lost'))?.value, 'lost');
  await aside.close();
});

test('whatever is known of the lost store, a restored one begins past it and past every restore before', () => {
  const revision = fc.integer({ min: 0, max: 2 ** 42 });
  fc.assert(
    fc.property(
      fc.array(revision, { minLength: 1 }),
      revision,
      fc.integer({ min: 1, max: 2 ** 36 }),
      (known, writes, laterMs) => {
        const first = revisionAfterRestore(known, NOW);
        assert.ok(known.every((one) => first > one));
        // Nothing is left of the store that was restored first, which wrote less than once a millisecond.
        const reached = first + Math.min(writes, laterMs - 1);
        if (Math.max(...known) < NOW - Date.UTC(2020) - 1_000_000_000) {
          assert.ok(revisionAfterRestore(known, NOW + laterMs) > reached);
        }
      },
    ),
  );
});

test('a broken store is replaced and kept aside, with its log', async (context) => {
  const folder = await temporaryFolder(context);
  const path = join(folder, 'store.db');
  const store = await open(path);
  await put(store, '/a', '1');
  await store.maintenance.copyTo(join(folder, 'backup.db'));
  await store.close();
  await writeFile(path, 'noise'.repeat(3000));
  await writeFile(`${path}-wal`, 'noise'.repeat(3000));
  const { keptAside = '' } = restoreStore({ backup: join(folder, 'backup.db'), path, nowMs: NOW });
  assert.equal((await stat(`${keptAside}-wal`)).size, 15_000);
  const back = await open(path);
  assert.equal((await back.get('/a'))?.value, '1');
  await back.close();
});

test('a restore that was cut short before its last step is refused at the start, and runs again to its end', async (context) => {
  const folder = await temporaryFolder(context);
  const path = join(folder, 'store.db');
  const backup = join(folder, 'backup.db');
  const store = await open(path);
  await put(store, '/a', '1');
  await store.maintenance.copyTo(backup);
  await store.close();
  await writeFile(`${path}.restoring`, 'half of it');
  await rm(path);
  await assert.rejects(open(path), /a restore was cut short; run the same "tutti store restore" again/);
  restoreStore({ backup, path, nowMs: NOW });
  const back = await open(path);
  assert.equal((await back.get('/a'))?.value, '1');
  await back.close();
});

test('what is no sound backup is refused, and the store stays as it is', async (context) => {
  const folder = await temporaryFolder(context);
  const path = join(folder, 'store.db');
  const backup = join(folder, 'backup.db');
  const store = await open(path);
  for (let key = 0; key < 50; key++) await put(store, `/k/${key}`, 'x'.repeat(3000));
  await store.maintenance.copyTo(backup);
  const restore = () => restoreStore({ backup, path, nowMs: NOW });
  assert.throws(restore, /in use by process/);
  assert.throws(
    () => restoreStore({ backup: path, path: `${path}2`, nowMs: NOW }),
    /has a write-ahead log beside it, so it is no backup/,
  );
  await store.close();
  const { size } = await stat(backup);
  for (const cut of [size - 1, size - 4096, Math.floor(size / 2), 50, 0]) {
    await truncate(backup, cut);
    assert.throws(restore, /is no sound backup/, `cut at ${cut}`);
  }
  await rm(backup);
  assert.throws(restore, /there is no such file/);
  const same = await open(path);
  assert.equal((await same.list('/k/')).entries.length, 50);
  await same.close();
});

test('a file of before, which cannot give pages back one by one, is rewritten once and then can', async (context) => {
  const path = join(await temporaryFolder(context), 'store.db');
  await (await open(path)).close();
  const database = new DatabaseSync(path);
  const mode = () => Object.values(database.prepare('PRAGMA auto_vacuum').get() ?? {})[0];
  assert.equal(mode(), 2);
  database.exec('PRAGMA auto_vacuum = NONE; VACUUM');
  assert.equal(mode(), 0);
  database.close();
  const store = await open(path);
  for (let round = 0; round < 2; round++) {
    for (let key = 0; key < 200; key++) await put(store, `/k/${key % 4}`, 'x'.repeat(8000));
    await store.compact(await store.revision());
    await store.maintenance.shrink();
    const { fileBytes, freeBytes } = store.maintenance.figures();
    assert.ok(fileBytes < 200_000 && freeBytes === 0, `${fileBytes}`);
  }
  assert.equal((await store.list('/k/')).entries.length, 4);
  await store.close();
});

test('free pages are given back while others write', async (context) => {
  const folder = await temporaryFolder(context);
  const store = await open(join(folder, 'store.db'));
  for (let key = 0; key < 400; key++) await put(store, `/k/${key % 4}`, 'x'.repeat(8000));
  await store.compact(await store.revision());
  const before = store.maintenance.figures();
  const shrinking = store.maintenance.shrink();
  const during = put(store, '/during', '1');
  await shrinking;
  await during;
  const after = store.maintenance.figures();
  assert.ok(before.fileBytes > 1_000_000 && after.fileBytes < 200_000, JSON.stringify({ before, after }));
  assert.equal((await store.get('/during'))?.value, '1');
  assert.equal((await store.list('/k/')).entries.length, 4);
  await store.close();
});
