import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kind } from './kind.ts';
import { kinds } from './registry.ts';

/** Headers as kube-apiserver sends them; `*` marks those of `-o wide`. */
const HEADERS: Readonly<Record<string, string>> = {
  ConfigMap: 'Name Data Age',
  Deployment: 'Name Ready Up-to-date Available Age *Containers *Images *Selector',
  EndpointSlice: 'Name AddressType Ports Endpoints Age',
  Event: 'Last_Seen Type Reason Object *Subobject *Source Message *First_Seen *Count *Name',
  Gateway: 'Name Class Address Programmed Age',
  GatewayClass: 'Name Controller Accepted Age *Description',
  HTTPRoute: 'Name Hostnames Age',
  TLSRoute: 'Name Age',
  TCPRoute: 'Name Age',
  Lease: 'Name Holder Age',
  Namespace: 'Name Status Age',
  Node: 'Name Status Roles Age Version *Internal-IP *External-IP *OS-Image *Kernel-Version *Container-Runtime',
  Pod: 'Name Ready Status Restarts Age *IP *Node *Nominated_Node *Readiness_Gates',
  ReplicaSet: 'Name Desired Current Ready Age *Containers *Images *Selector',
  Secret: 'Name Type Data Age',
  Service: 'Name Type Cluster-IP External-IP Port(s) Age *Selector',
  ServiceAccount: 'Name Secrets Age',
};

const CREATED = '2030-01-01T00:00:00Z';
const NOW = Date.parse('2030-01-01T00:05:00Z');

function kindNamed(name: string): Kind {
  const kind = kinds.find((each) => each.kind === name);
  assert.ok(kind !== undefined);
  return kind;
}

for (const [name, headers] of Object.entries(HEADERS)) {
  test(`the table of ${name} has Kubernetes' columns`, () => {
    const shown = kindNamed(name).columns.map(
      (column) => `${column.priority === 1 ? '*' : ''}${column.name.replaceAll(' ', '_')}`,
    );
    assert.equal(shown.join(' '), headers);
  });
}

const gatewayApi = 'gateway.networking.k8s.io/v1';
const template = {
  metadata: { labels: { app: 'web' } },
  spec: {
    containers: [
      { name: 'a', image: 'x:1' },
      { name: 'b', image: 'y:2' },
    ],
  },
};
const selector = { matchLabels: { app: 'web' } };

