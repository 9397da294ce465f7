import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment } from '../../api/kinds/deployment.ts';
import type { ReplicaSet } from '../../api/kinds/replica-set.ts';
import { revisionsOf, targetRevision, templateOf } from './history.ts';
import { rolloutState } from './status.ts';

function deployment(status: Partial<Deployment['status']>, generation = 2): Deployment {
  return {
    metadata: { name: 'web', uid: 'd', generation },
    spec: { replicas: 3 },
    status: { observedGeneration: 2, ...status },
  } as unknown as Deployment;
}

for (const [status, generation, kind, message] of [
  [{ replicas: 3, updatedReplicas: 3, availableReplicas: 3 }, 3, 'running', /spec update to be observed/],
  [
    { replicas: 4, updatedReplicas: 2, availableReplicas: 3 },
    2,
    'running',
    /2 out of 3 new replicas have been updated/,
  ],
  [{ replicas: 4, updatedReplicas: 3, availableReplicas: 3 }, 2, 'running', /1 old replicas are pending termination/],
  [{ replicas: 3, updatedReplicas: 3, availableReplicas: 2 }, 2, 'running', /2 of 3 updated replicas are available/],
  [{ replicas: 3, updatedReplicas: 3, availableReplicas: 3 }, 2, 'done', /successfully rolled out/],
] as const) {
  test(`a rollout with ${JSON.stringify(status)} is ${kind}: ${message.source}`, () => {
    const state = rolloutState(deployment(status, generation));
    assert.equal(state.kind, kind);
    assert.match(state.message, message);
  });
}

test('a rollout past its deadline has failed, whatever the counts say', () => {
  const conditions = [
    { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' },
  ] as Deployment['status']['conditions'];
  assert.equal(rolloutState(deployment({ conditions, updatedReplicas: 1 })).kind, 'failed');
});

function replicaSet(revision: string, owner: string): ReplicaSet {
  return {
    metadata: {
      name: `web-${revision}`,
      ownerReferences: [{ uid: owner }],
      annotations: { 'deployment.kubernetes.io/revision': revision },
    },
    spec: { template: { metadata: { labels: { app: 'web', 'pod-template-hash': 'x' } }, spec: { revision } } },
  } as unknown as ReplicaSet;
}

test('revisions are the ReplicaSets of the Deployment, oldest first, and undo goes one back', () => {
  const revisions = revisionsOf(deployment({}), [
    replicaSet('10', 'd'),
    replicaSet('2', 'd'),
    replicaSet('9', 'another'),
  ]);
  assert.deepEqual(
    revisions.map(({ revision }) => revision),
    [2, 10],
  );
  assert.equal(targetRevision(revisions, 0)?.revision, 2);
  assert.equal(targetRevision(revisions, 10)?.revision, 10);
  assert.equal(targetRevision(revisions, 3), undefined);
});

test('the template that is restored has no label of its ReplicaSet', () => {
  const [revision] = revisionsOf(deployment({}), [replicaSet('1', 'd')]);
  assert.ok(revision);
  assert.deepEqual((templateOf(revision) as { metadata: { labels: unknown } }).metadata.labels, { app: 'web' });
});
