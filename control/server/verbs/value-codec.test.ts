import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMapKind } from '../../../api/kinds/config-map.ts';
import { secretKind } from '../../../api/kinds/secret.ts';
import { configMapDraft } from '../testing/drafts.ts';
import { verbBench } from '../testing/verb-bench.ts';
import type { ValueCodec } from './value-codec.ts';

/** Disguises Secrets, so that a test can tell whether the store ever held them as they are. */
const disguised: ValueCodec = {
  seal: ({ plural }, _key, text) => (plural === 'secrets' ? Buffer.from(text).toString('hex') : text),
  open: ({ plural }, _key, value) => (plural === 'secrets' ? Buffer.from(value, 'hex').toString() : value),
};

test('all that reaches the store has passed the codec, and all that is read, lists and watches included', async () => {
  const { client, store } = await verbBench({ values: disguised });
  const secret = { metadata: { name: 's', namespace: 'default' }, type: 'Opaque', data: { password: 'aHVudGVyMg==' } };
  await client.create(secretKind, secret);
  await client.create(configMapKind, configMapDraft('c'));
  await client.patch(secretKind, { namespace: 'default', name: 's' }, { data: { more: 'eA==' } }, { type: 'merge' });
  const { entries } = await store.list('/registry/core/secrets/');
  assert.equal(
    entries.some(({ value }) => value.includes('aHVudGVyMg==')),
    false,
  );
  const { entries: plain } = await store.list('/registry/core/configmaps/');
  assert.ok(plain.every(({ value }) => value.startsWith('{')));
  const data = { password: 'aHVudGVyMg==', more: 'eA==' };
  assert.deepEqual((await client.list(secretKind)).items[0]?.data, data);
  const { signal } = new AbortController();
  for await (const event of client.watch(secretKind, { resourceVersion: '1', signal })) {
    if (event.type === 'MODIFIED') {
      assert.deepEqual(event.object.data, data);
      break;
    }
  }
});
