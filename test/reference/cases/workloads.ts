import { type Call, type Case, get, patch, post, put, remove, table } from '../case.ts';
import { podSpec, workloadSpec } from './drafts.ts';

const deployments = '/apis/apps/v1/namespaces/$ns/deployments';
const replicaSets = '/apis/apps/v1/namespaces/$ns/replicasets';

function deployment(more: object, spec: object = podSpec): Call {
  return post(`${deployments}?dryRun=All`, { metadata: { name: 'web' }, spec: workloadSpec(spec, more) });
}

function replicaSet(more: object, spec: object = podSpec): Call {
  return post(`${replicaSets}?dryRun=All`, { metadata: { name: 'web' }, spec: workloadSpec(spec, more) });
}

const SELECTORS: readonly object[] = [
  {},
  { matchLabels: { app: 'other' } },
  { matchLabels: { 'bad key': 'x', app: 'bad value' } },
  { matchExpressions: [{ key: 'app', operator: 'In', values: ['web', 'x'] }] },
  { matchExpressions: [{ key: 'app', operator: 'In' }] },
  { matchExpressions: [{ key: 'app', operator: 'Exists', values: ['x'] }] },
  { matchExpressions: [{ key: 'app', operator: 'Near' }] },
  { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['other'] }] },
];

const SPECS: readonly object[] = [
  {},
  { replicas: 0 },
  { replicas: -1 },
  { replicas: 'two' },
  { replicas: 1.5 },
  { minReadySeconds: -1 },
  { minReadySeconds: 5 },
  { selector: null },
  { template: null },
  { template: { metadata: { labels: { app: 'web' } } } },
  {
    template: {
      metadata: { labels: { app: 'web' }, creationTimestamp: null, name: 'x', namespace: 'y' },
      spec: podSpec,
    },
  },
  { template: { spec: podSpec } },
  { template: { metadata: { labels: { app: 'web', 'bad key': 'x' } }, spec: podSpec } },
];

const DEPLOYMENT_SPECS: readonly object[] = [
  { strategy: {} },
  { strategy: { type: 'Recreate' } },
  { strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } } },
  { strategy: { type: 'Slow' } },
  { strategy: { rollingUpdate: {} } },
  { strategy: { rollingUpdate: { maxSurge: 1 } } },
  { strategy: { rollingUpdate: { maxSurge: '30%', maxUnavailable: 0 } } },
  { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } },
  { strategy: { rollingUpdate: { maxSurge: '0%', maxUnavailable: '0%' } } },
  { strategy: { rollingUpdate: { maxSurge: 'some', maxUnavailable: '150%' } } },
  { strategy: { rollingUpdate: { maxSurge: -1, maxUnavailable: -1 } } },
  { strategy: { rollingUpdate: { maxSurge: '-5%' } } },
  { revisionHistoryLimit: 0 },
  { revisionHistoryLimit: -1 },
  { progressDeadlineSeconds: 0 },
  { progressDeadlineSeconds: 5, minReadySeconds: 5 },
  { progressDeadlineSeconds: 5, minReadySeconds: 10 },
  { paused: true },
];

/** Pod specs that a template has and refuses as a pod does. */
const TEMPLATES: readonly object[] = [
  { ...podSpec, restartPolicy: 'Never' },
  { ...podSpec, restartPolicy: 'OnFailure' },
  { ...podSpec, activeDeadlineSeconds: 5 },
  { ...podSpec, serviceAccountName: 'web' },
  { ...podSpec, serviceAccount: 'web' },
  { ...podSpec, hostNetwork: true },
  { containers: [] },
  { containers: [{ name: 'a' }, { name: 'a', image: 'x' }] },
  { containers: [{ name: 'a', image: 'x', resources: { limits: { cpu: '1' } } }] },
  { containers: [{ name: 'a', image: 'x', resources: { limits: { cpu: '1' }, requests: { cpu: '2' } } }] },
  { containers: [{ name: 'a', image: 'x', ports: [{ containerPort: 99_999 }] }] },
  { ...podSpec, nodeSelector: { a: 'b' }, volumes: [{ name: 'a' }] },
];

const web = `${deployments}/web`;
const set = `${replicaSets}/web`;

