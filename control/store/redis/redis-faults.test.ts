import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../../kit/clock.ts';
import { createLog, silentLog } from '../../../kit/log.ts';
import { cuttingProxy } from '../../../test/support/cutting-proxy.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { needs } from '../../../test/support/programs.ts';
import { type RedisServer, startRedisServer } from '../../../test/support/redis-server.ts';
import { put, shown, take, told } from '../conformance/subject.ts';
import { LEADER_LEASE } from '../lease.ts';
import { CompactedError, NotLeaderError, OutcomeUnknownError, StoreUnreachableError } from '../store.ts';
import { openRedisStore, type RedisStore, type RedisStoreOptions } from './redis-store.ts';
import { type RedisRefusalReason, RedisRefusedError } from './refusal.ts';

async function server(t: TestContext, settings: Record<string, string> = {}): Promise<RedisServer> {
  const started = await startRedisServer(settings);
  t.after(() => started.dispose());
  return started;
}

async function open(t: TestContext, url: string, options: Partial<RedisStoreOptions> = {}): Promise<RedisStore> {
  const store = await openRedisStore({ url, clock: systemClock(), log: silentLog(), ...options });
  t.after(() => store.close());
  return store;
}

function refusedAs(reason: RedisRefusalReason, words: RegExp) {
  return (error: unknown) =>
    error instanceof RedisRefusedError &&
    error.reason === reason &&
    words.test(error.message) &&
    !/hunter2/.test(error.message);
}

