import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { addressesOf, nextAddress } from './address-pool.ts';

test('a range gives all its addresses but the first and the last', () => {
  const { count, at } = addressesOf('127.64.4.0/22');
  assert.deepEqual([count, at(0), at(255), at(count - 1)], [1022, '127.64.4.1', '127.64.5.0', '127.64.7.254']);
});

test('what is no range is refused', () => {
  for (const cidr of ['', '127.64.0.0', '127.64.0.0/31', '::/64']) assert.throws(() => addressesOf(cidr), /pod range/);
});

test('an address is never given twice, and not again before all others', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(13), { maxLength: 60 }), (releases) => {
      const taken = new Set<string>();
      let last: string | undefined;
      for (const release of releases) {
        const next = nextAddress('127.64.0.0/28', taken, last);
        if (next === undefined) assert.equal(taken.size, 14);
        else {
          assert.ok(!taken.has(next));
          assert.ok(next !== last || taken.size === 13);
          taken.add(next);
          last = next;
        }
        const given = [...taken][release];
        if (given !== undefined && taken.size > 4) taken.delete(given);
      }
    }),
  );
});
