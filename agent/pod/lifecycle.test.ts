import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isEnding, nextStage, type PodStage, type StageFacts } from './lifecycle.ts';

const QUIET: StageFacts = {
  isLeaving: false,
  isDoomed: false,
  isPrepared: false,
  hasJoined: false,
  init: 'pending',
  hasEnded: false,
  mayBeRouted: false,
  hasDrained: false,
  hasContainers: false,
  hasSidecar: false,
};

const CASES: readonly (readonly [name: string, from: PodStage, facts: Partial<StageFacts>, to: PodStage])[] = [
  ['waits for its preparation', 'preparing', {}, 'preparing'],
  ['waits for its sidecar when it is prepared', 'preparing', { isPrepared: true }, 'joining'],
  ['runs its init containers when its sidecar is ready', 'joining', { hasJoined: true }, 'initializing'],
  ['runs when it has no init containers', 'preparing', { isPrepared: true, hasJoined: true, init: 'done' }, 'running'],
  ['ends when an init container failed for good', 'initializing', { init: 'failed' }, 'finished'],
  ['ends when its containers have', 'running', { hasEnded: true }, 'finished'],
  ['stays when its sidecar has gone away', 'running', { hasJoined: false }, 'running'],
  ['waits until nobody routes to it', 'running', { isLeaving: true, mayBeRouted: true }, 'unrouting'],
  ['drains when nobody does', 'unrouting', {}, 'draining'],
  ['drains at once when it never was ready', 'running', { isLeaving: true }, 'draining'],
  ['stops its containers when it has drained', 'draining', { hasDrained: true, hasContainers: true }, 'stopping'],
  [
    'keeps its sidecar until its containers are gone',
    'stopping',
    { hasContainers: true, hasSidecar: true },
    'stopping',
  ],
  ['stops its sidecar last', 'stopping', { hasSidecar: true }, 'leaving'],
  ['is gone when nothing is left', 'stopping', {}, 'gone'],
  ['goes without a drain when nothing of it ran', 'joining', { isLeaving: true, hasSidecar: true }, 'leaving'],
  ['ends when its time is over', 'running', { isDoomed: true, hasContainers: true }, 'finished'],
  ['ends before it has begun when its time is over', 'preparing', { isDoomed: true }, 'finished'],
  ['goes rather than ends', 'initializing', { isDoomed: true, isLeaving: true, hasContainers: true }, 'stopping'],
  ['goes after it has ended', 'finished', { isLeaving: true }, 'gone'],
];

for (const [name, from, facts, to] of CASES) {
  test(`a pod that is ${from} ${name}`, () => assert.equal(nextStage(from, { ...QUIET, ...facts }), to));
}

const factsArbitrary: fc.Arbitrary<StageFacts> = fc.record({
  isLeaving: fc.boolean(),
  isDoomed: fc.boolean(),
  isPrepared: fc.boolean(),
  hasJoined: fc.boolean(),
  init: fc.constantFrom('pending', 'done', 'failed'),
  hasEnded: fc.boolean(),
  mayBeRouted: fc.boolean(),
  hasDrained: fc.boolean(),
  hasContainers: fc.boolean(),
  hasSidecar: fc.boolean(),
});

const ORDER: readonly PodStage[] = [
  'preparing',
  'joining',
  'initializing',
  'running',
  'finished',
  'unrouting',
  'draining',
  'stopping',
  'leaving',
  'gone',
];

test('whatever happens, a pod only goes forward, and once it is ending it never runs again', () => {
  fc.assert(
    fc.property(fc.array(factsArbitrary, { maxLength: 20 }), (history) => {
      let stage: PodStage = 'preparing';
      for (const facts of history) {
        const next = nextStage(stage, facts);
        assert.ok(ORDER.indexOf(next) >= ORDER.indexOf(stage));
        if (isEnding(stage)) assert.ok(isEnding(next));
        stage = next;
      }
    }),
  );
});

test('a pod is never gone while a container or its sidecar is there', () => {
  fc.assert(
    fc.property(fc.constantFrom(...ORDER), factsArbitrary, (stage, facts) => {
      if (stage === 'gone' || stage === 'leaving') return;
      const next = nextStage(stage, facts);
      if (next === 'gone') assert.deepEqual([facts.hasContainers, facts.hasSidecar], [false, false]);
      if (next === 'leaving') assert.equal(facts.hasContainers, false);
    }),
  );
});
