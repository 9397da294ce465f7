import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { WatchEvent } from '../../../api/client/client.ts';
import { type ConfigMap, configMapKind } from '../../../api/kinds/config-map.ts';
import { podKind } from '../../../api/kinds/pod.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { configMapDraft, podDraft } from '../testing/drafts.ts';
import { type VerbBench, verbBench } from '../testing/verb-bench.ts';
import { listObjects } from './list.ts';
import { type ObjectEvent, watchObjects } from './watch.ts';

function refusedWith(code: number, words: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof ApiError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, words);
    return true;
  };
}

async function withConfigMaps(count: number): Promise<VerbBench> {
  const bench = await verbBench();
  for (let index = 0; index < count; index++) {
    const draft = configMapDraft(`c${String(index).padStart(2, '0')}`);
    const labels = { parity: index % 2 === 0 ? 'even' : 'odd' };
    await bench.client.create(configMapKind, { ...draft, metadata: { ...draft.metadata, labels } });
  }
  return bench;
}

test('pages of a list show one revision, whatever is written between them', async () => {
  const { client, verbs } = await withConfigMaps(7);
  const first = await listObjects(verbs, configMapKind, { namespace: 'default', limit: 3 });
  assert.equal(first.remainingItemCount, 4);
  await client.create(configMapKind, configMapDraft('c99'));
  await client.delete(configMapKind, { namespace: 'default', name: 'c05' });
  const names = first.items.map(({ metadata }) => metadata.name);
  let token = first.continue;
  while (token !== undefined) {
    const page = await listObjects(verbs, configMapKind, { namespace: 'default', limit: 3, continue: token });
    assert.equal(page.resourceVersion, first.resourceVersion);
    names.push(...page.items.map(({ metadata }) => metadata.name));
    token = page.continue;
  }
  assert.deepEqual(names, ['c00', 'c01', 'c02', 'c03', 'c04', 'c05', 'c06']);
});

test('pages of a selection are full, and together are the selection', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 5 }), async (count, limit) => {
      const { verbs } = await withConfigMaps(count);
      const names: string[] = [];
      let token: string | undefined;
      do {
        const options = { labelSelector: 'parity=even', limit, continue: token };
        const page = await listObjects(verbs, configMapKind, options);
        names.push(...page.items.map(({ metadata }) => metadata.name));
        if (page.continue !== undefined) assert.equal(page.items.length, limit);
        token = page.continue;
      } while (token !== undefined);
      const even = Array.from({ length: count }, (_, index) => index).filter((index) => index % 2 === 0);
      assert.deepEqual(
        names,
        even.map((index) => `c${String(index).padStart(2, '0')}`),
      );
    }),
    { numRuns: 40 },
  );
});

test('a continue token is refused when its revision is compacted, and when it is of another list', async () => {
  const { verbs, store } = await withConfigMaps(3);
  const { continue: token } = await listObjects(verbs, configMapKind, { namespace: 'default', limit: 1 });
  await assert.rejects(
    listObjects(verbs, podKind, { namespace: 'default', continue: token }),
    refusedWith(400, /continue key is not valid/),
  );
  await assert.rejects(listObjects(verbs, configMapKind, { continue: 'x' }), refusedWith(400, /continue key/));
  await store.transact({ compare: [], put: [{ key: '/x', value: '1' }], delete: [] });
  await store.compact(await store.revision());
  await assert.rejects(
    listObjects(verbs, configMapKind, { namespace: 'default', continue: token }),
    refusedWith(410, /too old to display a consistent list/),
  );
});

test('a list at an exact version shows that state; a version that has not come is 504 with its cause', async () => {
  const { client, verbs } = await withConfigMaps(2);
  const { resourceVersion } = await listObjects(verbs, configMapKind, {});
  await client.create(configMapKind, configMapDraft('later'));
  const exact = await listObjects(verbs, configMapKind, { resourceVersion, match: 'Exact' });
  const present = await listObjects(verbs, configMapKind, { resourceVersion, match: 'NotOlderThan' });
  assert.deepEqual([exact.items.length, present.items.length], [2, 3]);
  await assert.rejects(listObjects(verbs, configMapKind, { resourceVersion: '9999' }), (error) => {
    assert.ok(error instanceof ApiError);
    assert.equal(error.code, 504);
    assert.equal(error.status.details?.causes?.[0]?.reason, 'ResourceVersionTooLarge');
    return true;
  });
  await assert.rejects(
    listObjects(verbs, configMapKind, { resourceVersion: 'abc' }),
    refusedWith(400, /resourceVersion/),
  );
});

/** Follows until so many events other than bookmarks have come. */
async function follow(events: AsyncIterable<ObjectEvent<ConfigMap>>, count: number): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of events) {
    if (event.type === 'BOOKMARK') {
      if (event.endsInitialEvents) seen.push('END');
    } else seen.push(`${event.type} ${event.object.metadata.name} ${event.object.metadata.labels?.['parity'] ?? '-'}`);
    if (seen.length === count) break;
  }
  return seen;
}

