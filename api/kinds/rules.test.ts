import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACCEPT_PROXY_PROTOCOL, SEND_PROXY_PROTOCOL } from '../meta/well-known.ts';
import { configMapKind } from './config-map.ts';
import { deploymentKind } from './deployment.ts';
import { endpointSliceKind } from './endpoint-slice.ts';
import { eventKind } from './event.ts';
import { gatewayKind } from './gateway.ts';
import { gatewayClassKind } from './gateway-class.ts';
import { httpRouteKind } from './http-route.ts';
import type { Kind, KubeObject } from './kind.ts';
import { leaseKind } from './lease.ts';
import { namespaceKind } from './namespace.ts';
import { podKind } from './pod.ts';
import { acceptedProxyProtocol, proxyProtocolErrors, sentProxyProtocol } from './proxy-protocol.ts';
import { replicaSetKind } from './replica-set.ts';
import { secretKind } from './secret.ts';
import { serviceKind } from './service.ts';
import { tcpRouteKind } from './tcp-route.ts';
import { tlsRouteKind } from './tls-route.ts';

/*
 * Each kind's rules as a table: a change to a good object, and where and how it is told. The words are Kubernetes'.
 */

type Path = string;

/** The object with the value at a path replaced, or left out when it is undefined. */
function changed(object: object, path: Path, value: unknown): object {
  const copy = structuredClone(object) as Record<string, unknown>;
  const steps = path.split('.');
  const last = steps.pop() ?? '';
  let at: Record<string, unknown> = copy;
  for (const step of steps) at = (at[step] ??= {}) as Record<string, unknown>;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy;
}

type Case = readonly [path: Path, value: unknown, field: string, message: RegExp];

function refusals<T extends KubeObject>(kind: Kind<T>, good: object, cases: readonly Case[]): void {
  test(`a good ${kind.kind} is accepted`, () => {
    assert.deepEqual(kind.validate(kind.schema.parse(good), undefined), []);
  });
  for (const [path, value, field, message] of cases) {
    test(`${kind.kind} with ${path} = ${(JSON.stringify(value) ?? 'nothing').slice(0, 60)} is refused at ${field}`, () => {
      const errors = kind.validate(kind.schema.parse(changed(good, path, value)), undefined);
      const told = errors.find((error) => error.field === field && message.test(error.message));
      assert.ok(told !== undefined, JSON.stringify(errors));
    });
  }
}

function fixed<T extends KubeObject>(kind: Kind<T>, good: object, cases: readonly Case[]): void {
  for (const [path, value, field, message] of cases) {
    test(`${kind.kind}'s ${path} cannot be changed to ${(JSON.stringify(value) ?? 'nothing').slice(0, 60)}`, () => {
      const old = kind.schema.parse(good);
      assert.deepEqual(kind.validate(old, old), []);
      const errors = kind.validate(kind.schema.parse(changed(good, path, value)), old);
      assert.deepEqual(
        errors.map((error) => error.field),
        [field],
        JSON.stringify(errors),
      );
      assert.match(errors[0]?.message ?? '', message);
    });
  }
}

const metadata = { name: 'web', namespace: 'shop' };

const container = {
  name: 'app',
  image: 'x:1',
  ports: [{ name: 'http', containerPort: 80 }],
  volumeMounts: [{ name: 'config', mountPath: '/config' }],
};

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata,
  spec: { containers: [container], volumes: [{ name: 'config', configMap: { name: 'c' } }] },
};

const at = (index: number, field: string): string => `spec.containers.${index}.${field}`;

