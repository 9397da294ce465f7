import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../kit/fake-clock.ts';
import { seededRandom } from '../../kit/random.ts';
import { type ConfigMap, configMapKind } from '../kinds/config-map.ts';
import { ApiError, STALE_WRITE } from '../meta/api-error.ts';
import type { Client } from './client.ts';
import { updateWithRetry } from './update-with-retry.ts';

/** A client whose one object is written by somebody else just before the first `conflicts` writes. */
function contended(conflicts: number): { client: Client; writes: () => number } {
  let writes = 0;
  let revision = 1;
  const present = (): ConfigMap => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', uid: 'u', resourceVersion: String(revision), creationTimestamp: '2030-01-01T00:00:00Z' },
  });
  const client = {
    get: () => Promise.resolve(present()),
    update: (_kind: unknown, object: ConfigMap) => {
      if (writes++ < conflicts) revision++;
      if (object.metadata.resourceVersion === String(revision)) return Promise.resolve(object);
      return Promise.reject(ApiError.conflict(configMapKind, 'a', STALE_WRITE));
    },
  } as unknown as Client;
  return { client, writes: () => writes };
}

/** The update, on a clock that moves on while it waits. */
async function run(client: Client, change: (present: ConfigMap) => ConfigMap | undefined): Promise<ConfigMap> {
  const clock = new FakeClock();
  const ref = { namespace: 'shop', name: 'a' };
  const update = updateWithRetry(client, { kind: configMapKind, ref, change, clock, random: seededRandom(1) });
  const [result] = await Promise.all([update, clock.advance(10_000)]);
  return result;
}

test('a write that somebody else came before is made again from what is there', async () => {
  const { client, writes } = contended(3);
  const result = await run(client, (present) => ({ ...present, data: { seen: present.metadata.resourceVersion } }));
  assert.equal(writes(), 4);
  assert.deepEqual(result.data, { seen: '4' });
});

test('after six conflicts the conflict is thrown', async () => {
  const { client, writes } = contended(100);
  await assert.rejects(
    run(client, (present) => present),
    (error) => error instanceof ApiError && error.code === 409,
  );
  assert.equal(writes(), 6);
});

test('when nothing is to be changed, nothing is written', async () => {
  const { client, writes } = contended(0);
  await run(client, () => undefined);
  assert.equal(writes(), 0);
});
