import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment } from '../../../api/kinds/deployment.ts';
import { deploymentKind } from '../../../api/kinds/deployment.ts';
import type { ReplicaSet } from '../../../api/kinds/replica-set.ts';
import { timestamp } from '../../../kit/clock.ts';
import { controllerReference } from '../owner.ts';
import { deployment, pod, replicaSet, type Said } from '../testing/objects.ts';
import { afterCollision, afterCreate, afterRefusal, type DeploymentPlan, decideDeployment } from './decide.ts';
import { fenceposts } from './fenceposts.ts';
import { sameTemplate, templateHash } from './template-hash.ts';

const NOW_MS = Date.UTC(2030, 0, 1);
const NOW = timestamp(NOW_MS);

function decide(
  of: Deployment,
  replicaSets: readonly ReplicaSet[],
  pods: Parameters<typeof pod>[1][] = [],
): DeploymentPlan {
  const all = pods.map((said, index) => pod(`p${index}`, said));
  return decideDeployment({ deployment: of, replicaSets, pods: all }, NOW_MS, NOW);
}

interface Size {
  readonly replicas: number;
  readonly ready?: number;
  readonly revision?: number;
  readonly created?: string;
  readonly image?: string;
  readonly annotations?: Record<string, string>;
  readonly minReadySeconds?: number;
}

/** A ReplicaSet of `web` whose pods are all there, as the controllers would have left it. */
function version(name: string, of: Deployment, size: Size): ReplicaSet {
  const { replicas, ready = replicas, revision = 1, image = 'shop/web:v1' } = size;
  const desired = String(of.spec.replicas);
  const max = String(of.spec.replicas + fenceposts(of).maxSurge);
  return replicaSet(name, {
    metadata: {
      creationTimestamp: size.created ?? '2029-12-01T00:00:00Z',
      ownerReferences: [controllerReference(deploymentKind, of)],
      annotations: {
        'deployment.kubernetes.io/revision': String(revision),
        'deployment.kubernetes.io/desired-replicas': desired,
        'deployment.kubernetes.io/max-replicas': max,
        ...size.annotations,
      },
    },
    spec: {
      replicas,
      ...(size.minReadySeconds === undefined ? {} : { minReadySeconds: size.minReadySeconds }),
      selector: { matchLabels: { app: 'web', 'pod-template-hash': name } },
      template: {
        metadata: { labels: { app: 'web', 'pod-template-hash': name } },
        spec: { containers: [{ name: 'app', image }] },
      },
    },
    status: { replicas, readyReplicas: ready, availableReplicas: ready, observedGeneration: 1 },
  });
}

function rolling(replicas: number, rollingUpdate: object, said: Said = {}): Deployment {
  return deployment('web', {
    ...said,
    spec: { ...deployment('web').spec, replicas, strategy: { rollingUpdate }, ...said.spec },
  });
}

const sizes = (plan: DeploymentPlan): Record<string, number> =>
  Object.fromEntries(plan.updates.map(({ replicaSet: { metadata, spec } }) => [metadata.name, spec.replicas]));

const messages = (plan: DeploymentPlan): string[] =>
  [plan.create?.event, ...plan.updates.map(({ event }) => event)].flatMap((event) => event?.message ?? []);

test('a new Deployment gets a ReplicaSet with the whole size, its labels, its revision and its words', () => {
  const web = deployment('web', { metadata: { annotations: { 'kubernetes.io/change-cause': 'first' } } });
  const plan = decide(web, []);
  const draft = plan.create?.draft;
  const hash = templateHash(web.spec.template, undefined);
  assert.equal(draft?.metadata.name, `web-${hash}`);
  assert.deepEqual(draft?.spec.selector.matchLabels, { app: 'web', 'pod-template-hash': hash });
  assert.deepEqual(draft?.spec.template.metadata.labels, { app: 'web', 'pod-template-hash': hash });
  assert.equal(draft?.spec.replicas, 3);
  assert.equal(draft?.metadata.annotations?.['kubernetes.io/change-cause'], 'first');
  assert.equal(draft?.metadata.annotations?.['deployment.kubernetes.io/revision'], '1');
  assert.equal(plan.revision, '1');
  assert.deepEqual(messages(plan), [`Scaled up replica set web-${hash} from 0 to 3`]);
});

