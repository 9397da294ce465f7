import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podKind } from './pod.ts';

const NOW = Date.parse('2030-01-01T01:00:00Z');
const CREATED = '2030-01-01T00:56:48Z';

const running = { running: { startedAt: CREATED } };
const crashed = { terminated: { exitCode: 1, reason: 'Error', finishedAt: '2030-01-01T00:59:30Z' } };

function containerStatus(name: string, more: object = {}): object {
  return { name, image: 'x', ready: false, restartCount: 0, state: {}, ...more };
}

interface Given {
  readonly spec?: object;
  readonly status: object;
  readonly metadata?: object;
}

function row({ spec = {}, status, metadata = {} }: Given): Record<string, unknown> {
  const pod = podKind.schema.parse({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', creationTimestamp: CREATED, ...metadata },
    spec: { containers: [{ name: 'app', image: 'x' }], ...spec },
    status,
  });
  return Object.fromEntries(podKind.columns.map(({ name, value }) => [name, value(pod, NOW)]));
}

const app = (more: object): object => ({ phase: 'Running', containerStatuses: [containerStatus('app', more)] });
const init = {
  containers: [{ name: 'app', image: 'x' }],
  initContainers: [
    { name: 'a', image: 'x' },
    { name: 'b', image: 'x' },
  ],
};
const sidecar = { ...init, initContainers: [{ name: 'a', image: 'x', restartPolicy: 'Always' }] };

// Expectations as TestPrintPod of k8s.io/kubernetes/pkg/printers/internalversion has them for the same states.
const CASES: readonly (readonly [what: string, given: Given, ready: string, status: string, restarts: string])[] = [
  ['just made', { status: {} }, '0/1', 'Pending', '0'],
  ['running and ready', { status: app({ ready: true, state: running }) }, '1/1', 'Running', '0'],
  ['running, not ready', { status: app({ state: running }) }, '0/1', 'Running', '0'],
  [
    'being made',
    { status: app({ state: { waiting: { reason: 'ContainerCreating' } } }) },
    '0/1',
    'ContainerCreating',
    '0',
  ],
  [
    'without its image',
    { status: app({ state: { waiting: { reason: 'ImagePullBackOff' } } }) },
    '0/1',
    'ImagePullBackOff',
    '0',
  ],
  [
    'crashing',
    { status: app({ restartCount: 3, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: crashed }) },
    '0/1',
    'CrashLoopBackOff',
    '3 (30s ago)',
  ],
  [
    'done',
    {
      status: {
        phase: 'Succeeded',
        containerStatuses: [containerStatus('app', { state: { terminated: { exitCode: 0, reason: 'Completed' } } })],
      },
    },
    '0/1',
    'Completed',
    '0',
  ],
  [
    'ended by a signal',
    { status: app({ state: { terminated: { exitCode: 137, signal: 9 } } }) },
    '0/1',
    'Signal:9',
    '0',
  ],
  ['ended with a code', { status: app({ state: { terminated: { exitCode: 2 } } }) }, '0/1', 'ExitCode:2', '0'],
  ['evicted', { status: { phase: 'Failed', reason: 'Evicted' } }, '0/1', 'Evicted', '0'],
  [
    'going away',
    { status: app({ ready: true, state: running }), metadata: { deletionTimestamp: CREATED } },
    '1/1',
    'Terminating',
    '0',
  ],
  [
    'lost with its node',
    { status: { phase: 'Running', reason: 'NodeLost' }, metadata: { deletionTimestamp: CREATED } },
    '0/1',
    'Unknown',
    '0',
  ],
  [
    'held back by a gate',
    { status: { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] } },
    '0/1',
    'SchedulingGated',
    '0',
  ],
  [
    'before its init containers',
    {
      spec: init,
      status: {
        initContainerStatuses: [
          containerStatus('a', { state: { waiting: { reason: 'PodInitializing' } } }),
          containerStatus('b'),
        ],
      },
    },
    '0/1',
    'Init:0/2',
    '0',
  ],
  [
    'between its init containers',
    {
      spec: init,
      status: {
        initContainerStatuses: [
          containerStatus('a', { state: { terminated: { exitCode: 0 } } }),
          containerStatus('b', { state: running }),
        ],
      },
    },
    '0/1',
    'Init:1/2',
    '0',
  ],
  [
    'with a crashing init container',
    {
      spec: init,
      status: {
        initContainerStatuses: [
          containerStatus('a', { restartCount: 2, state: { waiting: { reason: 'CrashLoopBackOff' } } }),
        ],
      },
    },
    '0/1',
    'Init:CrashLoopBackOff',
    '2',
  ],
  [
    'with a failed init container',
    {
      spec: init,
      status: { initContainerStatuses: [containerStatus('a', { state: { terminated: { exitCode: 3 } } })] },
    },
    '0/1',
    'Init:ExitCode:3',
    '0',
  ],
  [
    'with a sidecar',
    {
      spec: sidecar,
      status: {
        ...app({ ready: true, state: running }),
        initContainerStatuses: [containerStatus('a', { ready: true, started: true, state: running, restartCount: 1 })],
      },
    },
    '2/2',
    'Running',
    '1',
  ],
];

for (const [what, given, ready, status, restarts] of CASES) {
  test(`a pod that is ${what} shows ${ready} ${status} ${restarts}`, () => {
    const { Ready, Status, Restarts } = row(given);
    assert.deepEqual([Ready, Status, Restarts], [ready, status, restarts]);
  });
}

test('a pod of which one container is done and one runs is running when it is ready', () => {
  const spec = {
    containers: [
      { name: 'a', image: 'x' },
      { name: 'b', image: 'x' },
    ],
  };
  const containerStatuses = [
    containerStatus('a', { state: { terminated: { exitCode: 0, reason: 'Completed' } } }),
    containerStatus('b', { ready: true, state: running }),
  ];
  const conditions = [{ type: 'Ready', status: 'True' }];
  assert.equal(row({ spec, status: { phase: 'Running', containerStatuses } })['Status'], 'NotReady');
  assert.equal(row({ spec, status: { phase: 'Running', containerStatuses, conditions } })['Status'], 'Running');
});

test('the rest of the row: age, address, node and gates', () => {
  const shown = row({
    spec: { nodeName: 'n1', readinessGates: [{ conditionType: 'a' }, { conditionType: 'b' }] },
    status: { podIPs: [{ ip: '127.64.0.9' }], conditions: [{ type: 'a', status: 'True' }] },
  });
  assert.equal(shown['Age'], '3m12s');
  assert.equal(shown['IP'], '127.64.0.9');
  assert.equal(shown['Node'], 'n1');
  assert.equal(shown['Nominated Node'], '<none>');
  assert.equal(shown['Readiness Gates'], '1/2');
});