refusals(podKind, pod, [
  ['metadata.name', 'Web', 'metadata.name', /RFC 1123 subdomain/],
  ['spec.containers', [], 'spec.containers', /Required value/],
  [at(0, 'name'), 'App', 'spec.containers[0].name', /RFC 1123 label/],
  [at(0, 'image'), undefined, 'spec.containers[0].image', /Required value/],
  [at(0, 'image'), ' x', 'spec.containers[0].image', /whitespace/],
  ['spec.containers', [container, container], 'spec.containers[1].name', /Duplicate value: "app"/],
  ['spec.initContainers', [{ ...container, ports: [] }], 'spec.initContainers[0].name', /Duplicate value/],
  [at(0, 'ports.0.containerPort'), 0, 'spec.containers[0].ports[0].containerPort', /Required value/],
  [at(0, 'ports.0.containerPort'), 70_000, 'spec.containers[0].ports[0].containerPort', /between 1 and 65535/],
  [at(0, 'ports.0.name'), 'a--b', 'spec.containers[0].ports[0].name', /consecutive hyphens/],
  [
    at(0, 'ports'),
    [
      { name: 'a', containerPort: 1 },
      { name: 'a', containerPort: 2 },
    ],
    'spec.containers[0].ports[1].name',
    /Duplicate value/,
  ],
  [at(0, 'volumeMounts.0.name'), 'other', 'spec.containers[0].volumeMounts[0].name', /Not found: "other"/],
  [
    at(0, 'volumeMounts'),
    [container.volumeMounts[0], container.volumeMounts[0]],
    'spec.containers[0].volumeMounts[1].mountPath',
    /must be unique/,
  ],
  [at(0, 'volumeMounts.0.subPath'), 'a/../b', 'spec.containers[0].volumeMounts.subPath', /must not contain/],
  [at(0, 'env'), [{ name: 'a=b', value: 'c' }], 'spec.containers[0].env[0].name', /environment variable/],
  [
    at(0, 'env'),
    [{ name: 'A', value: 'c', valueFrom: { fieldRef: { fieldPath: 'x' } } }],
    'spec.containers[0].env[0].valueFrom',
    /not empty/,
  ],
  [at(0, 'env'), [{ name: 'A', valueFrom: {} }], 'spec.containers[0].env[0].valueFrom', /must specify one of/],
  [at(0, 'envFrom'), [{}], 'spec.containers[0].envFrom', /must specify one of/],
  [
    at(0, 'resources'),
    { requests: { cpu: '2' }, limits: { cpu: '1' } },
    'spec.containers[0].resources.requests',
    /less than or equal to cpu limit of 1/,
  ],
  [
    at(0, 'resources'),
    { requests: { cpu: '-1' } },
    'spec.containers[0].resources.requests[cpu]',
    /greater than or equal to 0/,
  ],
  [at(0, 'readinessProbe'), {}, 'spec.containers[0].readinessProbe', /must specify a handler type/],
  [
    at(0, 'readinessProbe'),
    { exec: { command: ['a'] }, tcpSocket: { port: 1 } },
    'spec.containers[0].readinessProbe.tcpSocket',
    /more than 1 handler type/,
  ],
  [
    at(0, 'readinessProbe'),
    { httpGet: { port: 70_000 } },
    'spec.containers[0].readinessProbe.httpGet.port',
    /between 1 and 65535/,
  ],
  [
    at(0, 'readinessProbe'),
    { httpGet: { port: 'no_port' } },
    'spec.containers[0].readinessProbe.httpGet.port',
    /alpha-numeric/,
  ],
  [at(0, 'readinessProbe'), { exec: {} }, 'spec.containers[0].readinessProbe.exec.command', /Required value/],
  [
    at(0, 'livenessProbe'),
    { exec: { command: ['a'] }, successThreshold: 2 },
    'spec.containers[0].livenessProbe.successThreshold',
    /must be 1/,
  ],
  [
    at(0, 'livenessProbe'),
    { exec: { command: ['a'] }, periodSeconds: -1 },
    'spec.containers[0].livenessProbe.periodSeconds',
    /greater than or equal to 0/,
  ],
  [at(0, 'restartPolicy'), 'Always', 'spec.containers[0].restartPolicy', /non-init containers/],
  [
    'spec.initContainers',
    [{ name: 'init', image: 'x', livenessProbe: { tcpSocket: { port: 1 } } }],
    'spec.initContainers[0].livenessProbe',
    /without restartPolicy=Always/,
  ],
  ['spec.volumes', [...pod.spec.volumes, ...pod.spec.volumes], 'spec.volumes[1].name', /Duplicate value/],
  ['spec.volumes.0.emptyDir', {}, 'spec.volumes[0].configMap', /more than 1 volume type/],
  [
    'spec.volumes.0.configMap.items',
    [{ key: 'a', path: '../etc/passwd' }],
    'spec.volumes[0].configMap.items[0].path',
    /must not contain/,
  ],
  [
    'spec.volumes.0.configMap.items',
    [{ key: 'a', path: '/etc/passwd' }],
    'spec.volumes[0].configMap.items[0].path',
    /relative path/,
  ],
  ['spec.terminationGracePeriodSeconds', -1, 'spec.terminationGracePeriodSeconds', /greater than or equal to 0/],
  ['spec.runtimeClassName', 'gvisor', 'spec.runtimeClassName', /supported values: "process"/],
]);