export const workloads: readonly Case[] = [
  { name: 'deployment-selector', calls: SELECTORS.map((selector) => deployment({ selector })) },
  { name: 'deployment-spec', calls: [...SPECS, ...DEPLOYMENT_SPECS].map((spec) => deployment(spec)) },
  { name: 'deployment-template', calls: TEMPLATES.map((spec) => deployment({}, spec)) },
  { name: 'replicaset-selector', calls: SELECTORS.map((selector) => replicaSet({ selector })) },
  { name: 'replicaset-spec', calls: SPECS.map((spec) => replicaSet(spec)) },
  { name: 'replicaset-template', calls: TEMPLATES.slice(0, 4).map((spec) => replicaSet({}, spec)) },
  {
    name: 'deployment-update',
    calls: [
      post(deployments, { metadata: { name: 'web', labels: { app: 'web' } }, spec: workloadSpec() }),
      patch('strategic', web, {
        spec: { template: { spec: { containers: [{ name: 'app', image: 'shop/web:v2' }] } } },
      }),
      patch('strategic', web, { spec: { template: { spec: { containers: [{ name: 'side', image: 'x:v1' }] } } } }),
      patch('strategic', web, { spec: { template: { spec: { containers: [{ $patch: 'delete', name: 'side' }] } } } }),
      patch('strategic', web, { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } }),
      patch('merge', web, { spec: { strategy: { type: 'RollingUpdate' } } }),
      patch('merge', web, { spec: { selector: { matchLabels: { app: 'other' } } } }),
      patch('merge', web, { spec: { replicas: 3 } }),
      patch('merge', web, { spec: { replicas: 3 } }),
      patch('json', web, [
        { op: 'test', path: '/spec/replicas', value: 3 },
        { op: 'replace', path: '/spec/replicas', value: 4 },
      ]),
      patch('json', web, [{ op: 'test', path: '/spec/replicas', value: 3 }]),
      patch('json', web, [{ op: 'remove', path: '/spec/nothing' }]),
      patch('merge', web, { metadata: { labels: { more: 'x' } } }),
      patch('merge', web, { status: { replicas: 9 } }),
      patch('merge', `${web}/status`, {
        status: {
          observedGeneration: 4,
          replicas: 3,
          readyReplicas: 2,
          updatedReplicas: 1,
          availableReplicas: 2,
          unavailableReplicas: 1,
        },
      }),
      patch('merge', `${web}/status`, { status: { replicas: -1 } }),
      patch('merge', `${web}/status`, { status: { replicas: 1, readyReplicas: 2, updatedReplicas: 3 } }),
      get(`${web}/scale`),
      patch('merge', `${web}/scale`, { spec: { replicas: 5 } }),
      patch('merge', `${web}/scale`, { spec: { replicas: -5 } }),
      put(`${web}/scale`, {
        apiVersion: 'autoscaling/v1',
        kind: 'Scale',
        metadata: { name: 'web', namespace: '$ns' },
        spec: { replicas: 6 },
      }),
      put(`${web}/scale`, {
        apiVersion: 'autoscaling/v1',
        kind: 'Scale',
        metadata: { name: 'web', resourceVersion: '1' },
        spec: { replicas: 6 },
      }),
      put(`${web}/scale`, { metadata: { name: 'other' }, spec: { replicas: 6 } }),
      get(`${deployments}/none/scale`),
      table(web),
      put(web, { metadata: { name: 'other' }, spec: workloadSpec() }),
      put(web, { metadata: { name: 'web' }, spec: workloadSpec() }),
      remove(web, { propagationPolicy: 'Foreground' }),
      get(web),
      remove(web, { propagationPolicy: 'Orphan' }),
      patch('json', web, [{ op: 'remove', path: '/metadata/finalizers' }]),
      get(web),
    ],
  },
  {
    name: 'replicaset-update',
    calls: [
      post(replicaSets, { metadata: { name: 'web' }, spec: workloadSpec() }),
      patch('merge', set, { spec: { selector: { matchLabels: { app: 'other' } } } }),
      patch('merge', set, { spec: { replicas: 2 } }),
      patch('merge', `${set}/status`, {
        status: { replicas: 2, fullyLabeledReplicas: 2, readyReplicas: 1, availableReplicas: 1, observedGeneration: 2 },
      }),
      patch('merge', `${set}/status`, { status: { replicas: 1, fullyLabeledReplicas: 2, readyReplicas: 3 } }),
      get(`${set}/scale`),
      table(set),
      get(`${replicaSets}?fieldSelector=status.replicas%3D2`),
      get(`${replicaSets}?fieldSelector=spec.replicas%3D2`),
      remove(set, { propagationPolicy: 'Sideways' }),
      remove(set, { orphanDependents: true, propagationPolicy: 'Orphan' }),
      remove(set, { orphanDependents: true }),
      get(set),
    ],
  },
];