test(
  'a Redis that would forget is refused with what to set, one that cannot be reached with where it was sought',
  needs('redis-server'),
  async (t) => {
    const forgetful = await server(t, { appendonly: 'no' });
    await assert.rejects(
      open(t, forgetful.url),
      refusedAs('settings', /redis\.sock": has appendonly no.*appendonly yes/),
    );
    const locked = await server(t, { requirepass: 'hunter2' });
    await assert.rejects(open(t, locked.url), refusedAs('authentication', /check user and password/));
    const wrong = locked.url.replace('unix://', 'unix://:hunter2x@');
    await assert.rejects(open(t, wrong), refusedAs('authentication', /check user and password/));
    const replica = await server(t, { replicaof: '127.0.0.1 1' });
    await assert.rejects(open(t, replica.url), refusedAs('replica', /name the primary/));
    await locked.stop();
    await assert.rejects(
      open(t, locked.url, { patienceMs: 300 }),
      refusedAs('unreachable', /redis\.sock.*start again/),
    );
  },
);

test('no password comes into the log, whatever happens', needs('redis-server'), async (t) => {
  const locked = await server(t, { requirepass: 'hunter2', appendfsync: 'everysec' });
  const lines: string[] = [];
  const log = createLog({ level: 'trace', format: 'json', write: (line) => void lines.push(line) });
  const store = await open(t, locked.url.replace('unix://', 'unix://default:hunter2@'), { log });
  await put(store, '/a', '1');
  await locked.crash();
  await put(store, '/a', '2');
  await eventually('the loss is logged', () => lines.some((line) => line.includes('connection lost')) || undefined);
  assert.ok(lines.some((line) => line.includes('set \\"appendfsync always\\"')));
  assert.deepEqual(
    lines.filter((line) => line.includes('hunter2')),
    [],
  );
});

test('a write whose answer is lost is found again and not carried out twice', needs('redis-server'), async (t) => {
  const redis = await server(t);
  const proxy = await cuttingProxy(redis.socketPath);
  t.after(() => proxy.close());
  const store = await open(t, proxy.url);
  await put(store, '/a', '0');
  // The server's answers are held back, then the connection is cut: it has carried the write out, and nobody has heard.
  proxy.holdAnswers();
  const writing = put(store, '/a', '1');
  const other = await open(t, redis.url);
  await eventually('the write is carried out', async () => (await other.revision()) === 2 || undefined);
  proxy.cut();
  assert.equal(await writing, 2);
  assert.equal(await store.revision(), 2);
  const watch = store.watch('/', { after: 0, signal: new AbortController().signal });
  assert.deepEqual(told(await take(watch, 2)), ['1 put /a=0', '2 put /a=1']);
});

test('a write that changed nothing is not taken for who made the newest revision', needs('redis-server'), async (t) => {
  const redis = await server(t);
  const proxy = await cuttingProxy(redis.socketPath);
  t.after(() => proxy.close());
  const store = await open(t, proxy.url);
  const other = await open(t, redis.url);
  // Its answer tells of a revision that another has made just now, mostly before the log itself does.
  for (let turn = 1; turn <= 10; turn++) {
    await Promise.all([
      put(other, '/a', `${turn}`),
      store.transact({ compare: [], put: [], delete: ['/missing'] }),
      store.transact({ compare: [], put: [], delete: ['/missing'] }),
    ]);
    // Connecting again, it compares what it has seen with what is there.
    proxy.cut();
    assert.equal(await store.revision(), turn);
  }
});

test(
  'an attempt that was stuck in an old connection does nothing once a later one has spoken',
  needs('redis-server'),
  async (t) => {
    const redis = await server(t);
    const proxy = await cuttingProxy(redis.socketPath);
    t.after(() => proxy.close());
    const store = await open(t, proxy.url);
    await put(store, '/a', '0');
    proxy.holdRequests();
    const writing = store.transact({
      compare: [{ key: '/a', revision: 1 }],
      put: [{ key: '/a', value: 'mine' }],
      delete: [],
    });
    await eventually('the request is stuck', () => proxy.heldBytes() > 0 || undefined);
    // Its sender loses the connection, and somebody else writes in between: the second attempt finds a conflict and says so.
    const other = await open(t, redis.url);
    await put(other, '/a', 'theirs');
    proxy.cutClients();
    const result = await writing;
    assert.equal(result.ok, false);
    await proxy.releaseRequests();
    await eventually('the stuck request has arrived', () => proxy.heldBytes() === 0 || undefined);
    assert.equal((await store.get('/a'))?.value, 'theirs');
    assert.equal(await store.revision(), 2);
  },
);

test(
  'while the store is away, what was sent is unknown, what was not is refused, and afterwards all goes on',
  needs('redis-server'),
  async (t) => {
    const redis = await server(t);
    const proxy = await cuttingProxy(redis.socketPath);
    t.after(() => proxy.close());
    // So little patience is not enough for a machine that is held up to open it.
    const store = await eventually('it is open', () => open(t, proxy.url, { patienceMs: 400 }));
    await put(store, '/a', '1');
    const watch = store.watch('/', { after: 1, signal: new AbortController().signal })[Symbol.asyncIterator]();
    await watch.next();
    const next = watch.next();
    proxy.holdAnswers();
    const sent = put(store, '/a', '2');
    await eventually('it is sent', () => proxy.heldBytes() > 0 || undefined);
    proxy.refuse();
    await assert.rejects(sent, OutcomeUnknownError);
    await assert.rejects(put(store, '/a', '3'), StoreUnreachableError);
    await assert.rejects(store.get('/a'), StoreUnreachableError);
    proxy.accept();
    await eventually('it answers again', () => store.get('/a'));
    assert.equal(await put(store, '/a', '4'), 3);
    const { value } = await next;
    assert.deepEqual(told(value?.changes ?? []).slice(0, 1), ['2 put /a=2']);
  },
);

test(
  'kill -9 of the server loses no acknowledged write, and a watch goes on over it',
  needs('redis-server'),
  async (t) => {
    const redis = await server(t);
    const store = await open(t, redis.url);
    const watch = store.watch('/', { after: 0, signal: new AbortController().signal });
    const reading = take(watch, 300);
    const writing = (async () => {
      for (let turn = 0; turn < 300; turn++) await put(store, `/k/${turn % 5}`, `${turn}`);
    })();
    await eventually('it writes', async () => (await store.revision()) > 50 || undefined);
    await redis.crash();
    await writing;
    assert.deepEqual(
      (await reading).map(({ revision, value }) => `${revision}=${value}`),
      Array.from({ length: 300 }, (_, turn) => `${turn + 1}=${turn}`),
    );
  },
);

test(
  'a new leader fences off the old one, and a store that is led takes no write of anybody else',
  needs('redis-server'),
  async (t) => {
    const redis = await server(t);
    let shiftMs = 0;
    const one = await open(t, redis.url, { leaseShiftMs: () => shiftMs });
    const two = await open(t, redis.url, { leaseShiftMs: () => shiftMs });
    const first = await one.leases.acquire(LEADER_LEASE, 'one', 5000);
    const old = await one.fencedBy(first?.epoch ?? 0);
    await put(old, '/a', 'one');
    shiftMs += 6000;
    // Its time is over, but nobody has taken over: it may still write.
    await put(old, '/a', 'late');
    const second = await two.leases.acquire(LEADER_LEASE, 'two', 5000);
    const present = await two.fencedBy(second?.epoch ?? 0);
    await put(present, '/a', 'two');
    await assert.rejects(put(old, '/a', 'too late'), NotLeaderError);
    await assert.rejects(old.compact(1), NotLeaderError);
    await assert.rejects(put(one, '/a', 'unasked'), NotLeaderError);
    assert.deepEqual(shown(await one.list('/')), ['/a=two']);
    assert.equal(await one.revision(), 3);
  },
);

test(
  'a store that went back in time begins a new generation: watches list again, revisions never come twice',
  needs('redis-server'),
  async (t) => {
    const redis = await server(t);
    const store = await open(t, redis.url);
    for (let turn = 0; turn < 5; turn++) await put(store, '/a', `${turn}`);
    const backup = join(redis.folder, 'appendonlydir');
    await redis.stop();
    await cp(backup, `${backup}.old`, { recursive: true });
    await redis.start();
    for (let turn = 5; turn < 9; turn++) await put(store, '/a', `${turn}`);
    const watch = store.watch('/', { after: 9, signal: new AbortController().signal })[Symbol.asyncIterator]();
    await watch.next();
    const waiting = watch.next();
    waiting.catch(() => undefined);
    redis.signal('SIGKILL');
    await redis.stop();
    await rm(backup, { recursive: true });
    await cp(`${backup}.old`, backup, { recursive: true });
    await redis.start();
    await assert.rejects(waiting, CompactedError);
    assert.equal((await store.get('/a'))?.value, '4');
    assert.ok((await put(store, '/a', 'on')) > 1_000_000);
    await assert.rejects(store.list('/', { revision: 9 }), CompactedError);
  },
);

test(
  'a store that went back while nobody looked is found out by the mark, and an emptied one is not begun anew',
  needs('redis-server'),
  async (t) => {
    const redis = await server(t);
    const markPath = join(redis.folder, 'store-mark.json');
    const first = await open(t, redis.url, { markPath });
    for (let turn = 0; turn < 5; turn++) await put(first, '/a', `${turn}`);
    await first.close();
    assert.ok(existsSync(markPath));
    const backup = join(redis.folder, 'appendonlydir');
    await redis.stop();
    await cp(backup, `${backup}.old`, { recursive: true });
    await redis.start();
    const second = await open(t, redis.url, { markPath });
    await put(second, '/a', 'lost');
    await second.close();
    await redis.stop();
    await rm(backup, { recursive: true });
    await cp(`${backup}.old`, backup, { recursive: true });
    await redis.start();
    const third = await open(t, redis.url, { markPath });
    assert.ok((await put(third, '/a', 'on')) > 1_000_000);
    await third.close();
    await redis.stop();
    await rm(backup, { recursive: true });
    await redis.start();
    await assert.rejects(
      open(t, redis.url, { markPath }),
      refusedAs('another-store', /is empty.*restore it.*store-mark\.json/),
    );
  },
);
