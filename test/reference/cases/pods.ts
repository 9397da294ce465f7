import { type Call, type Case, get, patch, post, put, remove, table } from '../case.ts';
import { podSpec } from './drafts.ts';

const all = '/api/v1/namespaces/$ns/pods';

function pod(spec: object, name = 'web'): Call {
  return post(`${all}?dryRun=All`, { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec });
}

/** A pod whose one container has this beside name and image. */
function container(more: object, spec: object = {}): Call {
  return pod({ containers: [{ name: 'app', image: 'shop/web:v1', ...more }], ...spec });
}

function volume(source: object, mount: object = {}): Call {
  const volumeMounts = [{ name: 'v', mountPath: '/v', ...mount }];
  return container({ volumeMounts }, { volumes: [{ name: 'v', ...source }] });
}

const IMAGES = ['web', 'web:latest', 'web:v1', 'host:5000/web', 'host:5000/web:v1', `web@sha256:${'a'.repeat(64)}`, ''];
const HANDLERS: readonly object[] = [
  { httpGet: { port: 80 } },
  { httpGet: { port: 'http', path: '/ready', scheme: 'HTTPS', httpHeaders: [{ name: 'X-A', value: 'b' }] } },
  { tcpSocket: { port: 80 } },
  { exec: { command: ['true'] } },
  { grpc: { port: 80 } },
  { grpc: { port: 80, service: 'health' } },
];
const BAD_PROBES: readonly object[] = [
  {},
  { httpGet: { port: 0 } },
  { httpGet: { port: 70_000 } },
  { httpGet: { port: 'no-such-port-name' } },
  { httpGet: { port: 80, scheme: 'FTP' } },
  { httpGet: { path: '/x' } },
  { tcpSocket: { port: 0 } },
  { exec: { command: [] } },
  { exec: { command: ['a'] }, tcpSocket: { port: 1 } },
  { tcpSocket: { port: 1 }, periodSeconds: -1, timeoutSeconds: -1, failureThreshold: -2, initialDelaySeconds: -1 },
  { tcpSocket: { port: 1 }, successThreshold: 2 },
  { tcpSocket: { port: 1 }, periodSeconds: 0, timeoutSeconds: 0, successThreshold: 0, failureThreshold: 0 },
  { tcpSocket: { port: 1 }, terminationGracePeriodSeconds: 0 },
  { tcpSocket: { port: 1 }, terminationGracePeriodSeconds: 5 },
];

const limits = { cpu: '500m', memory: '128Mi' };
const RESOURCES: readonly object[] = [
  { limits },
  { requests: limits },
  { limits, requests: { cpu: '100m' } },
  { limits, requests: { cpu: '1' } },
  { requests: { cpu: '0.1', memory: '1024Ki' } },
  { requests: { cpu: 1, memory: 1_000_000 } },
  { requests: { cpu: '1500m', memory: '1.5Gi', 'ephemeral-storage': '2G' } },
  { requests: { cpu: '1e3', memory: '100M' } },
  { requests: { cpu: '0.0001' } },
  { requests: { cpu: '-1' } },
  { requests: { cpu: 'much' } },
  { requests: { cpu: '' } },
  { requests: { 'example.com/gpu': '1' } },
  { limits: { 'example.com/gpu': '1' } },
  { limits: { 'bad name': '1' } },
];

const ENVIRONMENTS: readonly object[] = [
  { env: [{ name: 'A', value: 'b' }, { name: 'E' }] },
  { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] },
  { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.labels["app"]' } } }] },
  { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.nothing' } } }] },
  { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: '' } } }] },
  { env: [{ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } }] },
  { env: [{ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.gpu' } } }] },
  { env: [{ name: 'A', valueFrom: { resourceFieldRef: { resource: 'requests.memory', divisor: '1Mi' } } }] },
  { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } }] },
  { env: [{ name: 'A', valueFrom: { configMapKeyRef: { key: 'k' } } }] },
  { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'c', key: 'bad key' } } }] },
  { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: true } } }] },
  { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's' } } }] },
  { env: [{ name: 'A', valueFrom: {} }] },
  { env: [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] },
  {
    env: [
      {
        name: 'A',
        valueFrom: { fieldRef: { fieldPath: 'metadata.name' }, secretKeyRef: { name: 's', key: 'k' } },
      },
    ],
  },
  { env: [{ name: '', value: 'x' }] },
  { env: [{ name: 'A=B', value: 'x' }] },
  {
    env: [
      { name: 'has space', value: 'x' },
      { name: 'has space', value: 'y' },
    ],
  },
  { envFrom: [{ configMapRef: { name: 'c' } }, { prefix: 'P_', secretRef: { name: 's', optional: true } }] },
  { envFrom: [{}] },
  { envFrom: [{ configMapRef: {} }] },
  { envFrom: [{ configMapRef: { name: 'c' }, secretRef: { name: 's' } }] },
];

