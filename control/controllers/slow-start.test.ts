import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slowStart } from './slow-start.ts';

const items = Array.from({ length: 20 }, (_, index) => index);

test('groups double: 1, 2, 4, 8, and the rest', async () => {
  const sizes: number[] = [];
  let underWay = 0;
  const batch = await slowStart(items, async () => {
    underWay++;
    await Promise.resolve();
    if (underWay > 0) sizes.push(underWay);
    underWay = 0;
  });
  assert.deepEqual(
    sizes.filter((size) => size > 0),
    [1, 2, 4, 8, 5],
  );
  assert.deepEqual(batch, { failure: undefined, skipped: [] });
});

test('after the first group with a failure the rest is skipped', async () => {
  const tried: number[] = [];
  const { failure, skipped } = await slowStart(items, async (item) => {
    tried.push(item);
    if (item === 2) throw new Error('no');
  });
  assert.match(String(failure), /no/);
  assert.deepEqual(tried, [0, 1, 2]);
  assert.deepEqual(skipped, items.slice(3));
});
