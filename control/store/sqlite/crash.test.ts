import assert from 'node:assert/strict';
import { appendFile, copyFile, mkdtemp, open as openFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../../../kit/fake-clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { randomInt, seededRandom } from '../../../kit/random.ts';
import type { Store } from '../store.ts';
import { StoreRefusedError } from './refusal.ts';
import { openSqliteStore } from './sqlite-store.ts';
import { holdsEverything } from './testing/held-writes.ts';
import { type Acknowledged, startWriter } from './testing/writer-process.ts';

/** TUTTI_CRASH_ROUNDS for a longer run. */
const ROUNDS = Number(process.env['TUTTI_CRASH_ROUNDS'] ?? 12);
const TRANSACTIONS = 1000;
/** Of a store that rests when it is killed. With one in each commit, the most that the log can take, it has 2.7 MB. */
const FEW_TRANSACTIONS = 100;

async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-crash-'));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

function open(path: string): Promise<Store> {
  return openSqliteStore({ path, clock: new FakeClock(), log: silentLog() });
}

test('killed at random points of 1,000 transactions, again and again, a store has every acknowledged write, no revision left out and no half of a transaction', async (context) => {
  const path = join(await temporaryFolder(context), 'store.db');
  const random = seededRandom(26);
  for (let round = 1; round <= ROUNDS; round++) {
    const writer = startWriter(path, { round, transactions: TRANSACTIONS, compacting: true });
    await writer.acknowledged(1 + randomInt(random, TRANSACTIONS));
    const acknowledged = await writer.kill();
    // A write that was under way when the power went may leave any bytes at the log's end.
    if (round % 3 === 0) await appendFile(`${path}-wal`, Buffer.alloc(1 + randomInt(random, 9000), round));
    const store = await open(path);
    const newest = Math.max(...acknowledged.map(({ revision }) => revision));
    assert.ok((await store.revision()) >= newest, `round ${round}`);
    await holdsEverything(store, acknowledged);
    await store.close();
  }
});

interface Killed {
  readonly path: string;
  readonly acknowledged: readonly Acknowledged[];
  readonly logBytes: number;
}

/** A store as a killed process leaves it: everything it wrote is in the log, and acknowledged. */
async function killedStore(folder: string): Promise<Killed> {
  const path = join(folder, 'killed.db');
  const writer = startWriter(path, { round: 0, transactions: FEW_TRANSACTIONS });
  await writer.acknowledged(Number.POSITIVE_INFINITY);
  const acknowledged = await writer.kill();
  assert.equal(acknowledged.length, FEW_TRANSACTIONS);
  const { size: logBytes } = await stat(`${path}-wal`);
  // Or else SQLite has begun it anew, and its length says nothing.
  assert.ok(logBytes < 1000 * 4096);
  return { path, acknowledged, logBytes };
}

async function copyOf({ path }: Killed, to: string): Promise<void> {
  for (const companion of ['', '-wal']) await copyFile(path + companion, to + companion);
}

test('cut anywhere, the log keeps every write that was acknowledged when it was so long, and nothing after', async (context) => {
  const folder = await temporaryFolder(context);
  const killed = await killedStore(folder);
  const random = seededRandom(4);
  const copy = join(folder, 'copy.db');
  for (let attempt = 0; attempt < 60; attempt++) {
    const cut = attempt < 34 ? attempt : randomInt(random, killed.logBytes);
    await copyOf(killed, copy);
    await truncate(`${copy}-wal`, cut);
    const store = await open(copy);
    const kept = killed.acknowledged.filter(({ logBytes }) => logBytes <= cut).map(({ revision }) => revision);
    const lost = killed.acknowledged.filter(({ logBytes }) => logBytes > cut).map(({ revision }) => revision);
    const revision = await store.revision();
    assert.ok(revision >= Math.max(0, ...kept), `cut at ${cut}: revision ${revision}`);
    assert.ok(lost.length === 0 || revision <= Math.max(...lost));
    await holdsEverything(store, killed.acknowledged);
    await store.close();
  }
});

test('a byte that changed in the log never comes back as a value: the store is refused, or goes back by at most the last two commits', async (context) => {
  const folder = await temporaryFolder(context);
  const killed = await killedStore(folder);
  const copy = join(folder, 'copy.db');
  const lengths = [...new Set(killed.acknowledged.map(({ logBytes }) => logBytes))].sort((a, b) => a - b);
  // Each commit has acknowledged something, so the log was seen at the end of each; how many transactions share one is up to the machine.
  const lastTwoAt = lengths.at(-3);
  assert.ok(lastTwoAt !== undefined, `${lengths.length} commits`);
  const beforeLastTwo = killed.acknowledged.filter(({ logBytes }) => logBytes <= lastTwoAt);
  const mustHave = Math.max(...beforeLastTwo.map(({ revision }) => revision));
  const random = seededRandom(7);
  const header = Array.from({ length: 32 }, (_, at) => at);
  const anywhere = Array.from({ length: 47 }, () => randomInt(random, killed.logBytes));
  for (const at of [...header, lastTwoAt - 1, ...anywhere]) {
    await copyOf(killed, copy);
    await changeByte(`${copy}-wal`, at, 1 + randomInt(random, 255));
    try {
      const store = await open(copy);
      assert.ok(
        at >= lastTwoAt,
        `byte ${at} was changed, two commits follow from ${lastTwoAt} on, and nothing was said`,
      );
      assert.ok((await store.revision()) >= mustHave, `byte ${at}`);
      await holdsEverything(store, killed.acknowledged);
      await store.close();
    } catch (error) {
      assert.ok(error instanceof StoreRefusedError, `byte ${at}: ${String(error)}`);
      assert.equal(error.reason, 'corrupt');
      // The refusal says how to go back to the last sound write.
      const [, bytes = ''] = /truncate -s (\d+) "/.exec(error.message) ?? [];
      assert.ok(Number(bytes) <= at, `byte ${at}: ${error.message}`);
      await truncate(`${copy}-wal`, Number(bytes));
      const store = await open(copy);
      await holdsEverything(store, killed.acknowledged);
      await store.close();
    }
  }
});

async function changeByte(path: string, at: number, by: number): Promise<void> {
  const file = await openFile(path, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, at);
  byte[0] = (byte[0] ?? 0) ^ by;
  await file.write(byte, 0, 1, at);
  await file.close();
}

test('a page of noise, a cut page or a missing end of the store file is refused, wherever it is', async (context) => {
  const folder = await temporaryFolder(context);
  const path = join(folder, 'sound.db');
  const store = await open(path);
  for (let write = 0; write < 60; write++) {
    await store.transact({ compare: [], put: [{ key: `/k/${write}`, value: 'x'.repeat(write * 150) }], delete: [] });
  }
  await store.close();
  const { size } = await stat(path);
  const random = seededRandom(9);
  const noise = Buffer.from(Array.from({ length: 4096 }, () => randomInt(random, 256)));
  const copy = join(folder, 'copy.db');
  const refuses = async (what: string): Promise<void> => {
    const before = await stat(copy);
    await assert.rejects(
      open(copy).then((opened) => opened.close()),
      (error) => error instanceof StoreRefusedError && /tutti store restore BACKUP/.test(error.message),
      what,
    );
    assert.equal((await stat(copy)).mtimeMs, before.mtimeMs, `${what}: the file was changed`);
  };
  for (let page = 0; page * 4096 < size; page += 3) {
    await copyFile(path, copy);
    const file = await openFile(copy, 'r+');
    await file.write(noise, 0, 4096, page * 4096);
    await file.close();
    await refuses(`page ${page}`);
  }
  for (let cut = 0; cut < 24; cut++) {
    await copyFile(path, copy);
    await truncate(copy, cut === 0 ? 0 : randomInt(random, size));
    await refuses(`cut ${cut}`);
  }
});

test('a store whose file is gone while its log or a restore under way is there does not start anew with nothing', async (context) => {
  const folder = await temporaryFolder(context);
  const path = join(folder, 'store.db');
  for (const [companion, way] of [
    [`${path}-wal`, /is missing, but ".*-wal" is there: put the store file back beside its write-ahead log/],
    [
      `${path}.restoring`,
      /is missing, but ".*restoring" is there: a restore was cut short; run the same "tutti store restore" again/,
    ],
  ] as const) {
    await writeFile(companion, 'something');
    await assert.rejects(open(path), way);
    await rm(companion);
  }
  await (await open(path)).close();
});