const CONTAINERS: readonly object[] = [
  { name: '' },
  { name: 'Not_A_Label' },
  { image: ' spaced ' },
  { imagePullPolicy: 'Sometimes' },
  { terminationMessagePolicy: 'Nowhere' },
  { ports: [{ containerPort: 80 }, { containerPort: 90, name: 'admin', protocol: 'UDP' }] },
  { ports: [{ containerPort: 0 }] },
  { ports: [{ containerPort: 70_000, name: 'UPPER' }] },
  {
    ports: [
      { name: 'a', containerPort: 1 },
      { name: 'a', containerPort: 2 },
    ],
  },
  { ports: [{ containerPort: 1, protocol: 'QUIC' }] },
  { ports: [{ name: 'much-too-long-for-a-port', containerPort: 1 }] },
  {
    ports: [
      { containerPort: 80, hostPort: 80 },
      { containerPort: 81, hostPort: 80 },
    ],
  },
  { ports: [{ containerPort: 80 }, { containerPort: 80 }] },
  { restartPolicy: 'Always' },
  { lifecycle: { preStop: { sleep: { seconds: 5 } }, postStart: { exec: { command: ['a'] } } } },
  { lifecycle: { preStop: {} } },
  { lifecycle: { preStop: { httpGet: { port: 80 } } } },
  { lifecycle: { preStop: { sleep: { seconds: 500 } } } },
  { securityContext: { runAsUser: 1000, runAsNonRoot: true, capabilities: { drop: ['ALL'] } } },
  { securityContext: { privileged: true, allowPrivilegeEscalation: false } },
  { securityContext: { runAsUser: -1 } },
  { securityContext: { procMount: 'Default', seccompProfile: { type: 'RuntimeDefault' } } },
  { volumeMounts: [{ name: 'missing', mountPath: '/x' }] },
  { volumeMounts: [{ name: 'missing', mountPath: '' }] },
  { stdin: true, stdinOnce: true, tty: true, workingDir: '/w', command: ['c'], args: ['a', '$(B)'] },
  { image: null, command: null },
  { image: 7 },
  { command: 'text' },
  { resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }] },
];

