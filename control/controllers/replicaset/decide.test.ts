import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Pod } from '../../../api/kinds/pod.ts';
import { timestamp } from '../../../kit/clock.ts';
import { seededRandom } from '../../../kit/random.ts';
import { isActive } from '../pod-state.ts';
import { type PodSaid, pod, replicaSet } from '../testing/objects.ts';
import { BURST_REPLICAS, decideReplicaSet } from './decide.ts';
import { rankForDeletion } from './deletion-rank.ts';
import { Expectations } from './expectations.ts';
import { observedStatus } from './status.ts';

const NOW_MS = Date.UTC(2030, 0, 1);
const NOW = timestamp(NOW_MS);
const secondsAgo = (seconds: number): string => timestamp(NOW_MS - seconds * 1000);
const ready = (seconds: number): PodSaid => ({ node: 'n1', readySince: secondsAgo(seconds) });
const restarted = { containerStatuses: [{ name: 'app', ready: true, restartCount: 5, image: 'x' }] };

/** Each says: the first is missed less than the second. */
const ranks: readonly [why: string, goes: PodSaid, stays: PodSaid][] = [
  ['without a node', { status: { phase: 'Running' } }, { node: 'n1' }],
  ['pending', { node: 'n1' }, { node: 'n1', status: { phase: 'Running' } }],
  ['not ready', { node: 'n1', status: { phase: 'Running' } }, ready(60)],
  ['not ready for minReadySeconds', { ...ready(2), metadata: { uid: 'z' } }, ready(3)],
  [
    'cheaper',
    { ...ready(600), metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '-1' } } },
    ready(4),
  ],
  ['ready for a shorter time', ready(10), ready(600)],
  [
    'restarted more often',
    {
      ...ready(60),
      status: {
        ...restarted,
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: secondsAgo(60) }],
      },
    },
    ready(60),
  ],
  ['younger', { ...ready(60), metadata: { creationTimestamp: secondsAgo(70) } }, ready(60)],
];
for (const [why, goes, stays] of ranks) {
  test(`of two pods the one that is ${why} goes first`, () => {
    const [first, second] = [pod('goes', goes), pod('a-stays', stays)];
    const context = { related: [first, second], minReadySeconds: 3, nowMs: NOW_MS };
    for (const order of [
      [first, second],
      [second, first],
    ]) {
      assert.equal(rankForDeletion(order, context)[0]?.metadata.name, 'goes');
    }
  });
}

test('of ready pods the one that shares its node with more of its kind goes first', () => {
  const crowded = [pod('a', ready(60)), pod('b', ready(60))];
  const alone = pod('0-alone', { ...ready(60), node: 'n2' });
  const ranked = rankForDeletion([alone, ...crowded], {
    related: [alone, ...crowded],
    minReadySeconds: 0,
    nowMs: NOW_MS,
  });
  assert.equal(ranked.at(-1)?.metadata.name, '0-alone');
});

const anyPods = fc.array(
  fc.record({
    ended: fc.boolean(),
    leaving: fc.boolean(),
    ready: fc.boolean(),
    node: fc.constantFrom('n1', 'n2', undefined),
  }),
  { maxLength: 20 },
);

test('a plan brings the active pods to the wanted number, and names each new pod anew', () => {
  fc.assert(
    fc.property(anyPods, fc.integer({ min: 0, max: 20 }), fc.nat(), (kinds, replicas, seed) => {
      const owner = replicaSet('web', { spec: { ...replicaSet('web').spec, replicas } });
      const pods = kinds.map((kind, index) => podOf(kind, `web-${index}`));
      const snapshot = { replicaSet: owner, pods, related: pods.filter(isActive), isCurrent: true };
      const plan = decideReplicaSet(snapshot, NOW_MS, seededRandom(seed));
      const active = pods.filter(isActive).length;
      assert.equal(active + plan.creates.length - plan.deletes.length, replicas);
      assert.ok(plan.creates.length === 0 || plan.deletes.length === 0);
      assert.ok(plan.deletes.every(isActive));
      const names = plan.creates.map(({ metadata }) => metadata.name);
      assert.equal(new Set([...names, ...pods.map(({ metadata }) => metadata.name)]).size, names.length + pods.length);
      assert.deepEqual(decideReplicaSet(snapshot, NOW_MS, seededRandom(seed)), plan);
    }),
  );
});

test('a ready pod goes only when all that are left are ready', () => {
  fc.assert(
    fc.property(anyPods, fc.integer({ min: 0, max: 20 }), (kinds, replicas) => {
      const owner = replicaSet('web', { spec: { ...replicaSet('web').spec, replicas } });
      const pods = kinds.map((kind, index) => podOf({ ...kind, node: 'n1' }, `web-${index}`));
      const snapshot = { replicaSet: owner, pods, related: pods, isCurrent: true };
      const { deletes } = decideReplicaSet(snapshot, NOW_MS, seededRandom(1));
      const isReadyPod = ({ status }: Pod): boolean => (status.conditions ?? []).length > 0;
      const left = pods.filter((each) => isActive(each) && !deletes.includes(each));
      if (deletes.some(isReadyPod)) assert.ok(left.every(isReadyPod));
    }),
  );
});