const steps: readonly [
  name: string,
  of: Deployment,
  sets: readonly [string, Size][],
  expected: Record<string, number>,
][] = [
  [
    'grows by maxSurge first',
    rolling(10, { maxSurge: 3, maxUnavailable: 2 }),
    [
      ['old', { replicas: 10, image: 'v0' }],
      ['new', { replicas: 0 }],
    ],
    { new: 3 },
  ],
  [
    'shrinks the old by maxUnavailable when there is no room',
    rolling(10, { maxSurge: 3, maxUnavailable: 2 }),
    [
      ['old', { replicas: 10, image: 'v0' }],
      ['new', { replicas: 3, ready: 0 }],
    ],
    { old: 8 },
  ],
  [
    'waits while new pods are not available',
    rolling(10, { maxSurge: 3, maxUnavailable: 2 }),
    [
      ['old', { replicas: 8, image: 'v0' }],
      ['new', { replicas: 5, ready: 0 }],
    ],
    {},
  ],
  [
    'goes on as new pods become available',
    rolling(10, { maxSurge: 3, maxUnavailable: 2 }),
    [
      ['old', { replicas: 8, image: 'v0' }],
      ['new', { replicas: 5, ready: 2 }],
    ],
    { old: 6 },
  ],
  [
    'takes broken old pods first, even when nothing may become unavailable',
    rolling(3, { maxSurge: 1, maxUnavailable: 0 }),
    [
      ['broken', { replicas: 1, ready: 0, image: 'v0' }],
      ['good', { replicas: 2, image: 'v00' }],
      ['new', { replicas: 1 }],
    ],
    { broken: 0 },
  ],
  ['shrinks a present one that is too large', rolling(3, {}), [['new', { replicas: 5 }]], { new: 3 }],
  [
    'is done',
    rolling(3, {}),
    [
      ['old', { replicas: 0, image: 'v0' }],
      ['new', { replicas: 3 }],
    ],
    {},
  ],
];

for (const [name, of, sets, expected] of steps) {
  test(`a rolling update ${name}`, () => {
    // The annotations of the sizes are not what this is about.
    const plan = decide(
      of,
      sets.map(([set, size]) => version(set, of, { revision: set === 'new' ? 2 : 1, ...size })),
    );
    assert.deepEqual(sizes(plan), expected);
  });
}

const fences: readonly [
  replicas: number,
  surge: number | string,
  unavailable: number | string,
  expected: [number, number],
][] = [
  [10, '25%', '25%', [3, 2]],
  [1, '25%', '25%', [1, 0]],
  [3, '0%', '25%', [0, 1]],
  [4, 0, 0, [0, 1]],
  [2, 1, 5, [1, 2]],
  [0, 1, 1, [1, 0]],
];
for (const [replicas, maxSurge, maxUnavailable, [surge, unavailable]] of fences) {
  test(`${maxSurge} surge and ${maxUnavailable} unavailable of ${replicas} are ${surge} and ${unavailable} pods`, () => {
    assert.deepEqual(fenceposts(rolling(replicas, { maxSurge, maxUnavailable })), {
      maxSurge: surge,
      maxUnavailable: unavailable,
    });
  });
}

test('resizing in the middle of a rollout shares the difference in proportion', () => {
  // The example of the Kubernetes documentation, "Proportional scaling".
  const before = rolling(10, { maxSurge: 3, maxUnavailable: 2 });
  const after = rolling(15, { maxSurge: 3, maxUnavailable: 2 });
  const plan = decide(after, [
    version('old', before, { replicas: 8, image: 'v0' }),
    version('new', before, { replicas: 5, ready: 0, revision: 2 }),
  ]);
  assert.deepEqual(sizes(plan), { old: 11, new: 7 });
});

