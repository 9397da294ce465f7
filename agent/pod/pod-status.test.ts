import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Pod, podKind } from '../../api/kinds/pod.ts';
import { findCondition } from '../../api/meta/condition.ts';
import type { ContainerState, ContainerStatus } from '../runtime/runtime.ts';
import type { ContainerFacts } from './container-plan.ts';
import { type PodStatusInput, podStatus } from './pod-status.ts';

const NOW = Date.UTC(2030, 0, 1, 0, 1, 0);
const RUNNING: ContainerState = { type: 'running', startedAtMs: NOW - 10_000, pid: 1 };

function pod(spec: Record<string, unknown> = {}, status: Record<string, unknown> = {}): Pod {
  const parsed = podKind.schema.parse({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', uid: 'u-1' },
    spec: { containers: [{ name: 'app', image: 'shop/web:v1' }], ...spec },
    status,
  });
  return parsed;
}

function run(state: ContainerState, attempt = 0): ContainerStatus {
  return {
    key: { podUid: 'u-1', container: 'app', attempt },
    id: `process://u-1/app/${attempt}`,
    image: 'shop/web:v1',
    imageId: '/images/web',
    labels: {},
    state,
  };
}

function exited(exitCode: number, agoMs = 500, signal?: number): ContainerState {
  return {
    type: 'exited',
    startedAtMs: NOW - agoMs - 3000,
    finishedAtMs: NOW - agoMs,
    exitCode,
    ...(signal === undefined ? {} : { signal }),
  };
}

function status(facts: Partial<ContainerFacts>, more: Partial<PodStatusInput> = {}) {
  const app: ContainerFacts = {
    name: 'app',
    role: 'app',
    run: undefined,
    previous: undefined,
    busy: undefined,
    started: false,
    ready: false,
    unhealthy: false,
    refusal: undefined,
    crashes: 0,
    ...facts,
  };
  return podStatus({
    pod: pod(),
    stage: 'running',
    containers: [app],
    sidecar: 'ready',
    isPrepared: true,
    hostAddress: '10.0.0.1',
    podAddress: '127.64.0.1',
    startTimeMs: NOW - 60_000,
    conditionsBefore: [],
    messageOf: () => undefined,
    nowMs: NOW,
    ...more,
  });
}

test('a running container is shown with its start, its id and its image', () => {
  const { phase, containerStatuses } = status({
    run: run(RUNNING, 2),
    started: true,
    ready: true,
    previous: run(exited(1), 1),
  });
  assert.equal(phase, 'Running');
  assert.deepEqual(containerStatuses, [
    {
      name: 'app',
      state: { running: { startedAt: '2030-01-01T00:00:50Z' } },
      lastState: {
        terminated: {
          exitCode: 1,
          reason: 'Error',
          startedAt: '2030-01-01T00:00:56Z',
          finishedAt: '2030-01-01T00:00:59Z',
          containerID: 'process://u-1/app/1',
        },
      },
      ready: true,
      restartCount: 2,
      image: 'shop/web:v1',
      imageID: '/images/web',
      containerID: 'process://u-1/app/2',
      started: true,
    },
  ]);
});

test('a container that is not made yet waits, and the pod is Pending', () => {
  const { phase, containerStatuses } = status({ busy: 'starting' });
  assert.deepEqual([phase, containerStatuses?.[0]?.state], ['Pending', { waiting: { reason: 'ContainerCreating' } }]);
});

test('a crash shows how it ended while it starts again at once, and CrashLoopBackOff while it waits', () => {
  const first = status({ run: run(exited(137, 500, 9)), crashes: 1 });
  assert.equal(first.containerStatuses?.[0]?.state.terminated?.signal, 9);
  const later = status({ run: run(exited(3), 4), crashes: 3 });
  assert.deepEqual(later.containerStatuses?.[0]?.state, {
    waiting: { reason: 'CrashLoopBackOff', message: 'back-off 2s restarting failed container=app pod=web_shop(u-1)' },
  });
  assert.deepEqual(
    [later.containerStatuses?.[0]?.lastState.terminated?.exitCode, later.containerStatuses?.[0]?.restartCount],
    [3, 4],
  );
  assert.equal(later.phase, 'Running');
});

test('what a container says last is its message', () => {
  const { containerStatuses } = status({ run: run(exited(1)) }, { messageOf: () => 'out of paint' });
  assert.equal(containerStatuses?.[0]?.state.terminated?.message, 'out of paint');
});

const PHASES: readonly (readonly [policy: string, exitCode: number, phase: string])[] = [
  ['Always', 0, 'Running'],
  ['OnFailure', 0, 'Succeeded'],
  ['OnFailure', 1, 'Running'],
  ['Never', 0, 'Succeeded'],
  ['Never', 1, 'Failed'],
];

for (const [restartPolicy, exitCode, phase] of PHASES) {
  test(`restartPolicy ${restartPolicy} and exit code ${exitCode} make the pod ${phase}`, () => {
    assert.equal(status({ run: run(exited(exitCode)), crashes: 1 }, { pod: pod({ restartPolicy }) }).phase, phase);
  });
}

/** A pod with an init container that keeps running beside its container. */
function withSidecar(app: Partial<ContainerFacts>, proxy: Partial<ContainerFacts>, restartPolicy = 'Never') {
  const facts = (name: string, role: ContainerFacts['role'], more: Partial<ContainerFacts>): ContainerFacts => ({
    name,
    role,
    run: undefined,
    previous: undefined,
    busy: undefined,
    started: false,
    ready: false,
    unhealthy: false,
    refusal: undefined,
    crashes: 0,
    ...more,
  });
  const initContainers = [{ name: 'proxy', image: 'i', restartPolicy: 'Always' }];
  return status(
    {},
    {
      pod: pod({ restartPolicy, initContainers }),
      containers: [facts('proxy', 'sidecar', proxy), facts('app', 'app', app)],
    },
  );
}

