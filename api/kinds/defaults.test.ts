import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deploymentKind } from './deployment.ts';
import { endpointSliceKind } from './endpoint-slice.ts';
import { gatewayKind } from './gateway.ts';
import { gatewayClassKind } from './gateway-class.ts';
import { httpRouteKind } from './http-route.ts';
import { namespaceKind } from './namespace.ts';
import { podKind } from './pod.ts';
import { replicaSetKind } from './replica-set.ts';
import { secretKind } from './secret.ts';
import { serviceKind } from './service.ts';
import { tlsRouteKind } from './tls-route.ts';

// What kube-apiserver 1.3x answers to the same manifests, less what its admission and allocators add.

const metadata = { name: 'web', namespace: 'shop' };

test('a Deployment gets the defaults of apps/v1 and of the pod spec', () => {
  const deployment = deploymentKind.schema.parse({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { ...metadata, creationTimestamp: null },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'app', image: 'shop/web:v1', ports: [{ containerPort: 80 }] }] },
      },
    },
  });
  assert.deepEqual(deployment, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          containers: [
            {
              name: 'app',
              image: 'shop/web:v1',
              imagePullPolicy: 'IfNotPresent',
              ports: [{ containerPort: 80, protocol: 'TCP' }],
              resources: {},
              terminationMessagePath: '/dev/termination-log',
              terminationMessagePolicy: 'File',
            },
          ],
          dnsPolicy: 'ClusterFirst',
          restartPolicy: 'Always',
          schedulerName: 'default-scheduler',
          securityContext: {},
          terminationGracePeriodSeconds: 30,
        },
      },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 10,
    },
    status: {},
  });
});

test('half a rollingUpdate gets its other half, and Recreate gets none', () => {
  const strategy = (given: object): unknown =>
    deploymentKind.schema.parse({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        selector: {},
        template: { spec: { containers: [] } },
        strategy: given,
      },
    }).spec.strategy;
  assert.deepEqual(strategy({ rollingUpdate: { maxSurge: 2 } }), {
    type: 'RollingUpdate',
    rollingUpdate: { maxSurge: 2, maxUnavailable: '25%' },
  });
  assert.deepEqual(strategy({ type: 'Recreate' }), { type: 'Recreate' });
});

const PULL: readonly (readonly [image: string, policy: string])[] = [
  ['web', 'Always'],
  ['web:latest', 'Always'],
  ['web:v1', 'IfNotPresent'],
  ['registry:5000/web', 'Always'],
  ['registry:5000/web:v1', 'IfNotPresent'],
  ['web@sha256:0123', 'IfNotPresent'],
];

for (const [image, policy] of PULL) {
  test(`the image ${image} is pulled ${policy}`, () => {
    const pod = podOf({ containers: [{ name: 'app', image }] });
    assert.equal(pod.spec.containers[0]?.imagePullPolicy, policy);
  });
}

function podOf(spec: object) {
  return podKind.schema.parse({ apiVersion: 'v1', kind: 'Pod', metadata, spec });
}

test('a Pod, unlike a template, gets requests from limits and is told of Services', () => {
  const pod = podOf({
    containers: [
      { name: 'app', image: 'x', resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: 0.5 } } },
    ],
  });
  assert.equal(pod.spec.enableServiceLinks, true);
  assert.deepEqual(pod.spec.containers[0]?.resources, {
    limits: { cpu: '1', memory: '1Gi' },
    requests: { cpu: '500m', memory: '1Gi' },
  });
  assert.deepEqual(pod.status, { phase: 'Pending' });
});

test('probes, volumes and field references get their defaults', () => {
  const pod = podOf({
    volumes: [
      { name: 'scratch' },
      { name: 'config', configMap: { name: 'c' } },
      { name: 'key', secret: { secretName: 's' } },
    ],
    containers: [
      {
        name: 'app',
        image: 'x',
        env: [
          { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
        ],
        readinessProbe: { httpGet: { port: 'http' }, timeoutSeconds: 0 },
        livenessProbe: { grpc: { port: 9000 }, periodSeconds: 3 },
      },
    ],
  });
  const counts = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
  const [container] = pod.spec.containers;
  assert.deepEqual(container?.readinessProbe, { ...counts, httpGet: { path: '/', port: 'http', scheme: 'HTTP' } });
  assert.deepEqual(container?.livenessProbe, { ...counts, periodSeconds: 3, grpc: { port: 9000, service: '' } });
  assert.deepEqual(container?.env, [
    { name: 'IP', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } },
    { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '0' } } },
  ]);
  assert.deepEqual(pod.spec.volumes, [
    { name: 'scratch', emptyDir: {} },
    { name: 'config', configMap: { name: 'c', defaultMode: 420 } },
    { name: 'key', secret: { secretName: 's', defaultMode: 420 } },
  ]);
});

