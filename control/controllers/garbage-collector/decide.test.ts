import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OwnerReference } from '../../../api/meta/object-meta.ts';
import { LONG_AGO, pod, replicaSet } from '../testing/objects.ts';
import { decideGarbage, FOREGROUND, type GarbagePlan, ORPHAN, type OwnerState } from './decide.ts';

const reference = (uid: string): OwnerReference => ({ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: uid, uid });
const owners = (...states: OwnerState[]) =>
  states.map((state, index) => ({ reference: reference(`o${index}`), state }));
const deleting = (finalizers: string[]) => ({ deletionTimestamp: LONG_AGO, finalizers });
const waitingDependent = pod('dependent', { metadata: deleting([FOREGROUND]) });

const byOwners: readonly [OwnerState[], expected: Partial<GarbagePlan>, dependents?: ReturnType<typeof pod>[]][] = [
  [[], { type: 'keep' }],
  [['present'], { type: 'keep' }],
  [['unknown'], { type: 'keep' }],
  [['absent'], { type: 'delete', policy: 'Background' }],
  [['absent', 'absent'], { type: 'delete', policy: 'Background' }],
  [['absent', 'present'], { type: 'drop-owners', uids: ['o0'] }],
  [['waiting', 'unknown'], { type: 'drop-owners', uids: ['o0'] }],
  [['waiting'], { type: 'delete', policy: 'Background' }],
  [['waiting'], { type: 'delete', policy: 'Foreground' }, [pod('dependent')]],
  [['waiting'], { type: 'delete', policy: 'Background' }, [waitingDependent]],
];
for (const [states, expected, dependents = []] of byOwners) {
  test(`an object whose owners are ${states.join(' and ') || 'none'}, with ${dependents.length} dependents: ${JSON.stringify(expected)}`, () => {
    const { reason, ...plan } = decideGarbage({ object: replicaSet('web'), owners: owners(...states), dependents });
    assert.deepEqual(plan, expected);
    assert.notEqual(reason, '');
  });
}

test('an earlier wish for orphaning or foreground is kept when the owners are gone', () => {
  for (const [finalizer, policy] of [
    [ORPHAN, 'Orphan'],
    [FOREGROUND, 'Foreground'],
  ] as const) {
    const object = replicaSet('web', { metadata: { finalizers: [finalizer] } });
    const plan = decideGarbage({ object, owners: owners('absent'), dependents: [] });
    assert.equal(plan.type === 'delete' && plan.policy, policy);
  }
});

test('what is deleted in the foreground waits for the dependents that block it, and for no others', () => {
  const object = replicaSet('web', { metadata: deleting([FOREGROUND]) });
  const blocking = pod('blocking', { owner: object });
  const loose = pod('loose', { metadata: { ownerReferences: [reference(object.metadata.uid)] } });
  const waiting = decideGarbage({ object, owners: [], dependents: [blocking, loose] });
  assert.deepEqual(waiting.type === 'await-dependents' && waiting.dependents, [blocking]);
  const done = decideGarbage({ object, owners: [], dependents: [loose] });
  assert.deepEqual(done.type === 'release' && [done.finalizer, done.orphans], [FOREGROUND, []]);
});

test('what is deleted with orphaning sets its dependents free first', () => {
  const object = replicaSet('web', { metadata: deleting([ORPHAN]) });
  const dependents = [pod('a', { owner: object }), pod('b', { owner: object })];
  const plan = decideGarbage({ object, owners: [], dependents });
  assert.deepEqual(plan.type === 'release' && [plan.finalizer, plan.orphans], [ORPHAN, dependents]);
});

test('what is being deleted already is left alone, whatever became of its owners', () => {
  const object = pod('p', { metadata: { deletionTimestamp: LONG_AGO } });
  assert.equal(decideGarbage({ object, owners: owners('absent'), dependents: [] }).type, 'keep');
});
