import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { seededRandom } from '../../kit/random.ts';
import { cluster, endpoint } from '../test-support/tables.ts';
import type { Balancer } from './balancer.ts';
import { ClusterState } from './cluster-state.ts';
import { LeastRequest } from './least-request.ts';
import { RoundRobin } from './round-robin.ts';

interface Fake {
  readonly name: number;
  active: number;
  balance: number;
  readonly config: { readonly weight: number };
}

const fakes = (weights: readonly number[]): Fake[] =>
  weights.map((weight, name) => ({ name, active: 0, balance: 0, config: { weight } }));

function picks(balancer: Balancer, candidates: readonly Fake[], count: number): number[] {
  const counts = candidates.map(() => 0);
  const random = seededRandom(3);
  for (let turn = 0; turn < count; turn++) {
    const picked = balancer.pick(candidates, random);
    counts[picked.name] = (counts[picked.name] ?? 0) + 1;
  }
  return counts;
}

for (const balancer of [new RoundRobin(), new LeastRequest()]) {
  const { name } = balancer.constructor;
  test(`${name} picks one of the candidates, whatever they look like`, () => {
    const candidate = fc.record({ active: fc.nat({ max: 1000 }), weight: fc.integer({ min: 0, max: 128 }) });
    fc.assert(
      fc.property(fc.array(candidate, { minLength: 1, maxLength: 30 }), fc.integer(), (shapes, seed) => {
        const candidates = shapes.map(({ active, weight }, at) => ({
          name: at,
          active,
          balance: 0,
          config: { weight },
        }));
        assert.ok(candidates.includes(balancer.pick(candidates, seededRandom(seed))));
      }),
    );
  });
}

test('round robin gives each its weight, in every round', () => {
  assert.deepEqual(picks(new RoundRobin(), fakes([1, 1, 1]), 300), [100, 100, 100]);
  assert.deepEqual(picks(new RoundRobin(), fakes([5, 1, 2]), 80), [50, 10, 20]);
});

test('a heavy endpoint never takes two turns in a row while a light one waits', () => {
  const candidates = fakes([2, 1, 1]);
  const balancer = new RoundRobin();
  const order = Array.from({ length: 8 }, () => balancer.pick(candidates).name);
  assert.deepEqual(order, [0, 1, 2, 0, 0, 1, 2, 0]);
});

test('least request goes where the fewest are in flight, and shares evenly when all are alike', () => {
  const few = fakes([1, 1, 1]);
  (few[0] as Fake).active = 5;
  (few[1] as Fake).active = 1;
  (few[2] as Fake).active = 3;
  assert.deepEqual(picks(new LeastRequest(), few, 50), [0, 50, 0]);
  for (const count of [3, 20]) {
    for (const share of picks(new LeastRequest(), fakes(Array.from({ length: count }, () => 1)), 1000 * count)) {
      assert.ok(share > 800 && share < 1200, `${share} of 1000`);
    }
  }
  const many = fakes(Array.from({ length: 20 }, () => 1));
  (many[7] as Fake).active = 100;
  assert.equal(picks(new LeastRequest(), many, 1000)[7], 0);
});

test('the same address keeps its state when the cluster changes, and an endpoint that is not healthy gets nothing', () => {
  const state = new ClusterState(cluster('c', [1, 2]));
  const random = seededRandom(1);
  const before = [...state.endpoints];
  state.update(cluster('c', [], { endpoints: [endpoint(2), { ...endpoint(3), healthy: false }] }));
  const after = [...state.endpoints];
  assert.equal(after[0], before[1]);
  assert.equal(before[0]?.removed, true);
  for (let turn = 0; turn < 10; turn++) assert.equal(state.pick(undefined, 0, random), after[0]);
  state.update(cluster('c', [], { endpoints: [{ ...endpoint(3), healthy: false }] }));
  assert.equal(state.pick(undefined, 0, random), undefined);
});

test('another try goes elsewhere, and those that refused lately are asked last but are asked', () => {
  const state = new ClusterState(cluster('c', [1, 2, 3]));
  const random = seededRandom(1);
  const [one, two, three] = [...state.endpoints];
  assert.ok(one !== undefined && two !== undefined && three !== undefined);
  for (let turn = 0; turn < 9; turn++) assert.notEqual(state.pick([one], 0, random), one);
  state.connectFailed(two, 0);
  for (let turn = 0; turn < 9; turn++) assert.equal(state.pick([one], 100, random), three);
  state.connectFailed(one, 0);
  state.connectFailed(three, 0);
  assert.ok(state.pick(undefined, 100, random) !== undefined);
  assert.ok(state.pick([one, two, three], 100, random) !== undefined);
  two.answered();
  for (let turn = 0; turn < 9; turn++) assert.equal(state.pick(undefined, 100, random), two);
  const later = new Set(Array.from({ length: 12 }, () => state.pick(undefined, 20_000, random)));
  assert.equal(later.size, 3);
});
