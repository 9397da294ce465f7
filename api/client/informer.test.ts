import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FakeClock } from '../../kit/fake-clock.ts';
import { silentLog } from '../../kit/log.ts';
import { seededRandom } from '../../kit/random.ts';
import { type ConfigMap, configMapKind } from '../kinds/config-map.ts';
import { ApiError } from '../meta/api-error.ts';
import type { Client, WatchEvent, WatchOptions } from './client.ts';
import { Informer, type InformerHandlers } from './informer.ts';

type Ending = { readonly kind: 'end' } | { readonly kind: 'fail'; readonly error: Error };

/** A cluster of ConfigMaps with a history, whose watches can be cut and whose answers can be made to fail. */
class FakeCluster {
  readonly #objects = new Map<string, ConfigMap>();
  #history: { readonly revision: number; readonly event: WatchEvent<ConfigMap> }[] = [];
  #revision = 1;
  #compacted = 0;
  #wake: (() => void)[] = [];
  #ending: Ending | undefined;
  failLists = 0;
  lists = 0;
  watches: string[] = [];

  get names(): readonly string[] {
    return [...this.#objects].map(([name, { metadata }]) => `${name}@${metadata.resourceVersion}`).sort();
  }

  put(name: string): void {
    const old = this.#objects.get(name);
    const uid = old?.metadata.uid ?? `${name}-${this.#revision}`;
    const object = this.#object(name, uid);
    this.#objects.set(name, object);
    this.#record({ type: old === undefined ? 'ADDED' : 'MODIFIED', object });
  }

  delete(name: string): void {
    const old = this.#objects.get(name);
    if (old === undefined) return;
    this.#objects.delete(name);
    this.#record({ type: 'DELETED', object: this.#object(name, old.metadata.uid) });
  }

  /** A revision passes that concerns none of these objects. */
  bookmark(): void {
    this.#revision++;
    this.#record({ type: 'BOOKMARK', resourceVersion: String(this.#revision) });
  }

  compact(): void {
    this.#compacted = this.#revision;
    this.#history = [];
  }

  /** Ends every open watch; the next one lives again. */
  cut(ending: Ending): void {
    this.#ending = ending;
    this.#wakeAll();
    this.#ending = undefined;
  }

  readonly client = {
    list: (): Promise<{ items: readonly ConfigMap[]; resourceVersion: string }> => {
      this.lists++;
      if (this.failLists-- > 0) return Promise.reject(ApiError.unavailable('no'));
      return Promise.resolve({ items: [...this.#objects.values()], resourceVersion: String(this.#revision) });
    },
    watch: (_kind: unknown, options: WatchOptions) => this.#watch(Number(options.resourceVersion), options.signal),
  } as unknown as Client;

  async *#watch(from: number, signal: AbortSignal): AsyncGenerator<WatchEvent<ConfigMap>, void, undefined> {
    this.watches.push(String(from));
    signal.addEventListener('abort', () => this.#wakeAll(), { once: true });
    let at = from;
    let cut: Ending | undefined;
    while (!signal.aborted) {
      if (at < this.#compacted) throw ApiError.expired(`too old resource version: ${at} (${this.#compacted})`);
      const next = this.#history.find(({ revision }) => revision > at);
      if (next !== undefined) {
        at = next.revision;
        yield next.event;
        continue;
      }
      if (cut?.kind === 'fail') throw cut.error;
      if (cut?.kind === 'end') return;
      cut = await new Promise<Ending | undefined>((resolve) => this.#wake.push(() => resolve(this.#ending)));
    }
  }

  #object(name: string, uid: string): ConfigMap {
    const resourceVersion = String(++this.#revision);
    const creationTimestamp = '2030-01-01T00:00:00Z';
    const metadata = { name, namespace: 'shop', uid, resourceVersion, creationTimestamp };
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { letter: name.slice(0, 1) } };
  }

  #record(event: WatchEvent<ConfigMap>): void {
    this.#history.push({ revision: this.#revision, event });
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

interface Setup {
  readonly cluster: FakeCluster;
  readonly clock: FakeClock;
  readonly informer: Informer<ConfigMap>;
  readonly heard: readonly string[];
  readonly shown: () => readonly string[];
}

function setup(prepare: (cluster: FakeCluster) => void = () => {}, handlers?: InformerHandlers<ConfigMap>): Setup {
  const cluster = new FakeCluster();
  prepare(cluster);
  const clock = new FakeClock();
  const heard: string[] = [];
  const recorder: InformerHandlers<ConfigMap> = {
    onAdd: ({ metadata }) => heard.push(`+${metadata.name}`),
    onUpdate: ({ metadata }) => heard.push(`~${metadata.name}`),
    onDelete: ({ metadata }) => heard.push(`-${metadata.name}`),
  };
  const informer = new Informer<ConfigMap>(
    {
      client: cluster.client,
      kind: configMapKind,
      clock,
      random: seededRandom(1),
      log: silentLog(),
      indexes: { letter: ({ data }) => Object.values(data ?? {}) },
    },
    handlers ?? recorder,
  );
  const shown = (): readonly string[] =>
    informer
      .list()
      .map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`)
      .sort();
  return { cluster, clock, informer, heard, shown };
}

test('an informer lists, then follows', async () => {
  const { cluster, clock, informer, heard, shown } = setup((each) => each.put('a'));
  await informer.synced;
  cluster.put('b');
  cluster.put('a');
  cluster.delete('b');
  await clock.advance(0);
  assert.deepEqual(heard, ['+a', '+b', '~a', '-b']);
  assert.deepEqual(shown(), cluster.names);
  assert.equal(informer.get('shop/a')?.metadata.name, 'a');
  assert.equal(informer.get('shop/b'), undefined);
  await informer.close();
});

test('a watch that ends is taken up where it was, without a new list, and bookmarks move that place', async () => {
  const { cluster, clock, informer, heard } = setup((each) => each.put('a'));
  await informer.synced;
  cluster.bookmark();
  await clock.advance(0);
  const [first] = cluster.watches;
  cluster.cut({ kind: 'end' });
  cluster.put('b');
  await clock.advance(1000);
  assert.equal(cluster.lists, 1);
  assert.equal(cluster.watches.length, 2);
  assert.ok(Number(cluster.watches[1]) > Number(first));
  assert.deepEqual(heard, ['+a', '+b']);
  await informer.close();
});

test('when the history is gone, a new list tells what has changed meanwhile, and only that', async () => {
  const { cluster, clock, informer, heard, shown } = setup((each) => {
    for (const name of ['a', 'b', 'c', 'd']) each.put(name);
  });
  await informer.synced;
  await clock.advance(0);
  cluster.cut({ kind: 'fail', error: new Error('connection lost') });
  cluster.put('a');
  cluster.delete('b');
  cluster.delete('d');
  cluster.put('d');
  cluster.put('e');
  cluster.compact();
  await clock.advance(5000);
  assert.deepEqual(heard.slice(0, 4), ['+a', '+b', '+c', '+d']);
  assert.deepEqual(heard.slice(4).sort(), ['+d', '+e', '-b', '-d', '~a']);
  assert.ok(heard.indexOf('-d') < heard.lastIndexOf('+d'), 'an object made anew is deleted first');
  assert.deepEqual(shown(), cluster.names);
  await informer.close();
});

test('a server that is away is asked again with growing pauses', async () => {
  const { cluster, clock, informer } = setup((each) => {
    each.put('a');
    each.failLists = 8;
  });
  await clock.advance(1000);
  const early = cluster.lists;
  assert.ok(early >= 3 && early <= 6, `asked ${early} times within a second`);
  await clock.advance(60_000);
  await informer.synced;
  assert.equal(cluster.lists, 9);
  await informer.close();
});

test('watches that end at once do not spin', async () => {
  const { cluster, clock, informer } = setup();
  await informer.synced;
  for (let turn = 0; turn < 20; turn++) {
    await clock.advance(100);
    cluster.cut({ kind: 'end' });
  }
  assert.ok(cluster.watches.length < 12, `${cluster.watches.length} watches within two seconds`);
  await informer.close();
});

test('objects are found by index, also after they have changed', async () => {
  const { cluster, clock, informer } = setup((each) => {
    each.put('apple');
    each.put('avocado');
    each.put('banana');
  });
  await informer.synced;
  const found = (letter: string): readonly string[] =>
    informer
      .byIndex('letter', letter)
      .map(({ metadata }) => metadata.name)
      .sort();
  assert.deepEqual(found('a'), ['apple', 'avocado']);
  cluster.delete('apple');
  cluster.put('banana');
  await clock.advance(0);
  assert.deepEqual([found('a'), found('b'), found('z')], [['avocado'], ['banana'], []]);
  assert.throws(() => informer.byIndex('colour', 'red'), /no index "colour"/);
  await informer.close();
});

test('a handler that throws stops nobody', async () => {
  const { cluster, clock, informer, shown } = setup((each) => each.put('a'), {
    onAdd: () => {
      throw new Error('handler broke');
    },
  });
  await informer.synced;
  const late: string[] = [];
  const stop = informer.subscribe({ onAdd: ({ metadata }) => late.push(metadata.name) });
  cluster.put('b');
  await clock.advance(0);
  stop();
  cluster.put('c');
  await clock.advance(0);
  assert.deepEqual(late, ['a', 'b']);
  assert.deepEqual(shown(), cluster.names);
  await informer.close();
});

test('closing ends everything, and whoever waits for the first list is told', async () => {
  const { clock, informer } = setup((each) => {
    each.failLists = 1000;
  });
  const waiting = assert.rejects(informer.synced, /informer is closed/);
  await clock.advance(500);
  await informer.close();
  await waiting;
  assert.equal(clock.pendingTimers, 0);
});

type Step =
  | 'cut'
  | 'fail'
  | 'bookmark'
  | 'refuse lists'
  | { readonly put: string }
  | { readonly delete: string }
  /** The watch breaks, objects go and come anew, and the history is gone when the connection is back. */
  | { readonly outage: readonly string[] };

test('whatever happens on the way, the cache ends as the cluster is, and the handlers heard how it came to be', async () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 6, arbitrary: name.map((put) => ({ put })) },
    { weight: 3, arbitrary: name.map((gone) => ({ delete: gone })) },
    fc.constantFrom<Step>('cut', 'fail', 'bookmark', 'refuse lists'),
    { weight: 2, arbitrary: fc.array(name, { maxLength: 3 }).map((outage) => ({ outage })) },
  );
  const script = fc.array(fc.tuple(step, fc.constantFrom(0, 0, 50, 2000)), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(script, async (steps) => {
      const told = new Map<string, string>();
      const { cluster, clock, informer, shown } = setup((each) => each.put('a'), {
        onAdd: ({ metadata }) => {
          assert.equal(told.has(metadata.name), false, 'added twice');
          told.set(metadata.name, metadata.resourceVersion);
        },
        onUpdate: ({ metadata }, old) => {
          assert.equal(told.get(metadata.name), old.metadata.resourceVersion, 'updated from another version');
          told.set(metadata.name, metadata.resourceVersion);
        },
        onDelete: ({ metadata }) => assert.equal(told.delete(metadata.name), true, 'deleted twice'),
      });
      for (const [each, waitMs] of steps) {
        if (each === 'cut') cluster.cut({ kind: 'end' });
        else if (each === 'fail') cluster.cut({ kind: 'fail', error: new Error('lost') });
        else if (each === 'bookmark') cluster.bookmark();
        else if (each === 'refuse lists') cluster.failLists = 2;
        else if ('put' in each) cluster.put(each.put);
        else if ('delete' in each) cluster.delete(each.delete);
        else {
          cluster.cut({ kind: 'fail', error: new Error('lost') });
          for (const [index, gone] of each.outage.entries()) {
            cluster.delete(gone);
            if (index === 1) cluster.put(gone);
          }
          cluster.compact();
        }
        await clock.advance(waitMs);
      }
      await clock.advance(60_000);
      assert.deepEqual(shown(), cluster.names);
      assert.deepEqual([...told].map(([key, version]) => `${key}@${version}`).sort(), cluster.names);
      await informer.close();
    }),
    { numRuns: 60 },
  );
});
