import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secretKind } from '../../../api/kinds/secret.ts';
import { JOIN_TOKEN_NAMESPACE, JOIN_TOKEN_PREFIX, JOIN_TOKEN_TYPE } from '../../../api/meta/well-known.ts';
import { timestamp } from '../../../kit/clock.ts';
import { MemoryCluster } from '../testing/memory-cluster.ts';
import { stored } from '../testing/objects.ts';
import { hasJoinTokenExpired } from './sweep.ts';

const NOW_MS = Date.UTC(2030, 0, 1);

for (const [expiration, expected] of [
  [undefined, false],
  [timestamp(NOW_MS + 1000), false],
  [timestamp(NOW_MS), true],
  [timestamp(NOW_MS - 1000), true],
  ['tomorrow', true],
] as const) {
  test(`a join token with the expiration ${expiration} ${expected ? 'has expired' : 'stays'}`, () => {
    const data = expiration === undefined ? {} : { expiration: Buffer.from(expiration).toString('base64') };
    assert.equal(hasJoinTokenExpired(stored(secretKind, 'token', { data } as object), NOW_MS), expected);
  });
}

test('the sweeper takes expired join tokens away, and no other Secret', async () => {
  const cluster = await MemoryCluster.start();
  const expiration = timestamp(cluster.clock.now() + 90_000);
  const create = (name: string, type: string, stringData: Readonly<Record<string, string>>) =>
    cluster.client.create(secretKind, { metadata: { namespace: JOIN_TOKEN_NAMESPACE, name }, type, stringData });
  const names = async () => (await cluster.client.list(secretKind)).items.map(({ metadata }) => metadata.name).sort();
  try {
    const token = { 'token-secret': '0123456789abcdef' };
    await create(`${JOIN_TOKEN_PREFIX}aaaaaa`, JOIN_TOKEN_TYPE, { ...token, 'token-id': 'aaaaaa', expiration });
    await create(`${JOIN_TOKEN_PREFIX}bbbbbb`, JOIN_TOKEN_TYPE, { ...token, 'token-id': 'bbbbbb' });
    await create('other', 'Opaque', { expiration });
    await cluster.clock.advance(60_000);
    assert.deepEqual(await names(), ['bootstrap-token-aaaaaa', 'bootstrap-token-bbbbbb', 'other']);
    await cluster.clock.advance(61_000);
    assert.deepEqual(await names(), ['bootstrap-token-bbbbbb', 'other']);
  } finally {
    await cluster.close();
  }
});