test('a paused Deployment is resized and not rolled', () => {
  const before = rolling(3, {});
  const after = rolling(5, {}, { spec: { paused: true } });
  const plan = decide(after, [version('old', before, { replicas: 3, image: 'v0' })]);
  assert.equal(plan.create, undefined);
  assert.deepEqual(sizes(plan), { old: 5 });
  const progressing = plan.status.conditions?.find(({ type }) => type === 'Progressing');
  assert.deepEqual([progressing?.status, progressing?.reason], ['Unknown', 'DeploymentPaused']);
});

test('Recreate takes all old pods down, waits for the last, and then makes the new ones', () => {
  const web = deployment('web', { spec: { ...deployment('web').spec, strategy: { type: 'Recreate' } } });
  const old = version('old', web, { replicas: 3, image: 'v0' });
  assert.deepEqual(sizes(decide(web, [old])), { old: 0 });
  const empty = version('old', web, { replicas: 0, image: 'v0' });
  const waiting = decide(web, [empty], [{ owner: empty, metadata: { deletionTimestamp: NOW } }]);
  assert.deepEqual([waiting.create, waiting.updates], [undefined, []]);
  const ended = decide(web, [empty], [{ owner: empty, status: { phase: 'Failed' } }]);
  assert.equal(ended.create?.draft.spec.replicas, 3);
});

test('history keeps revisionHistoryLimit old ReplicaSets and never one that has pods', () => {
  const web = deployment('web', {
    metadata: { generation: 1 },
    spec: { ...deployment('web').spec, revisionHistoryLimit: 1 },
    status: { observedGeneration: 1, replicas: 3, updatedReplicas: 3, availableReplicas: 3 },
  });
  const old = (name: string, revision: number, replicas = 0): ReplicaSet =>
    version(name, web, { replicas, revision, image: name });
  const present = version('new', web, { replicas: 3, revision: 9 });
  const plan = decide(web, [old('b', 5), old('a', 2), old('c', 7), old('busy', 1, 1), present]);
  assert.deepEqual(
    plan.deletes.map(({ metadata }) => metadata.name),
    ['a', 'b'],
  );
});

test('annotations and minReadySeconds follow the Deployment to its present ReplicaSet, but not what kubectl keeps', () => {
  const web = deployment('web', {
    metadata: {
      annotations: {
        'kubernetes.io/change-cause': 'second',
        'kubectl.kubernetes.io/last-applied-configuration': '{}',
        'deployment.kubernetes.io/revision': '1',
      },
    },
    spec: { ...deployment('web').spec, minReadySeconds: 5 },
  });
  const [update] = decide(web, [version('new', web, { replicas: 3 })]).updates;
  assert.equal(update?.replicaSet.spec.minReadySeconds, 5);
  assert.equal(update.replicaSet.metadata.annotations?.['kubernetes.io/change-cause'], 'second');
  assert.equal(update.replicaSet.metadata.annotations['kubectl.kubernetes.io/last-applied-configuration'], undefined);
  assert.equal(update.event, undefined);
});

const condition = (plan: Pick<DeploymentPlan, 'status'>, type: string) =>
  plan.status.conditions?.find((each) => each.type === type);