const VOLUMES: readonly object[] = [
  {},
  { emptyDir: {} },
  { emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
  { emptyDir: { sizeLimit: '-1' } },
  { configMap: { name: 'c' } },
  { configMap: { name: 'c', defaultMode: 0o400, items: [{ key: 'k', path: 'p' }], optional: true } },
  { configMap: {} },
  { configMap: { name: 'c', defaultMode: 0o1777 } },
  {
    configMap: {
      name: 'c',
      items: [
        { key: 'k', path: '../up' },
        { key: '', path: '' },
      ],
    },
  },
  { configMap: { name: 'c', items: [{ key: 'k', path: '/abs', mode: 9999 }] } },
  { secret: { secretName: 's' } },
  { secret: {} },
  { secret: { secretName: 's', items: [{ key: 'k', path: '..bad' }] } },
  { hostPath: { path: '/tmp' } },
  { hostPath: { path: '/tmp', type: 'Directory' } },
  { hostPath: { path: '' } },
  { hostPath: { path: '/a/../b', type: 'Odd' } },
  { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
  { downwardAPI: { items: [{ path: 'cpu', resourceFieldRef: { containerName: 'app', resource: 'limits.cpu' } }] } },
  { downwardAPI: { items: [{ path: 'cpu', resourceFieldRef: { resource: 'limits.cpu' } }] } },
  { downwardAPI: { items: [{ path: 'x', fieldRef: { fieldPath: 'spec.nodeName' } }, { path: 'y' }] } },
  { projected: { sources: [{ configMap: { name: 'c' } }, { secret: { name: 's' } }, { downwardAPI: {} }] } },
  { projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
  { projected: { sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 60 } }] } },
  { projected: { sources: [{}] } },
  { projected: { sources: [{ configMap: { name: 'c' }, secret: { name: 's' } }] } },
  { projected: {} },
  { persistentVolumeClaim: { claimName: 'data' } },
  { persistentVolumeClaim: {} },
  { emptyDir: {}, configMap: { name: 'c' } },
  { nfs: { server: 'nfs', path: '/x' } },
  { image: { reference: 'x:v1' } },
  { ephemeral: { volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'] } } } },
];

const MOUNTS: readonly object[] = [
  { readOnly: true, subPath: 'a/b' },
  { subPath: '../up' },
  { subPath: '/abs' },
  { mountPath: 'relative' },
  { mountPath: '/a:b' },
  { mountPropagation: 'Sideways' },
  { readOnly: true, recursiveReadOnly: 'Enabled' },
  { subPath: 'a', subPathExpr: '$(B)' },
];

const selector = { matchLabels: { app: 'web' } };
const SPECS: readonly object[] = [
  podSpec,
  {},
  { containers: [] },
  { containers: null },
  { containers: [{ name: 'a' }] },
  {
    containers: [
      { name: 'a', image: 'x' },
      { name: 'a', image: 'y' },
    ],
  },
  { ...podSpec, initContainers: [{ name: 'app', image: 'x:v1' }] },
  { ...podSpec, initContainers: [{ name: 'init', image: 'x' }] },
  {
    ...podSpec,
    initContainers: [{ name: 'init', image: 'x:v1', restartPolicy: 'Always', readinessProbe: HANDLERS[0] }],
  },
  { ...podSpec, initContainers: [{ name: 'init', image: 'x:v1', readinessProbe: HANDLERS[0], lifecycle: {} }] },
  { ...podSpec, initContainers: [{ name: 'init', image: 'x:v1', restartPolicy: 'Never' }] },
  { ...podSpec, restartPolicy: 'Sometimes', dnsPolicy: 'Guess' },
  { ...podSpec, restartPolicy: 'Never', terminationGracePeriodSeconds: 0, activeDeadlineSeconds: 5 },
  { ...podSpec, terminationGracePeriodSeconds: -1 },
  { ...podSpec, activeDeadlineSeconds: 0 },
  { ...podSpec, dnsPolicy: 'None' },
  {
    ...podSpec,
    dnsPolicy: 'None',
    dnsConfig: { nameservers: ['10.0.0.1'], searches: ['a.b'], options: [{ name: 'ndots' }] },
  },
  { ...podSpec, dnsConfig: { nameservers: ['nowhere'] } },
  { ...podSpec, serviceAccountName: 'Bad_Name' },
  { ...podSpec, serviceAccountName: 'missing' },
  { ...podSpec, serviceAccount: 'default' },
  { ...podSpec, serviceAccountName: 'default', automountServiceAccountToken: false, enableServiceLinks: false },
  { ...podSpec, nodeName: 'node-a', nodeSelector: { a: 'b' } },
  { ...podSpec, nodeName: 'Bad Node' },
  { ...podSpec, nodeSelector: { 'bad key': 'x', ok: 'not ok' } },
  { ...podSpec, hostname: 'Bad_Host', subdomain: 'Bad.Sub' },
  { ...podSpec, hostname: 'good', subdomain: 'sub', setHostnameAsFQDN: true },
  { ...podSpec, tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }] },
  { ...podSpec, tolerations: [{ operator: 'Exists' }, { key: 'a', value: 'b' }] },
  { ...podSpec, tolerations: [{ key: 'a', operator: 'Exists', value: 'x' }] },
  { ...podSpec, tolerations: [{ operator: 'Equal' }, { key: 'a', effect: 'Maybe' }, { key: 'b', operator: 'Odd' }] },
  { ...podSpec, tolerations: [{ key: 'a', effect: 'NoSchedule', tolerationSeconds: 1 }] },
  { ...podSpec, topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }] },
  { ...podSpec, topologySpreadConstraints: [{ maxSkew: 0, topologyKey: '', whenUnsatisfiable: 'Maybe' }] },
  {
    ...podSpec,
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { labelSelector: selector, topologyKey: 'kubernetes.io/hostname' },
        ],
      },
    },
  },
  {
    ...podSpec,
    affinity: {
      podAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 0, podAffinityTerm: { topologyKey: '' } }],
      },
    },
  },
  {
    ...podSpec,
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }],
        },
      },
    },
  },
  {
    ...podSpec,
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } },
  },
  {
    ...podSpec,
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            {
              matchExpressions: [
                { key: 'a', operator: 'In' },
                { key: 'b', operator: 'Gt', values: ['x', 'y'] },
                { key: 'c', operator: 'Exists', values: ['z'] },
                { key: 'd', operator: 'Near' },
              ],
            },
          ],
        },
      },
    },
  },
  { ...podSpec, hostNetwork: true, hostPID: true, hostIPC: true, shareProcessNamespace: true },
  { ...podSpec, hostAliases: [{ ip: '10.0.0.1', hostnames: ['a.b'] }] },
  { ...podSpec, hostAliases: [{ ip: 'nowhere', hostnames: ['Bad_Name'] }] },
  {
    ...podSpec,
    readinessGates: [{ conditionType: 'example.com/ready' }],
    schedulingGates: [{ name: 'example.com/wait' }],
  },
  { ...podSpec, readinessGates: [{ conditionType: 'bad type' }], schedulingGates: [{ name: 'bad gate' }] },
  { ...podSpec, imagePullSecrets: [{ name: 'registry' }], schedulerName: 'mine', os: { name: 'linux' } },
  {
    ...podSpec,
    securityContext: { runAsUser: 1, runAsGroup: 2, fsGroup: 3, supplementalGroups: [4], runAsNonRoot: true },
  },
  { ...podSpec, securityContext: { runAsUser: -1, sysctls: [{ name: 'bad name', value: '' }] } },
  { ...podSpec, priority: 5 },
  { ...podSpec, priorityClassName: 'missing' },
  { ...podSpec, priorityClassName: 'system-node-critical' },
  { ...podSpec, preemptionPolicy: 'Never' },
  { ...podSpec, overhead: { cpu: '1' } },
  { ...podSpec, volumes: [{ name: 'Bad_Name', emptyDir: {} }, { name: 'a' }, { name: 'a' }, { name: '' }] },
  { ...podSpec, ephemeralContainers: [{ name: 'debug', image: 'x' }] },
  { containers: [{ name: 'app', image: 'shop/web:v1', bogus: 1 }] },
  { containers: 'text' },
  {
    containers: [{ name: 'app', image: 'x', ports: [{ containerPort: '80' }] }],
    terminationGracePeriodSeconds: 'long',
  },
  { containers: [{ name: 'app', image: 'x', ports: [{ containerPort: 80.5 }] }] },
];