const SERVICES: readonly (readonly [what: string, spec: object, filled: object])[] = [
  [
    'a plain Service',
    { ports: [{ port: 80 }, { name: 'b', port: 81, targetPort: 'web' }] },
    {
      type: 'ClusterIP',
      ports: [
        { port: 80, targetPort: 80, protocol: 'TCP' },
        { name: 'b', port: 81, targetPort: 'web', protocol: 'TCP' },
      ],
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
    },
  ],
  [
    'a sticky load balancer',
    { type: 'LoadBalancer', sessionAffinity: 'ClientIP', ports: [] },
    {
      type: 'LoadBalancer',
      ports: [],
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
      internalTrafficPolicy: 'Cluster',
      externalTrafficPolicy: 'Cluster',
      allocateLoadBalancerNodePorts: true,
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
    },
  ],
  [
    'an external name',
    { type: 'ExternalName', externalName: 'a.example' },
    { type: 'ExternalName', externalName: 'a.example', sessionAffinity: 'None' },
  ],
];

for (const [what, spec, filled] of SERVICES) {
  test(`${what} gets the defaults of a Service`, () => {
    const service = serviceKind.schema.parse({ apiVersion: 'v1', kind: 'Service', metadata, spec });
    assert.deepEqual(service.spec, filled);
    assert.deepEqual(service.status, { loadBalancer: {} });
  });
}

test('a Secret takes text into its data and keeps no stringData', () => {
  const secret = secretKind.schema.parse({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata,
    data: { a: 'eA==', b: 'eQ==' },
    stringData: { b: 'ü' },
  });
  assert.deepEqual(secret, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata,
    type: 'Opaque',
    data: { a: 'eA==', b: 'w7w=' },
  });
});

test('an HTTPRoute gets the defaults of the Gateway API', () => {
  const route = httpRouteKind.schema.parse({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata,
    spec: {
      parentRefs: [{ name: 'edge' }],
      rules: [{ backendRefs: [{ name: 'web', port: 80 }] }, { matches: [{ headers: [{ name: 'a', value: 'b' }] }] }],
    },
  });
  const path = { type: 'PathPrefix', value: '/' };
  assert.deepEqual(route.spec, {
    parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'edge' }],
    rules: [
      { matches: [{ path }], backendRefs: [{ group: '', kind: 'Service', name: 'web', port: 80, weight: 1 }] },
      { matches: [{ path, headers: [{ type: 'Exact', name: 'a', value: 'b' }] }] },
    ],
  });
  assert.equal(route.status, undefined);
});

test('a TLSRoute gets the defaults of the Gateway API', () => {
  const route = tlsRouteKind.schema.parse({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'TLSRoute',
    metadata,
    spec: {
      parentRefs: [{ name: 'edge' }],
      hostnames: ['a.example'],
      rules: [{ backendRefs: [{ name: 'web', port: 443 }] }],
    },
  });
  assert.deepEqual(route.spec, {
    parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'edge' }],
    hostnames: ['a.example'],
    rules: [{ backendRefs: [{ group: '', kind: 'Service', name: 'web', port: 443, weight: 1 }] }],
  });
});

test('a Gateway and its class begin as nobody has looked at them', () => {
  const gateway = gatewayKind.schema.parse({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata,
    spec: {
      gatewayClassName: 'tutti',
      listeners: [
        { name: 'http', port: 80, protocol: 'HTTP' },
        { name: 's', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'c' }] } },
      ],
    },
  });
  assert.deepEqual(
    gateway.status.conditions.map(({ type, status, reason }) => [type, status, reason]),
    [
      ['Accepted', 'Unknown', 'Pending'],
      ['Programmed', 'Unknown', 'Pending'],
    ],
  );
  assert.deepEqual(gateway.spec.listeners[0]?.allowedRoutes, { namespaces: { from: 'Same' } });
  assert.deepEqual(gateway.spec.listeners[1]?.tls, {
    mode: 'Terminate',
    certificateRefs: [{ group: '', kind: 'Secret', name: 'c' }],
  });
  const gatewayClass = gatewayClassKind.schema.parse({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name: 'tutti' },
    spec: { controllerName: 'tutti.dev/gateway-controller' },
  });
  assert.deepEqual(
    gatewayClass.status.conditions.map(({ type }) => type),
    ['Accepted'],
  );
});

test('small kinds get theirs', () => {
  const namespace = namespaceKind.schema.parse({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  assert.deepEqual(namespace.status, { phase: 'Active' });
  const slice = endpointSliceKind.schema.parse({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata,
    addressType: 'IPv4',
    endpoints: [{ addresses: ['127.64.0.1'] }],
    ports: [{ port: 80 }],
  });
  assert.deepEqual(slice.ports, [{ name: '', protocol: 'TCP', port: 80 }]);
  const set = replicaSetKind.schema.parse({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata,
    spec: { selector: {}, template: { spec: { containers: [] } } },
  });
  assert.equal(set.spec.replicas, 1);
  assert.deepEqual(set.status, { replicas: 0 });
});

test('what has its defaults is left as it is when it is read again', () => {
  const pod = podOf({
    containers: [{ name: 'app', image: 'x', resources: { limits: { cpu: '1' } } }],
    volumes: [{ name: 'v' }],
  });
  assert.deepEqual(podKind.schema.parse(pod), pod);
});