test('no progress within progressDeadlineSeconds is told, and asked for again in time', () => {
  const since = (secondsAgo: number): Deployment =>
    deployment('web', {
      spec: { ...deployment('web').spec, progressDeadlineSeconds: 60 },
      status: {
        observedGeneration: 1,
        replicas: 3,
        updatedReplicas: 3,
        conditions: [
          {
            type: 'Progressing',
            status: 'True',
            reason: 'ReplicaSetUpdated',
            lastUpdateTime: timestamp(NOW_MS - secondsAgo * 1000),
            lastTransitionTime: timestamp(NOW_MS - secondsAgo * 1000),
          },
        ],
      },
    });
  const early = since(20);
  const waiting = decide(early, [version('new', early, { replicas: 3, ready: 0 })]);
  assert.equal(condition(waiting, 'Progressing')?.reason, 'ReplicaSetUpdated');
  assert.equal(waiting.requeueAfterMs, 41_000);
  const late = since(61);
  const failed = decide(late, [version('new', late, { replicas: 3, ready: 0 })]);
  assert.equal(condition(failed, 'Progressing')?.reason, 'ProgressDeadlineExceeded');
  assert.equal(condition(failed, 'Progressing')?.message, 'ReplicaSet "new" has timed out progressing.');
  assert.equal(failed.requeueAfterMs, undefined);
});

test('status counts what the ReplicaSets report, and says available and complete as kubectl reads it', () => {
  const web = deployment('web', { metadata: { generation: 4 } });
  const plan = decide(web, [version('new', web, { replicas: 3 })]);
  const { conditions, ...counts } = plan.status;
  assert.deepEqual(counts, {
    observedGeneration: 4,
    replicas: 3,
    updatedReplicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
  });
  assert.equal(conditions?.length, 2);
  assert.equal(condition(plan, 'Available')?.reason, 'MinimumReplicasAvailable');
  assert.equal(condition(plan, 'Progressing')?.reason, 'NewReplicaSetAvailable');
  const missing = decide(web, [version('new', web, { replicas: 3, ready: 1 })]);
  assert.equal(missing.status.unavailableReplicas, 2);
  assert.equal(condition(missing, 'Available')?.reason, 'MinimumReplicasUnavailable');
});

test("a ReplicaSet that cannot make pods shows in the Deployment's conditions", () => {
  const web = deployment('web');
  const present = version('new', web, { replicas: 3, ready: 0 });
  const conditions = [{ type: 'ReplicaFailure', status: 'True' as const, reason: 'FailedCreate', message: 'no' }];
  const plan = decide(web, [{ ...present, status: { ...present.status, conditions } }]);
  assert.equal(condition(plan, 'ReplicaFailure')?.reason, 'FailedCreate');
});

test('what becomes of creating the ReplicaSet decides on the status', () => {
  const web = deployment('web', { status: { collisionCount: 1 } });
  const plan = decide(web, []);
  assert.equal(afterCollision(web).collisionCount, 2);
  assert.notEqual(templateHash(web.spec.template, 2), templateHash(web.spec.template, 1));
  assert.equal(
    condition({ status: afterCreate(plan, web, 'web-x', NOW) }, 'Progressing')?.message,
    'Created new replica set "web-x"',
  );
  assert.equal(condition({ status: afterRefusal(web, 'no', NOW) }, 'Progressing')?.reason, 'ReplicaSetCreateError');
});

test('a Deployment that is being deleted only reports', () => {
  const web = deployment('web', { metadata: { deletionTimestamp: NOW, finalizers: ['example.com/wait'] } });
  const plan = decide(web, [version('old', web, { replicas: 3, image: 'v0' })]);
  assert.deepEqual([plan.create, plan.updates, plan.deletes], [undefined, [], []]);
  assert.equal(plan.status.replicas, 3);
});

test('templates are the same whatever the order of their fields, and without the hash that tells their pods', () => {
  const { template } = deployment('web').spec;
  const reordered = { spec: Object.fromEntries(Object.entries(template.spec).reverse()), metadata: template.metadata };
  assert.ok(sameTemplate(template, reordered as typeof template));
  const labels = { ...template.metadata.labels, 'pod-template-hash': 'x' };
  assert.ok(sameTemplate(template, { ...template, metadata: { labels, annotations: {} } }));
  assert.equal(templateHash(template, undefined), templateHash(reordered as typeof template, undefined));
  const restarted = {
    ...template,
    metadata: { ...template.metadata, annotations: { 'kubectl.kubernetes.io/restartedAt': NOW } },
  };
  assert.ok(!sameTemplate(template, restarted));
});