const UP = { started: true, ready: true };

test('a pod whose containers have ended is over when those that serve them have ended too', () => {
  const app = { run: run(exited(0)) };
  assert.equal(withSidecar(app, { run: run(RUNNING), ...UP }).phase, 'Running');
  assert.equal(withSidecar(app, { run: run(exited(143)) }).phase, 'Succeeded');
  assert.equal(withSidecar({ run: run(exited(1)) }, { run: run(exited(0)) }).phase, 'Failed');
});

test('an init container that keeps running counts for readiness, and its restart does not begin the pod anew', () => {
  const conditions = ({ conditions: all = [] }: ReturnType<typeof status>) =>
    ['Initialized', 'ContainersReady']
      .map((type) => findCondition(all, type))
      .map((each) => each?.message ?? each?.status);
  const app = { run: run(RUNNING), ...UP };
  assert.deepEqual(conditions(withSidecar(app, { run: run(RUNNING), ...UP })), ['True', 'True']);
  const unready = 'containers with unready status: [proxy]';
  assert.deepEqual(conditions(withSidecar(app, { run: run(RUNNING), started: true })), ['True', unready]);
  const crashed = withSidecar(app, { run: run(exited(1)), crashes: 3 });
  assert.deepEqual([crashed.phase, ...conditions(crashed)], ['Running', 'True', unready]);
  const first = withSidecar({}, { run: run(RUNNING) });
  assert.deepEqual(
    [first.phase, conditions(first)[0], first.containerStatuses?.[0]?.state.waiting?.reason],
    ['Pending', 'containers with incomplete status: [proxy]', 'PodInitializing'],
  );
});

test('a kill for memory is told by its reason', () => {
  const state: ContainerState = {
    type: 'exited',
    startedAtMs: 0,
    finishedAtMs: 1,
    exitCode: 137,
    signal: 9,
    isOutOfMemory: true,
  };
  assert.equal(status({ run: run(state) }).containerStatuses?.[0]?.state.terminated?.reason, 'OOMKilled');
});

test('an init container that failed for good makes the pod Failed; until they are done the others wait for it', () => {
  const initContainers = [{ name: 'init', image: 'x' }];
  const init = { name: 'init', role: 'init' } as const;
  const app = status({}).containerStatuses;
  assert.ok(app !== undefined);
  const containers = (state: ContainerState): ContainerFacts[] => [
    {
      ...init,
      run: run(state),
      previous: undefined,
      busy: undefined,
      started: false,
      ready: false,
      unhealthy: false,
      refusal: undefined,
      crashes: 1,
    },
    {
      name: 'app',
      role: 'app',
      run: undefined,
      previous: undefined,
      busy: undefined,
      started: false,
      ready: false,
      unhealthy: false,
      refusal: undefined,
      crashes: 0,
    },
  ];
  const pending = status({}, { pod: pod({ initContainers }), containers: containers(RUNNING) });
  assert.deepEqual(
    [pending.phase, pending.containerStatuses?.[0]?.state],
    ['Pending', { waiting: { reason: 'PodInitializing' } }],
  );
  assert.equal(findCondition(pending.conditions, 'Initialized')?.message, 'containers with incomplete status: [init]');
  const failed = status(
    {},
    { pod: pod({ initContainers, restartPolicy: 'Never' }), containers: containers(exited(1)) },
  );
  assert.equal(failed.phase, 'Failed');
});

test('a pod is Ready when its containers, its sidecar and its readiness gates are', () => {
  const up = { run: run(RUNNING), started: true, ready: true };
  const readiness = (facts: Partial<ContainerFacts>, more: Partial<PodStatusInput> = {}) => {
    const ready = findCondition(status(facts, more).conditions, 'Ready');
    return [ready?.status, ready?.reason];
  };
  assert.deepEqual(readiness(up), ['True', undefined]);
  assert.deepEqual(readiness({ ...up, ready: false }), ['False', 'ContainersNotReady']);
  assert.deepEqual(readiness(up, { sidecar: 'not-ready' }), ['False', 'SidecarNotReady']);
  assert.deepEqual(readiness(up, { sidecar: 'none' }), ['True', undefined]);
  const gated = { readinessGates: [{ conditionType: 'shop/open' }] };
  assert.deepEqual(readiness(up, { pod: pod(gated) }), ['False', 'ReadinessGatesNotReady']);
  const open = { conditions: [{ type: 'shop/open', status: 'True' }] };
  assert.deepEqual(readiness(up, { pod: pod(gated, open) }), ['True', undefined]);
});

test('the agent writes no condition but its own, and a time stays while the status does', () => {
  const before = [
    { type: 'Ready', status: 'True', lastTransitionTime: '2029-01-01T00:00:00Z' },
    { type: 'ContainersReady', status: 'False', lastTransitionTime: '2029-01-01T00:00:00Z' },
    { type: 'tutti.dev/Unrouted', status: 'True', lastTransitionTime: '2029-01-01T00:00:00Z' },
  ] as const;
  const { conditions } = status({ run: run(RUNNING), started: true, ready: true }, { conditionsBefore: before });
  assert.deepEqual(
    conditions?.map(({ type, lastTransitionTime }) => [type, lastTransitionTime]),
    [
      ['PodReadyToStartContainers', '2030-01-01T00:01:00Z'],
      ['Initialized', '2030-01-01T00:01:00Z'],
      ['Ready', '2029-01-01T00:00:00Z'],
      ['ContainersReady', '2030-01-01T00:01:00Z'],
      ['PodScheduled', '2030-01-01T00:01:00Z'],
    ],
  );
});