fixed(podKind, changed(pod, 'spec.nodeName', 'n1'), [
  ['spec.nodeName', 'n2', 'spec', /may not change fields other than/],
  [at(0, 'command'), ['other'], 'spec', /may not change fields other than/],
  ['spec.restartPolicy', 'Never', 'spec', /may not change fields other than/],
]);

test("a Pod's image and tolerations may change, and a node may be given once", () => {
  const old = podKind.schema.parse(pod);
  for (const [path, value] of [
    [at(0, 'image'), 'x:2'],
    ['spec.tolerations', [{ key: 'a' }]],
    ['spec.nodeName', 'n1'],
    ['metadata.labels', { a: 'b' }],
  ] as const) {
    assert.deepEqual(podKind.validate(podKind.schema.parse(changed(pod, path, value)), old), [], path);
  }
});

const workload = {
  metadata,
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: pod.spec },
  },
};
const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', ...workload };
const rolling = 'spec.strategy.rollingUpdate';

refusals(deploymentKind, deployment, [
  ['spec.replicas', -1, 'spec.replicas', /greater than or equal to 0/],
  ['spec.selector', {}, 'spec.selector', /empty selector is invalid/],
  [
    'spec.selector.matchLabels.app',
    'other',
    'spec.template.metadata.labels',
    /`selector` does not match template `labels`/,
  ],
  [
    'spec.selector.matchExpressions',
    [{ key: 'app', operator: 'In' }],
    'spec.selector.matchExpressions[0].values',
    /must be specified/,
  ],
  [
    'spec.template.spec.restartPolicy',
    'Never',
    'spec.template.spec.restartPolicy',
    /Unsupported value: "Never": supported values: "Always"/,
  ],
  ['spec.template.spec.containers.0.image', '', 'spec.template.spec.containers[0].image', /Required value/],
  [
    'spec.strategy',
    { type: 'Recreate', rollingUpdate: {} },
    rolling,
    /may not be specified when strategy `type` is 'Recreate'/,
  ],
  [rolling, { maxSurge: 0, maxUnavailable: '0%' }, `${rolling}.maxUnavailable`, /may not be 0 when `maxSurge` is 0/],
  [rolling, { maxUnavailable: '101%' }, `${rolling}.maxUnavailable`, /must not be greater than 100%/],
  [rolling, { maxSurge: 'many' }, `${rolling}.maxSurge`, /percent string/],
  ['spec.progressDeadlineSeconds', 0, 'spec.progressDeadlineSeconds', /must be greater than minReadySeconds/],
]);
fixed(deploymentKind, deployment, [
  [
    'spec',
    {
      ...workload.spec,
      selector: { matchLabels: { app: 'web', b: 'c' } },
      template: { metadata: { labels: { app: 'web', b: 'c' } }, spec: pod.spec },
    },
    'spec.selector',
    /field is immutable/,
  ],
]);
refusals(replicaSetKind, { apiVersion: 'apps/v1', kind: 'ReplicaSet', ...workload }, [
  ['spec.minReadySeconds', -1, 'spec.minReadySeconds', /greater than or equal to 0/],
  ['spec.selector.matchLabels.app', 'other', 'spec.template.metadata.labels', /does not match/],
]);

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata,
  spec: { selector: { app: 'web' }, clusterIP: '127.96.0.7', ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
};

