import assert from 'node:assert/strict';
import { type Conforms } from './subject.ts';

export function leases(conforms: Conforms): void {
  conforms('one holder at a time has a lease, and the epoch rises with each new one', async ({ store, advance }) => {
    const { leases } = store;
    assert.deepEqual(await leases.acquire('leader', 'one', 10_000), { epoch: 1 });
    assert.equal(await leases.acquire('leader', 'two', 10_000), undefined);
    assert.deepEqual(await leases.acquire('other', 'two', 10_000), { epoch: 1 });
    await advance(6000);
    assert.deepEqual(await leases.acquire('leader', 'one', 10_000), { epoch: 1 });
    await advance(6000);
    assert.equal(await leases.acquire('leader', 'two', 10_000), undefined);
    await advance(6000);
    assert.deepEqual(await leases.acquire('leader', 'two', 10_000), { epoch: 2 });
    assert.equal(await leases.acquire('leader', 'one', 10_000), undefined);
  });

  conforms('a released lease is free at once, and only its holder releases it', async ({ store }) => {
    const { leases } = store;
    await leases.acquire('leader', 'one', 10_000);
    await leases.release('leader', 'two');
    assert.equal(await leases.acquire('leader', 'two', 10_000), undefined);
    await leases.release('leader', 'one');
    assert.deepEqual(await leases.acquire('leader', 'two', 10_000), { epoch: 2 });
    await leases.release('leader', 'two');
    assert.deepEqual(await leases.acquire('leader', 'two', 10_000), { epoch: 3 });
  });

  conforms('leases write no revision', async ({ store }) => {
    await store.leases.acquire('leader', 'one', 1000);
    await store.leases.release('leader', 'one');
    assert.equal(await store.revision(), 0);
  });

  conforms('a lease for nobody or for no time is refused', async ({ store }) => {
    await assert.rejects(store.leases.acquire('leader', '', 1000), TypeError);
    await assert.rejects(store.leases.acquire('leader', 'one', 0), TypeError);
  });
}
