import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { Maintenance } from './maintenance.ts';

/** Longer than the thread pool takes to begin. */
const COMMIT_MS = 5;

test('a copy that begins in the midst of a commit is made all the same', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-copy-'));
  const path = join(folder, 'store.db');
  const database = new DatabaseSync(path);
  t.after(async () => {
    database.close();
    await rm(folder, { recursive: true });
  });
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE entries (value TEXT)');
  const maintenance = new Maintenance(database, path);
  for (let turn = 0; turn < 10; turn++) {
    const to = join(folder, `copy-${turn}.db`);
    const copying = maintenance.copyTo(to);
    database.exec("BEGIN IMMEDIATE; INSERT INTO entries VALUES ('x')");
    for (const until = performance.now() + COMMIT_MS; performance.now() < until; );
    database.exec('COMMIT');
    await copying;
    const copy = new DatabaseSync(to, { readOnly: true });
    const found = copy.prepare('SELECT count(*) AS entries FROM entries').get();
    // It may have been done before the commit began.
    assert.ok(found?.['entries'] === turn || found?.['entries'] === turn + 1, JSON.stringify(found));
    copy.close();
  }
});