refusals(serviceKind, service, [
  ['metadata.name', '1web', 'metadata.name', /DNS-1035/],
  ['spec.ports', [], 'spec.ports', /Required value/],
  ['spec.ports', [{ port: 80 }, { port: 81 }], 'spec.ports[0].name', /Required value/],
  [
    'spec.ports',
    [
      { name: 'a', port: 80 },
      { name: 'a', port: 81 },
    ],
    'spec.ports[1].name',
    /Duplicate value: "a"/,
  ],
  [
    'spec.ports',
    [
      { name: 'a', port: 80 },
      { name: 'b', port: 80 },
    ],
    'spec.ports[1]',
    /Duplicate value/,
  ],
  ['spec.ports.0.port', 0, 'spec.ports[0].port', /between 1 and 65535/],
  ['spec.ports.0.targetPort', 99_999, 'spec.ports[0].targetPort', /between 1 and 65535/],
  ['spec.ports.0.targetPort', '80', 'spec.ports[0].targetPort', /at least one letter/],
  ['spec.selector.app', 'a b', 'spec.selector', /valid label/],
  ['spec.clusterIP', '300.1.1.1', 'spec.clusterIPs[0]', /valid IP address/],
  ['spec.type', 'ExternalName', 'spec.externalName', /Required value/],
]);
fixed(serviceKind, service, [
  ['spec.clusterIP', '127.96.0.8', 'spec.clusterIPs[0]', /may not change once set/],
  ['spec.clusterIP', undefined, 'spec.clusterIPs[0]', /may not change once set/],
]);

const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'a.txt': 'x' }, immutable: true };
refusals(configMapKind, config, [
  ['data', { 'a/b': 'x' }, 'data[a/b]', /valid config key/],
  ['data', { a: 'x'.repeat(1024 * 1024 + 1) }, '', /may not be more than 1048576 bytes/],
  ['binaryData', { 'a.txt': 'eA==' }, 'data[a.txt]', /duplicate of key present in binaryData/],
]);
fixed(configMapKind, config, [
  ['data', {}, 'data', /field is immutable when `immutable` is set/],
  ['immutable', false, 'immutable', /field is immutable when `immutable` is set/],
]);

const secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata,
  type: 'kubernetes.io/tls',
  data: { 'tls.crt': '', 'tls.key': '' },
};
refusals(secretKind, secret, [['data', { 'tls.crt': '' }, 'data[tls.key]', /Required value/]]);
fixed(secretKind, secret, [['type', 'Opaque', 'type', /field is immutable/]]);

const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: { leaseDurationSeconds: 10 } };
refusals(leaseKind, lease, [
  ['spec.leaseDurationSeconds', 0, 'spec.leaseDurationSeconds', /greater than 0/],
  ['spec.leaseTransitions', -1, 'spec.leaseTransitions', /greater than or equal to 0/],
]);
refusals(namespaceKind, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }, [
  ['metadata.name', 'a.b', 'metadata.name', /must not contain dots/],
]);
refusals(eventKind, { apiVersion: 'v1', kind: 'Event', metadata, involvedObject: { namespace: 'shop' } }, [
  ['involvedObject.namespace', 'other', 'involvedObject.namespace', /does not match event.namespace/],
]);
fixed(endpointSliceKind, { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata, addressType: 'IPv4' }, [
  ['addressType', 'IPv6', 'addressType', /field is immutable/],
]);

const gatewayApi = 'gateway.networking.k8s.io/v1';
fixed(
  gatewayClassKind,
  { apiVersion: gatewayApi, kind: 'GatewayClass', metadata: { name: 'a' }, spec: { controllerName: 'x/y' } },
  [['spec.controllerName', 'x/z', 'spec.controllerName', /Value is immutable/]],
);

const listener = { name: 'http', port: 80, protocol: 'HTTP' };
const secure = { name: 'https', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'c' }] } };
const gateway = {
  apiVersion: gatewayApi,
  kind: 'Gateway',
  metadata,
  spec: { gatewayClassName: 'tutti', listeners: [listener, secure] },
};
refusals(gatewayKind, gateway, [
  ['spec.listeners.0.tls', { certificateRefs: [{ name: 'c' }] }, 'spec.listeners', /tls must not be specified/],
  [
    'spec.listeners.1.tls',
    { mode: 'Passthrough' },
    'spec.listeners',
    /Invalid value: "array": tls mode must be Terminate for protocol HTTPS/,
  ],
  ['spec.listeners.1.tls', {}, 'spec.listeners[1].tls', /Invalid value: "object": .*certificateRefs or options/],
  [
    'spec.listeners',
    [listener, { ...listener, name: 'b' }],
    'spec.listeners',
    /Combination of port, protocol and hostname/,
  ],
  [
    'spec.listeners',
    [{ ...listener, protocol: 'TCP', hostname: 'a.b' }],
    'spec.listeners',
    /hostname must not be specified/,
  ],
  ['spec.listeners', [{ ...listener, protocol: 'TLS' }], 'spec.listeners', /tls mode must be set/],
  ['spec.addresses', [{ value: '10.0.0.1' }, { value: '10.0.0.1' }], 'spec.addresses', /must be unique/],
  ['spec.addresses', [{ value: 'nowhere' }], 'spec.addresses[0]', /must be an IP address/],
]);

