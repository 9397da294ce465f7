import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FakeClock } from '../../../kit/fake-clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { runCompaction } from '../compaction.ts';
import { openSqliteStore } from './sqlite-store.ts';

const PODS = 200;
const STATUS_EVERY_MINUTES = 5;
const EVENTS_A_MINUTE = 10;
const EVENT_LIFE_MINUTES = 60;
const NODES = 10;
const MINUTE_MS = 60_000;
const MIB = 1024 * 1024;

test('a day of status writes, Events and leases leaves the file and its log no larger than the first hours did', async (context) => {
  // It is the size that counts here: where there is memory for it, nothing waits for a disk.
  const folder = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'tutti-churn-'));
  context.after(() => rm(folder, { recursive: true }));
  const clock = new FakeClock();
  const store = await openSqliteStore({ path: join(folder, 'store.db'), clock, log: silentLog() });
  const ended = new AbortController();
  const compaction = runCompaction({ store, clock, log: silentLog(), signal: ended.signal });

  let written = 0;
  const put = async (key: string, value: string): Promise<void> => {
    written += value.length;
    assert.ok((await store.transact({ compare: [], put: [{ key, value }], delete: [] })).ok);
  };
  const sizes: { readonly fileBytes: number; readonly logBytes: number }[] = [];
  for (let minute = 0; minute < 24 * 60; minute++) {
    const work: Promise<unknown>[] = [];
    for (let pod = minute % STATUS_EVERY_MINUTES; pod < PODS; pod += STATUS_EVERY_MINUTES) {
      work.push(put(`/registry/core/pods/default/p${pod}`, `${minute} ${'s'.repeat(3200)}`));
    }
    for (let event = 0; event < EVENTS_A_MINUTE; event++) {
      work.push(put(`/registry/core/events/default/e${minute}-${event}`, 'e'.repeat(700)));
      const old = `/registry/core/events/default/e${minute - EVENT_LIFE_MINUTES}-${event}`;
      work.push(store.transact({ compare: [], put: [], delete: [old] }));
    }
    for (let renewal = 0; renewal < NODES * 6; renewal++) {
      work.push(store.leases.acquire(`node-${renewal % NODES}`, 'agent', 40_000));
    }
    await Promise.all(work);
    await clock.advance(MINUTE_MS);
    sizes.push(store.maintenance.figures());
  }
  ended.abort();
  await compaction;

  const early = sizes.slice(0, 3 * 60);
  const late = sizes.slice(3 * 60);
  const largest = (of: typeof sizes, what: 'fileBytes' | 'logBytes') => Math.max(...of.map((one) => one[what]));
  const told = `${(written / MIB).toFixed(0)} MiB written, file ${largest(late, 'fileBytes') / MIB} MiB, log ${largest(late, 'logBytes') / MIB} MiB`;
  context.diagnostic(told);
  assert.ok(written > 150 * MIB, told);
  assert.ok(largest(late, 'fileBytes') <= largest(early, 'fileBytes') * 1.05, told);
  assert.ok(largest(late, 'fileBytes') < 10 * MIB, told);
  assert.ok(largest(sizes, 'logBytes') < 6 * MIB, told);
  assert.equal((await store.list('/registry/core/pods/')).entries.length, PODS);
  await store.close();
});

test('one very large write does not leave its log behind', async (context) => {
  const folder = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'tutti-churn-'));
  context.after(() => rm(folder, { recursive: true }));
  const store = await openSqliteStore({ path: join(folder, 'store.db'), clock: new FakeClock(), log: silentLog() });
  const value = 'x'.repeat(MIB);
  const put = Array.from({ length: 40 }, (_, index) => ({ key: `/k/${index}`, value }));
  await store.transact({ compare: [], put, delete: [] });
  assert.ok(store.maintenance.figures().logBytes > 40 * MIB);
  for (let write = 0; write < 3; write++) {
    await store.transact({ compare: [], put: [{ key: '/small', value: `${write}` }], delete: [] });
  }
  assert.ok(store.maintenance.figures().logBytes <= 16 * MIB);
  await store.close();
});