test('a watch from a version gives every later change once, in order', async () => {
  const { client, verbs } = await withConfigMaps(1);
  const { resourceVersion } = await client.list(configMapKind);
  const ref = { namespace: 'default', name: 'c00' };
  await client.patch(configMapKind, ref, { metadata: { labels: { parity: 'none' } } }, { type: 'merge' });
  await client.create(configMapKind, configMapDraft('new'));
  const watching = follow(
    watchObjects(verbs, configMapKind, { resourceVersion, signal: new AbortController().signal }),
    3,
  );
  await client.delete(configMapKind, ref);
  assert.deepEqual(await watching, ['MODIFIED c00 none', 'ADDED new -', 'DELETED c00 none']);
});

test('a watch without a version begins with what there is', async () => {
  const { verbs } = await withConfigMaps(2);
  const { signal } = new AbortController();
  for (const resourceVersion of [undefined, '0']) {
    const events = await follow(watchObjects(verbs, configMapKind, { resourceVersion, signal }), 2);
    assert.deepEqual(events, ['ADDED c00 even', 'ADDED c01 odd']);
  }
});

test('sendInitialEvents tells where what there was ends', async () => {
  const { verbs, client } = await withConfigMaps(1);
  const { signal } = new AbortController();
  const watching = follow(watchObjects(verbs, configMapKind, { sendInitialEvents: true, signal }), 3);
  await client.create(configMapKind, configMapDraft('new'));
  const events = await watching;
  assert.deepEqual(events.slice(0, 1), ['ADDED c00 even']);
  assert.ok(events.includes('END'));
});

test('an object that comes to match a selector is ADDED, and one that ceases to is DELETED as it last matched', async () => {
  const { client, verbs } = await withConfigMaps(2);
  const { resourceVersion } = await client.list(configMapKind);
  const relabel = (name: string, parity: string) =>
    client.patch(
      configMapKind,
      { namespace: 'default', name },
      { metadata: { labels: { parity } } },
      { type: 'merge' },
    );
  await relabel('c01', 'even');
  await relabel('c00', 'odd');
  await relabel('c00', 'strange');
  await client.delete(configMapKind, { namespace: 'default', name: 'c01' });
  const { signal } = new AbortController();
  const request = { resourceVersion, labelSelector: 'parity=even', signal };
  assert.deepEqual(await follow(watchObjects(verbs, configMapKind, request), 3), [
    'ADDED c01 even',
    'DELETED c00 even',
    'DELETED c01 even',
  ]);
});

test('a DELETED object carries the version of its deletion, so that a watch can go on from it', async () => {
  const { client } = await withConfigMaps(1);
  const { resourceVersion } = await client.list(configMapKind);
  await client.delete(configMapKind, { namespace: 'default', name: 'c00' });
  const { signal } = new AbortController();
  const seen: WatchEvent<ConfigMap>[] = [];
  for await (const event of client.watch(configMapKind, { resourceVersion, signal })) {
    seen.push(event);
    if (event.type === 'DELETED') break;
  }
  const last = seen.at(-1);
  const version = last?.type === 'DELETED' ? Number(last.object.metadata.resourceVersion) : 0;
  assert.ok(version > Number(resourceVersion));
});

test('a watch that history does not reach, or that has not come yet, ends with 410', async () => {
  const { client, verbs, store } = await withConfigMaps(2);
  const { resourceVersion } = await client.list(configMapKind);
  await client.create(configMapKind, configMapDraft('later'));
  await store.compact(await store.revision());
  const { signal } = new AbortController();
  const first = async (version: string) => {
    for await (const event of watchObjects(verbs, configMapKind, { resourceVersion: version, signal })) return event;
    return undefined;
  };
  await assert.rejects(first(resourceVersion), refusedWith(410, /too old resource version/));
  await assert.rejects(first('9999'), refusedWith(410, /list again/));
});

test('a request that cannot be carried out is refused before the watch begins', async () => {
  const { verbs } = await verbBench();
  const { signal } = new AbortController();
  assert.throws(
    () => watchObjects(verbs, configMapKind, { fieldSelector: 'a=b', signal }),
    refusedWith(400, /not a known field selector/),
  );
  assert.throws(
    () => watchObjects(verbs, configMapKind, { labelSelector: '=', signal }),
    refusedWith(400, /found '='/),
  );
  assert.throws(
    () => watchObjects(verbs, configMapKind, { resourceVersion: 'x', signal }),
    refusedWith(400, /resourceVersion/),
  );
});

test('aborting ends a watch without an error', async () => {
  const { verbs } = await verbBench();
  const abort = new AbortController();
  const events = watchObjects(verbs, configMapKind, { signal: abort.signal });
  const ended = (async () => {
    for await (const _event of events) abort.abort();
  })();
  await ended;
});

test('pods are selected by their fields', async () => {
  const { client } = await verbBench();
  await client.create(podKind, podDraft('a', { nodeName: 'one' }));
  await client.create(podKind, podDraft('b', { nodeName: 'two' }));
  await client.create(podKind, podDraft('c'));
  const names = async (fieldSelector: string): Promise<string[]> =>
    (await client.list(podKind, { fieldSelector })).items.map(({ metadata }) => metadata.name);
  assert.deepEqual(await names('spec.nodeName=one'), ['a']);
  assert.deepEqual(await names('spec.nodeName!=one,status.phase=Pending'), ['b', 'c']);
  assert.deepEqual(await names('spec.nodeName='), ['c']);
  assert.deepEqual(await names('metadata.name=b'), ['b']);
});