interface AnyPod {
  readonly ended: boolean;
  readonly leaving: boolean;
  readonly ready: boolean;
  readonly node: string | undefined;
}

function podOf({ ended, leaving, ready: isReady, node }: AnyPod, name: string): Pod {
  return pod(name, {
    ...(leaving ? { metadata: { deletionTimestamp: NOW } } : {}),
    ...(isReady ? { readySince: secondsAgo(60) } : {}),
    ...(node === undefined ? {} : { node }),
    ...(ended ? { status: { phase: 'Failed' } } : {}),
  });
}

test('nothing is done while what was done before is not seen, nor for one that is being deleted', () => {
  const snapshot = { replicaSet: replicaSet('web'), pods: [], related: [], isCurrent: false };
  assert.deepEqual(decideReplicaSet(snapshot, NOW_MS, seededRandom(1)).creates, []);
  const leaving = replicaSet('web', { metadata: { deletionTimestamp: NOW } });
  const plan = decideReplicaSet({ ...snapshot, replicaSet: leaving, isCurrent: true }, NOW_MS, seededRandom(1));
  assert.deepEqual([plan.creates, plan.reason], [[], 'it is being deleted']);
});

test('a new pod has the template, a name of its own, and its owner', () => {
  const owner = replicaSet('web', { spec: { ...replicaSet('web').spec, replicas: 1 } });
  const plan = decideReplicaSet({ replicaSet: owner, pods: [], related: [], isCurrent: true }, NOW_MS, seededRandom(1));
  const [draft] = plan.creates;
  assert.match(draft?.metadata.name ?? '', /^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  assert.equal(draft?.metadata.generateName, 'web-');
  assert.deepEqual(draft?.metadata.labels, { app: 'web' });
  assert.equal(draft?.metadata.ownerReferences?.[0]?.uid, owner.metadata.uid);
  assert.equal(draft?.metadata.ownerReferences[0].controller, true);
  assert.deepEqual(draft?.spec, owner.spec.template.spec);
});

test('a step makes no more pods than the burst', () => {
  const owner = replicaSet('web', { spec: { ...replicaSet('web').spec, replicas: 2000 } });
  const plan = decideReplicaSet({ replicaSet: owner, pods: [], related: [], isCurrent: true }, NOW_MS, seededRandom(1));
  assert.equal(plan.creates.length, BURST_REPLICAS);
});

test('status counts ready and available pods, asks for a look when one becomes available, and keeps a failure', () => {
  const owner = replicaSet('web', { spec: { ...replicaSet('web').spec, minReadySeconds: 10 } });
  const pods = [ready(4), ready(60), { node: 'n1' }].map((said, index) => pod(`p${index}`, { ...said, owner }));
  const plan = decideReplicaSet({ replicaSet: owner, pods, related: pods, isCurrent: true }, NOW_MS, seededRandom(1));
  assert.equal(plan.requeueAfterMs, 6000);
  const seen = { replicaSet: owner, active: pods, failure: undefined, nowMs: NOW_MS, now: NOW };
  assert.deepEqual(observedStatus(seen), {
    replicas: 3,
    fullyLabeledReplicas: 3,
    readyReplicas: 2,
    availableReplicas: 1,
    observedGeneration: 1,
  });
  const failure = { reason: 'FailedCreate', message: 'quota' } as const;
  const failed = observedStatus({ ...seen, failure });
  assert.deepEqual(failed.conditions, [
    { type: 'ReplicaFailure', status: 'True', lastTransitionTime: NOW, ...failure },
  ]);
  assert.equal(observedStatus({ ...seen, replicaSet: { ...owner, status: failed } }).conditions, undefined);
});

test('expectations are met when every creation and deletion was seen, in whatever order event and answer come', () => {
  let nowMs = 0;
  const expectations = new Expectations(() => nowMs);
  const owner = 'uid';
  assert.equal(expectations.areMet(owner), true);
  expectations.expectCreations(owner, ['a', 'b', 'c']);
  expectations.sawPod(owner, pod('a'));
  expectations.sawPodGone(owner, pod('b')); // Made and deleted before anybody looked.
  assert.equal(expectations.areMet(owner), false);
  expectations.forgetCreation(owner, 'c'); // Refused.
  assert.equal(expectations.areMet(owner), true);
  expectations.expectDeletions(owner, ['uid-a']);
  expectations.sawPod(owner, pod('a'));
  assert.equal(expectations.areMet(owner), false);
  expectations.sawPod(owner, pod('a', { metadata: { deletionTimestamp: NOW } }));
  assert.equal(expectations.areMet(owner), true);
  expectations.expectCreations(owner, ['lost']);
  nowMs += 5 * 60_000;
  assert.equal(expectations.areMet(owner), true, 'what does not come in five minutes is not awaited');
});
