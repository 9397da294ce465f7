import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../../kit/random.ts';
import { ipv4Number, ipv4Text } from './ipv4.ts';
import { outboundPorts, type Pool, pickFree, podRanges, serviceAddresses } from './pool.ts';

test('pools are the ranges that the architecture names', () => {
  const ends = (pool: Pool) => [pool.item(0), pool.item(pool.size - 1), pool.size];
  assert.deepEqual(ends(serviceAddresses), ['127.96.0.16', '127.111.255.254', 2 ** 20 - 17]);
  assert.deepEqual(ends(podRanges), ['127.64.0.0/22', '127.79.252.0/22', 1024]);
  assert.deepEqual(ends(outboundPorts), ['20000', '27999', 8000]);
});

test('an item has the index that it was made from, and nothing else has one', () => {
  for (const pool of [serviceAddresses, podRanges, outboundPorts]) {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: pool.size - 1 }), (index) => {
        assert.equal(pool.indexOf(pool.item(index)), index);
      }),
    );
  }
  for (const stranger of [
    '127.96.0.15',
    '127.112.0.0',
    '127.111.255.255',
    '10.0.0.1',
    '',
    'None',
    '127.96.1',
    '127.096.1.1',
  ]) {
    assert.equal(serviceAddresses.indexOf(stranger), undefined, stranger);
  }
  for (const stranger of ['127.64.1.0/22', '127.64.0.0/24', '127.80.0.0/22']) {
    assert.equal(podRanges.indexOf(stranger), undefined, stranger);
  }
  for (const stranger of ['19999', '28000', '20000.5', 'http']) {
    assert.equal(outboundPorts.indexOf(stranger), undefined, stranger);
  }
});

test('what is picked is in the pool and is not taken; nothing is picked only when all are taken', () => {
  const small: Pool = {
    name: 'small',
    size: 12,
    item: (index) => `i${index}`,
    indexOf: (item) => Number(item.slice(1)),
  };
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 11 })), fc.integer(), (indices, seed) => {
      const taken = new Set(indices.map((index) => `i${index}`));
      const picked = pickFree(small, taken, seededRandom(seed));
      if (taken.size === 12) assert.equal(picked, undefined);
      else assert.ok(picked !== undefined && !taken.has(picked) && Number(picked.slice(1)) < 12);
    }),
  );
});

test('an address is the number that it stands for', () => {
  fc.assert(
    fc.property(fc.ipV4(), (text) => {
      assert.equal(ipv4Text(ipv4Number(text) ?? -1), text);
    }),
  );
});
