import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeleteOptions } from '../../../api/client/client.ts';
import { deploymentKind } from '../../../api/kinds/deployment.ts';
import { namespaceKind } from '../../../api/kinds/namespace.ts';
import { podKind } from '../../../api/kinds/pod.ts';
import type { ObjectMeta } from '../../../api/meta/object-meta.ts';
import { decideDeletion, isFinished } from './deletion.ts';

const NOW = Date.UTC(2030, 0, 1);

interface PodShape {
  readonly nodeName?: string;
  readonly phase?: string;
  readonly metadata?: Partial<ObjectMeta>;
}

function pod({ nodeName, phase = 'Running', metadata = {} }: PodShape) {
  const object = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'default', generation: 1, ...metadata },
    spec: { containers: [], terminationGracePeriodSeconds: 30, ...(nodeName === undefined ? {} : { nodeName }) },
    status: { phase },
  };
  return object as unknown as Parameters<typeof podKind.validate>[0];
}

const pending = { deletionTimestamp: '2030-01-01T00:00:30Z', deletionGracePeriodSeconds: 30 };

const cases: readonly (readonly [
  string,
  PodShape,
  Pick<DeleteOptions, 'gracePeriodSeconds'>,
  'remove' | 'pending' | { deletionTimestamp: string; deletionGracePeriodSeconds: number },
])[] = [
  ['a pod that no node has goes at once', {}, {}, 'remove'],
  ['a pod on a node gets the grace of its spec', { nodeName: 'a' }, {}, pending],
  [
    'a grace that is asked for wins over the spec',
    { nodeName: 'a' },
    { gracePeriodSeconds: 5 },
    { deletionTimestamp: '2030-01-01T00:00:05Z', deletionGracePeriodSeconds: 5 },
  ],
  [
    'a grace below 0 counts as one second',
    { nodeName: 'a' },
    { gracePeriodSeconds: -7 },
    { deletionTimestamp: '2030-01-01T00:00:01Z', deletionGracePeriodSeconds: 1 },
  ],
  ['grace 0 takes it away', { nodeName: 'a' }, { gracePeriodSeconds: 0 }, 'remove'],
  ['a pod that has ended has nothing to wait for', { nodeName: 'a', phase: 'Succeeded' }, {}, 'remove'],
  ['a pod that is ending stays as it is', { nodeName: 'a', metadata: pending }, {}, 'pending'],
  ['its grace cannot be made longer', { nodeName: 'a', metadata: pending }, { gracePeriodSeconds: 60 }, 'pending'],
  [
    'its grace can be made shorter, counted from when the deletion began',
    { nodeName: 'a', metadata: pending },
    { gracePeriodSeconds: 10 },
    { deletionTimestamp: '2030-01-01T00:00:10Z', deletionGracePeriodSeconds: 10 },
  ],
  ['the agent ends it with grace 0', { nodeName: 'a', metadata: pending }, { gracePeriodSeconds: 0 }, 'remove'],
];

for (const [name, shape, options, expected] of cases) {
  test(`deleting a pod: ${name}`, () => {
    const deletion = decideDeletion(podKind, pod(shape), options, NOW);
    if (typeof expected === 'string') {
      assert.equal(deletion.type, expected);
      return;
    }
    assert.equal(deletion.type, 'mark');
    const { deletionTimestamp, deletionGracePeriodSeconds } =
      deletion.type === 'mark' ? deletion.object.metadata : { deletionTimestamp: '', deletionGracePeriodSeconds: 0 };
    assert.deepEqual({ deletionTimestamp, deletionGracePeriodSeconds }, expected);
  });
}

test('a finalizer holds a pod that has ended, marked with grace 0', () => {
  const held = pod({ nodeName: 'a', metadata: { ...pending, finalizers: ['x.example/y'] } });
  const deletion = decideDeletion(podKind, held, { gracePeriodSeconds: 0 }, NOW);
  assert.equal(deletion.type, 'mark');
  if (deletion.type === 'mark') {
    assert.equal(deletion.object.metadata.deletionGracePeriodSeconds, 0);
    assert.equal(isFinished(podKind, deletion.object), false);
    const { finalizers: _, ...metadata } = deletion.object.metadata;
    assert.equal(isFinished(podKind, { ...deletion.object, metadata }), true);
  }
});

function deployment(finalizers: string[]) {
  const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd', generation: 3, finalizers } };
  return object as unknown as Parameters<typeof deploymentKind.validate>[0];
}

test('the policy of propagation becomes the finalizer that the collector of garbage waits for', () => {
  const finalizersAfter = (had: string[], propagationPolicy: NonNullable<DeleteOptions['propagationPolicy']>) => {
    const deletion = decideDeletion(deploymentKind, deployment(had), { propagationPolicy }, NOW);
    return deletion.type === 'mark' ? deletion.object.metadata.finalizers : deletion.type;
  };
  assert.deepEqual(finalizersAfter([], 'Foreground'), ['foregroundDeletion']);
  assert.deepEqual(finalizersAfter([], 'Orphan'), ['orphan']);
  assert.deepEqual(finalizersAfter([], 'Background'), 'remove');
  assert.deepEqual(finalizersAfter(['orphan'], 'Background'), 'remove');
  assert.deepEqual(finalizersAfter(['orphan', 'x.example/y'], 'Foreground'), ['x.example/y', 'foregroundDeletion']);
});

test('a deletion that something holds is a change of what is wanted', () => {
  const deletion = decideDeletion(deploymentKind, deployment([]), { propagationPolicy: 'Foreground' }, NOW);
  assert.equal(deletion.type === 'mark' && deletion.object.metadata.generation, 4);
});

test('a namespace stays, Terminating, until the finalizer of its content is gone', () => {
  const object = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'n' },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  } as unknown as Parameters<typeof namespaceKind.validate>[0];
  const deletion = decideDeletion(namespaceKind, object, {}, NOW);
  assert.equal(deletion.type, 'mark');
  if (deletion.type === 'mark') {
    assert.equal(deletion.object.status.phase, 'Terminating');
    assert.equal(isFinished(namespaceKind, deletion.object), false);
    assert.equal(isFinished(namespaceKind, { ...deletion.object, spec: { finalizers: [] } }), true);
  }
});
