import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Condition, isConditionTrue, setCondition } from './condition.ts';

const THEN = '2030-01-01T00:00:00Z';
const NOW = '2030-01-02T00:00:00Z';
const ready: Condition = { type: 'Ready', status: 'True', reason: 'Fine', message: '', lastTransitionTime: THEN };

test('a condition keeps its time while its status stays, whatever else changes', () => {
  const [same] = setCondition([ready], { type: 'Ready', status: 'True', reason: 'Better', message: '' }, NOW);
  assert.equal(same?.lastTransitionTime, THEN);
  assert.equal(same.reason, 'Better');
  const [changed] = setCondition([ready], { type: 'Ready', status: 'False', reason: 'Worse', message: '' }, NOW);
  assert.equal(changed?.lastTransitionTime, NOW);
});

test('setting what is there already gives the same list, so that nothing is written', () => {
  const conditions = [ready];
  assert.equal(
    setCondition(conditions, { type: 'Ready', status: 'True', reason: 'Fine', message: '' }, NOW),
    conditions,
  );
});

test('a new condition goes to the end, and the given list stays as it is', () => {
  const conditions: Condition[] = [ready];
  const next = setCondition(conditions, { type: 'Synced', status: 'True', reason: 'Yes', message: '' }, NOW);
  assert.deepEqual(
    next.map(({ type }) => type),
    ['Ready', 'Synced'],
  );
  assert.equal(conditions.length, 1);
  assert.equal(isConditionTrue(next, 'Synced'), true);
  assert.equal(isConditionTrue(undefined, 'Synced'), false);
});