test('two listeners of one name are told twice, as in Kubernetes: as items of the list, and by its rule', () => {
  const twice = gatewayKind.schema.parse(changed(gateway, 'spec.listeners', [listener, { ...listener, port: 81 }]));
  assert.deepEqual(
    gatewayKind.validate(twice, undefined).map(({ field, message }) => `${field}: ${message}`),
    [
      'spec.listeners[1]: Duplicate value: {"name":"http"}',
      'spec.listeners: Invalid value: "array": Listener name must be unique within the Gateway',
    ],
  );
});

const backend = { name: 'web', port: 80 };
const rule = {
  matches: [{ path: { value: '/a' } }],
  filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'a', value: 'b' }] } }],
  backendRefs: [backend],
};
const route = {
  apiVersion: gatewayApi,
  kind: 'HTTPRoute',
  metadata,
  spec: { parentRefs: [{ name: 'edge' }], rules: [rule] },
};
const redirect = { type: 'RequestRedirect', requestRedirect: { hostname: 'a.b' } };
const rewrite = { type: 'URLRewrite', urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } } };
const match = 'spec.rules[0].matches[0]';
refusals(httpRouteKind, route, [
  ['spec.parentRefs', [{ name: 'edge' }, { name: 'edge' }], 'spec.parentRefs', /sectionName or port must be unique/],
  [
    'spec.parentRefs',
    [{ name: 'edge' }, { name: 'edge', sectionName: 'a' }],
    'spec.parentRefs',
    /sectionName or port must be specified/,
  ],
  [
    'spec.rules.0.backendRefs',
    [{ name: 'web' }],
    'spec.rules[0].backendRefs[0]',
    /Must have port for Service reference/,
  ],
  ['spec.rules.0.matches', [{ path: { value: 'a' } }], `${match}.path`, /start with '\/'/],
  ['spec.rules.0.matches', [{ path: { value: '/a//b' } }], `${match}.path`, /must not contain '\/\/'/],
  ['spec.rules.0.matches', [{ path: { value: '/a/..' } }], `${match}.path`, /must not end with/],
  ['spec.rules.0.matches', [{ path: { value: '/a b' } }], `${match}.path`, /valid characters/],
  [
    'spec.rules.0.matches',
    [
      {
        headers: [
          { name: 'A', value: 'x' },
          { name: 'A', value: 'y' },
        ],
      },
    ],
    `${match}.headers[1]`,
    /Duplicate value: {"name":"A"}/,
  ],
  [
    'spec.rules.0.filters',
    [{ type: 'URLRewrite' }],
    'spec.rules[0].filters[0]',
    /filter.urlRewrite must be specified for URLRewrite/,
  ],
  [
    'spec.rules.0',
    { ...rule, filters: [{ type: 'RequestMirror', requestMirror: { backendRef: { name: 'web' } } }] },
    'spec.rules[0].filters[0].requestMirror.backendRef',
    /Must have port/,
  ],
  [
    'spec.rules.0',
    { ...rule, filters: [{ type: 'URLRewrite', urlRewrite: { path: { type: 'ReplaceFullPath' } } }] },
    'spec.rules[0].filters[0].urlRewrite.path',
    /replaceFullPath must be specified/,
  ],
  ['spec.rules.0.filters', [rule.filters[0], rule.filters[0]], 'spec.rules[0].filters', /cannot be repeated/],
  ['spec.rules.0.filters', [redirect], 'spec.rules[0]', /must not be used together with backendRefs/],
  [
    'spec.rules.0',
    { filters: [redirect, { type: 'URLRewrite', urlRewrite: { hostname: 'a.b' } }] },
    'spec.rules[0].filters',
    /but not both/,
  ],
  [
    'spec.rules.0',
    { ...rule, matches: [{ path: { type: 'Exact', value: '/a' } }], filters: [rewrite] },
    'spec.rules[0]',
    /When using URLRewrite filter with path.replacePrefixMatch, exactly one PathPrefix match/,
  ],
  ['spec.rules.0.timeouts', { request: '1s', backendRequest: '2s' }, 'spec.rules[0].timeouts', /cannot be longer/],
  [
    'spec.rules.0.sessionPersistence',
    { cookieConfig: { lifetimeType: 'Permanent' } },
    'spec.rules[0].sessionPersistence',
    /AbsoluteTimeout must be specified/,
  ],
  [
    'spec.rules',
    [
      { ...rule, name: 'a' },
      { ...rule, name: 'a' },
    ],
    'spec.rules',
    /Rule name must be unique/,
  ],
]);