const ROWS: readonly (readonly [kind: string, object: object, cells: readonly unknown[]])[] = [
  ['ConfigMap', { apiVersion: 'v1', data: { a: 'b' }, binaryData: { c: '' } }, ['web', 2, '5m']],
  [
    'Deployment',
    {
      apiVersion: 'apps/v1',
      spec: { replicas: 3, selector, template },
      status: { readyReplicas: 2, updatedReplicas: 1, availableReplicas: 2 },
    },
    ['web', '2/3', 1, 2, '5m', 'a,b', 'x:1,y:2', 'app=web'],
  ],
  [
    'ReplicaSet',
    { apiVersion: 'apps/v1', spec: { replicas: 3, selector, template }, status: { replicas: 3, readyReplicas: 1 } },
    ['web', 3, 3, 1, '5m', 'a,b', 'x:1,y:2', 'app=web'],
  ],
  [
    'EndpointSlice',
    {
      apiVersion: 'discovery.k8s.io/v1',
      addressType: 'IPv4',
      ports: [{ port: 80 }, { name: 'any' }],
      endpoints: [1, 2, 3, 4, 5].map((last) => ({ addresses: [`127.64.0.${last}`] })),
    },
    ['web', 'IPv4', '80,any', '127.64.0.1,127.64.0.2,127.64.0.3 + 2 more...', '5m'],
  ],
  [
    'EndpointSlice',
    { apiVersion: 'discovery.k8s.io/v1', addressType: 'IPv4' },
    ['web', 'IPv4', '<unset>', '<unset>', '5m'],
  ],
  [
    'Event',
    {
      apiVersion: 'v1',
      involvedObject: { kind: 'Pod', name: 'web-1', fieldPath: 'spec.containers{app}' },
      type: 'Warning',
      reason: 'BackOff',
      message: ' again\n',
      source: { component: 'agent', host: 'n1' },
      firstTimestamp: '2030-01-01T00:01:00Z',
      lastTimestamp: '2030-01-01T00:04:00Z',
      count: 4,
    },
    ['60s', 'Warning', 'BackOff', 'pod/web-1', 'spec.containers{app}', 'agent, n1', 'again', '4m', 4, 'web'],
  ],
  [
    'Event',
    {
      apiVersion: 'v1',
      involvedObject: { kind: 'Node' },
      eventTime: '2030-01-01T00:04:30.000000Z',
      reportingComponent: 'scheduler',
    },
    ['30s', '', '', 'node', '', 'scheduler', '', '30s', 1, 'web'],
  ],
  [
    'Gateway',
    {
      apiVersion: gatewayApi,
      spec: { gatewayClassName: 'tutti', listeners: [{ name: 'a', port: 1, protocol: 'HTTP' }] },
      status: { addresses: [{ value: '127.0.0.1' }] },
    },
    ['web', 'tutti', '127.0.0.1', 'Unknown', '5m'],
  ],
  [
    'GatewayClass',
    { apiVersion: gatewayApi, spec: { controllerName: 'a/b', description: 'd' } },
    ['web', 'a/b', 'Unknown', '5m', 'd'],
  ],
  [
    'TLSRoute',
    { apiVersion: gatewayApi, spec: { hostnames: ['a.b'], rules: [{ backendRefs: [{ name: 'web', port: 443 }] }] } },
    ['web', '5m'],
  ],
  [
    'TCPRoute',
    { apiVersion: `${gatewayApi}alpha2`, spec: { rules: [{ backendRefs: [{ name: 'web', port: 25 }] }] } },
    ['web', '5m'],
  ],
  ['HTTPRoute', { apiVersion: gatewayApi, spec: { hostnames: ['a.b', 'c.d'] } }, ['web', '["a.b","c.d"]', '5m']],
  ['Lease', { apiVersion: 'coordination.k8s.io/v1', spec: { holderIdentity: 'me' } }, ['web', 'me', '5m']],
  ['Namespace', { apiVersion: 'v1' }, ['web', 'Active', '5m']],
  [
    'Node',
    {
      apiVersion: 'v1',
      spec: { unschedulable: true },
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
        nodeInfo: { kubeletVersion: 'v0.1.0', osImage: 'Debian' },
      },
    },
    [
      'web',
      'Ready,SchedulingDisabled',
      'control-plane',
      '5m',
      'v0.1.0',
      '127.0.0.1',
      '<none>',
      'Debian',
      '<unknown>',
      '<unknown>',
    ],
  ],
  ['Secret', { apiVersion: 'v1', data: { a: 'eA==' } }, ['web', 'Opaque', 1, '5m']],
  [
    'Service',
    {
      apiVersion: 'v1',
      spec: {
        clusterIP: '127.96.0.1',
        selector: { b: 'c', a: 'b' },
        ports: [
          { name: 'a', port: 80 },
          { name: 'b', port: 53, protocol: 'UDP', nodePort: 30_053 },
        ],
      },
    },
    ['web', 'ClusterIP', '127.96.0.1', '<none>', '80/TCP,53:30053/UDP', '5m', 'a=b,b=c'],
  ],
  [
    'Service',
    { apiVersion: 'v1', spec: { type: 'ExternalName', externalName: 'a.b' } },
    ['web', 'ExternalName', '<none>', 'a.b', '<none>', '5m', '<none>'],
  ],
  [
    'Service',
    { apiVersion: 'v1', spec: { type: 'LoadBalancer', clusterIP: '127.96.0.1', ports: [{ port: 80 }] } },
    ['web', 'LoadBalancer', '127.96.0.1', '<pending>', '80/TCP', '5m', '<none>'],
  ],
  ['ServiceAccount', { apiVersion: 'v1' }, ['web', 0, '5m']],
  [
    'Proxy',
    {
      apiVersion: 'tutti.dev/v1alpha1',
      spec: { nodeId: 'sidecar/shop/web', mode: 'sidecar' },
      status: {
        connected: true,
        types: [
          { type: 'clusters', sentVersion: '2', ackedVersion: '2' },
          { type: 'routes', sentVersion: '2', ackedVersion: '1', error: 'bad' },
        ],
        load: [
          { cluster: 'a', total: 10, success: 9, error: 1 },
          { cluster: 'b', total: 5, success: 5, error: 0 },
        ],
        ejected: [{ cluster: 'a', address: '127.64.0.9', cause: 'consecutive_5xx', until: '2030-01-01T00:06:00Z' }],
      },
    },
    ['web', 'sidecar', 'True', '1/2', 15, 1, 1, '5m', 'routes: bad'],
  ],
];

for (const [name, object, cells] of ROWS) {
  test(`a row of ${name} reads ${cells.slice(0, 5).join(' ')}`, () => {
    const kind = kindNamed(name);
    const labels = { 'node-role.kubernetes.io/control-plane': '' };
    const parsed = kind.schema.parse({
      kind: name,
      metadata: { name: 'web', creationTimestamp: CREATED, labels },
      ...object,
    });
    assert.deepEqual(
      kind.columns.map(({ value }) => value(parsed, NOW)),
      cells,
    );
  });
}
