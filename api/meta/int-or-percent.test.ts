import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { resolveIntOrPercent } from './int-or-percent.ts';

test('percentages are exact and rounded as told', () => {
  assert.equal(resolveIntOrPercent('25%', 10, 'up'), 3);
  assert.equal(resolveIntOrPercent('25%', 10, 'down'), 2);
  assert.equal(resolveIntOrPercent('29%', 100, 'up'), 29);
  assert.equal(resolveIntOrPercent('100%', 7, 'down'), 7);
  assert.equal(resolveIntOrPercent(3, 10, 'up'), 3);
});

test('what is no percentage is told', () => {
  for (const text of ['25', '%', 'a%', '-5%', '1.5%'])
    assert.equal(resolveIntOrPercent(text, 10, 'up'), undefined, text);
});

test('rounding up and down differ by at most one', () => {
  fc.assert(
    fc.property(fc.nat(200), fc.nat(1000), (percent, total) => {
      const up = resolveIntOrPercent(`${percent}%`, total, 'up') ?? Number.NaN;
      const down = resolveIntOrPercent(`${percent}%`, total, 'down') ?? Number.NaN;
      assert.equal(up - down, (percent * total) % 100 === 0 ? 0 : 1);
    }),
  );
});