const one = `${all}/web`;
const running = {
  phase: 'Running',
  podIP: '10.1.2.3',
  podIPs: [{ ip: '10.1.2.3' }],
  hostIP: '10.0.0.1',
  startTime: '2020-01-02T03:04:05Z',
  conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2020-01-02T03:04:05Z' }],
  containerStatuses: [
    {
      name: 'app',
      image: 'shop/web:v1',
      imageID: 'x',
      ready: true,
      restartCount: 3,
      state: { running: { startedAt: '2020-01-02T03:04:05Z' } },
    },
  ],
};

function chunked(prefix: string, calls: readonly Call[]): readonly Case[] {
  return [{ name: prefix, calls }];
}

export const pods: readonly Case[] = [
  ...chunked(
    'pod-image',
    IMAGES.map((image) => container({ image })),
  ),
  ...chunked(
    'pod-probe',
    HANDLERS.map((handler) =>
      container({
        livenessProbe: handler,
        readinessProbe: handler,
        startupProbe: handler,
        ports: [{ name: 'http', containerPort: 80 }],
      }),
    ),
  ),
  ...chunked(
    'pod-probe-wrong',
    BAD_PROBES.map((probe) => container({ livenessProbe: probe, readinessProbe: probe })),
  ),
  ...chunked(
    'pod-resources',
    RESOURCES.map((resources) => container({ resources })),
  ),
  ...chunked(
    'pod-environment',
    ENVIRONMENTS.map((each) => container(each)),
  ),
  ...chunked(
    'pod-container',
    CONTAINERS.map((each) => container(each)),
  ),
  ...chunked(
    'pod-volume',
    VOLUMES.map((source) => volume(source)),
  ),
  ...chunked(
    'pod-mount',
    MOUNTS.map((mount) => volume({ emptyDir: {} }, mount)),
  ),
  ...chunked(
    'pod-spec',
    SPECS.map((spec) => pod(spec)),
  ),
  {
    name: 'pod-update',
    calls: [
      post(all, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'web', labels: { app: 'web' } },
        spec: { ...podSpec, nodeName: 'node-a' },
      }),
      patch('strategic', one, { spec: { containers: [{ name: 'app', image: 'shop/web:v2' }] } }),
      patch('strategic', one, { spec: { containers: [{ name: 'app', env: [{ name: 'A', value: 'b' }] }] } }),
      patch('strategic', one, { spec: { containers: [{ name: 'more', image: 'x:v1' }] } }),
      patch('merge', one, { spec: { nodeName: 'node-b' } }),
      patch('merge', one, { spec: { activeDeadlineSeconds: 100 } }),
      patch('merge', one, { spec: { activeDeadlineSeconds: 200 } }),
      patch('merge', one, { spec: { terminationGracePeriodSeconds: 1 } }),
      patch('merge', one, { spec: { tolerations: [] } }),
      patch('merge', one, { status: { phase: 'Failed' } }),
      patch('merge', `${one}/status`, { status: running }),
      patch('merge', `${one}/status`, {
        spec: { nodeName: 'node-b' },
        metadata: { labels: { more: 'x' } },
        status: { reason: 'Because' },
      }),
      patch('strategic', `${one}/status`, { status: { conditions: [{ type: 'Initialized', status: 'True' }] } }),
      get(`${one}/status`),
      table(one),
      table(`${all}?fieldSelector=status.phase%3DRunning`),
      get(`${all}?fieldSelector=spec.nodeName%3Dnode-a,status.podIP%3D10.1.2.3`),
      get(`${all}?fieldSelector=spec.nodeName%3Dnode-b`),
      get(`${all}?fieldSelector=spec.image%3Dx`),
      remove(one, { gracePeriodSeconds: 20 }),
      get(one),
      table(one),
      remove(one, { gracePeriodSeconds: 25 }),
      remove(one, { gracePeriodSeconds: 5 }),
      remove(one, { gracePeriodSeconds: 0 }),
      get(one),
    ],
  },
  {
    name: 'pod-delete',
    calls: [
      post(all, {
        metadata: { name: 'web' },
        spec: { ...podSpec, nodeName: 'node-a', terminationGracePeriodSeconds: 7 },
      }),
      remove(one),
      put(one, { metadata: { name: 'web', finalizers: ['example.com/late'] }, spec: podSpec }),
      patch('merge', one, { metadata: { finalizers: ['example.com/late'] } }),
      remove(`${one}?gracePeriodSeconds=0`),
      post(all, { metadata: { name: 'free' }, spec: podSpec }),
      remove(`${all}/free`),
      post(all, { metadata: { name: 'held', finalizers: ['example.com/hold'] }, spec: podSpec }),
      remove(`${all}/held`),
      remove(`${all}/held`),
      patch('json', `${all}/held`, [{ op: 'remove', path: '/metadata/finalizers' }]),
      get(`${all}/held`),
      post(all, { metadata: { name: 'negative' }, spec: { ...podSpec, nodeName: 'node-a' } }),
      remove(`${all}/negative`, { gracePeriodSeconds: -5 }),
    ],
  },
];