test('headers whose names differ in case are both taken: the first counts', () => {
  const headers = [
    { name: 'A', value: 'x' },
    { name: 'a', value: 'y' },
  ];
  const both = httpRouteKind.schema.parse(changed(route, 'spec.rules.0.matches', [{ headers }]));
  assert.deepEqual(httpRouteKind.validate(both, undefined), []);
});

const tlsRoute = {
  apiVersion: gatewayApi,
  kind: 'TLSRoute',
  metadata,
  spec: { parentRefs: [{ name: 'edge' }], hostnames: ['a.example'], rules: [{ backendRefs: [backend] }] },
};
refusals(tlsRouteKind, tlsRoute, [
  ['spec.hostnames', ['10.0.0.1'], 'spec.hostnames', /cannot contain an IP/],
  ['spec.parentRefs', [{ name: 'edge' }, { name: 'edge' }], 'spec.parentRefs', /must be unique/],
  [
    'spec.rules.0.backendRefs',
    [{ name: 'web' }],
    'spec.rules[0].backendRefs[0]',
    /Must have port for Service reference/,
  ],
]);

const tcpRoute = {
  apiVersion: 'gateway.networking.k8s.io/v1alpha2',
  kind: 'TCPRoute',
  metadata,
  spec: { parentRefs: [{ name: 'edge' }], rules: [{ name: 'all', backendRefs: [backend] }] },
};
refusals(tcpRouteKind, tcpRoute, [
  ['spec.parentRefs', [{ name: 'edge' }, { name: 'edge' }], 'spec.parentRefs', /must be unique/],
  [
    'spec.rules.0.backendRefs',
    [{ name: 'web' }],
    'spec.rules[0].backendRefs[0]',
    /Must have port for Service reference/,
  ],
  ['spec.rules', [tcpRoute.spec.rules[0], tcpRoute.spec.rules[0]], 'spec.rules', /Rule name must be unique/],
]);

test('a TCPRoute says of a second rule that nothing comes to it', () => {
  const rules = [{ backendRefs: [backend] }, { backendRefs: [backend] }];
  const two = tcpRouteKind.schema.parse({ ...tcpRoute, spec: { rules } });
  assert.match(tcpRouteKind.warnings(two).join('\n'), /^spec\.rules\[1\]: no connection comes to it/);
});

for (const [value, ok] of [
  ['*', true],
  ['10.0.0.0/8, 127.0.0.1,fd00::/8', true],
  ['', false],
  ['10.0.0.0/33', false],
  ['10.0.0/8', false],
  ['lb.example', false],
] as const) {
  test(`a Gateway ${ok ? 'believes' : 'cannot believe'} '${value}' who its clients are`, () => {
    const annotations = { [ACCEPT_PROXY_PROTOCOL]: value };
    const errors = proxyProtocolErrors({ metadata: { annotations } });
    assert.equal(errors.length, ok ? 0 : 1);
    assert.equal(acceptedProxyProtocol({ metadata: { annotations } }) === undefined, !ok);
  });
}

test('a Service says in which version of the PROXY protocol its app is told, or is refused', () => {
  const told = (version: string) => ({ metadata: { annotations: { [SEND_PROXY_PROTOCOL]: version } } });
  assert.deepEqual(proxyProtocolErrors(told('v2')), []);
  assert.equal(sentProxyProtocol(told('v1')), 'v1');
  assert.match(proxyProtocolErrors(told('2'))[0]?.message ?? '', /supported values: "v1", "v2"/);
});
