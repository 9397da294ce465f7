import { type Call, type Case, get, patch, post, put, remove, table } from '../case.ts';

const dry = (path: string, body: object): Call => post(`${path}?dryRun=All`, body);
const nodes = '/api/v1/nodes';
const namespaces = '/api/v1/namespaces';
const events = '/api/v1/namespaces/$ns/events';
const leases = '/apis/coordination.k8s.io/v1/namespaces/$ns/leases';
const slices = '/apis/discovery.k8s.io/v1/namespaces/$ns/endpointslices';

const NODES: readonly object[] = [
  { spec: { podCIDR: '10.5.0.0/24' } },
  { spec: { unschedulable: true, providerID: 'x://y' } },
  { spec: { taints: [{ key: 'a', value: 'b', effect: 'NoSchedule' }] } },
  {
    spec: {
      taints: [
        { key: 'bad key', effect: 'Odd' },
        { key: '', effect: 'NoExecute' },
      ],
    },
  },
  {
    spec: {
      taints: [
        { key: 'a', effect: 'NoSchedule' },
        { key: 'a', effect: 'NoSchedule' },
      ],
    },
  },
  { status: { capacity: { cpu: '2', memory: '4Gi' } } },
  { status: { capacity: { cpu: 'two' } } },
  {
    status: {
      addresses: [
        { type: 'InternalIP', address: '10.0.0.1' },
        { type: 'Hostname', address: 'a' },
      ],
    },
  },
];

const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'fine' };

const EVENTS: readonly object[] = [
  {
    involvedObject: { kind: 'Pod', namespace: '$ns', name: 'a' },
    reason: 'R',
    message: ' m \n',
    type: 'Warning',
    count: 4,
    firstTimestamp: '2020-01-02T03:04:05Z',
    lastTimestamp: '2020-01-02T03:04:06Z',
    source: { component: 'c', host: 'h' },
  },
  { involvedObject: { kind: 'Pod', name: 'a' } },
  { involvedObject: { kind: 'Pod', namespace: 'other', name: 'a' } },
  {},
  { involvedObject: { kind: 'Pod', namespace: '$ns', name: 'a' }, type: 'Odd' },
  { involvedObject: { kind: 'Pod', namespace: '$ns', name: 'a' }, eventTime: '2020-01-02T03:04:05.000001Z' },
  {
    involvedObject: { kind: 'Pod', namespace: '$ns', name: 'a' },
    eventTime: '2020-01-02T03:04:05.000001Z',
    reportingComponent: 'example.com/c',
    reportingInstance: 'i',
    action: 'Act',
    reason: 'R',
    type: 'Normal',
  },
  { involvedObject: { kind: 'Pod', namespace: '$ns', name: 'a' }, firstTimestamp: 'yesterday' },
];

const LEASES: readonly object[] = [
  {},
  { leaseDurationSeconds: 0 },
  { leaseDurationSeconds: -1, leaseTransitions: -1 },
  { renewTime: '2020-01-02T03:04:05Z' },
  { renewTime: '2020-01-02T03:04:05.123456Z', acquireTime: '2020-01-02T03:04:05.1Z' },
  { renewTime: 'now' },
  { holderIdentity: '' },
  { holderIdentity: 'a', strategy: 'OldestEmulationVersion' },
  { preferredHolder: 'b' },
];

const SLICES: readonly object[] = [
  { addressType: 'IPv4' },
  { addressType: 'IPv4', endpoints: [], ports: [] },
  {},
  { addressType: 'Odd' },
  { addressType: 'IPv4', endpoints: [{ addresses: [] }] },
  { addressType: 'IPv4', endpoints: [{ addresses: ['nowhere', '127.0.0.1', 'fe80::1'] }] },
  { addressType: 'IPv6', endpoints: [{ addresses: ['2001:db8::1'] }] },
  { addressType: 'FQDN', endpoints: [{ addresses: ['Bad_Name'] }] },
  {
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.1.1.1'], conditions: { ready: true }, hostname: 'Bad_Host', nodeName: 'Bad_Node' }],
  },
  {
    addressType: 'IPv4',
    endpoints: [
      {
        addresses: ['10.1.1.1'],
        conditions: { ready: true, serving: true, terminating: false },
        zone: 'a',
        targetRef: { kind: 'Pod', name: 'x' },
      },
    ],
  },
  { addressType: 'IPv4', endpoints: [], ports: [{ port: 0 }, { port: 70_000 }, { protocol: 'QUIC', port: 1 }] },
  { addressType: 'IPv4', endpoints: [], ports: [{ port: 80 }, { name: 'a', port: 81, protocol: 'UDP' }] },
  {
    addressType: 'IPv4',
    endpoints: [],
    ports: [
      { name: 'a', port: 80 },
      { name: 'a', port: 81 },
    ],
  },
  { addressType: 'IPv4', endpoints: [], ports: [{ name: 'BAD_NAME', port: 80, appProtocol: 'bad protocol' }] },
];

export const cluster: readonly Case[] = [
  { name: 'node-spec', calls: NODES.map((more) => dry(nodes, { metadata: { name: 'node-spec' }, ...more })) },
  {
    name: 'node-update',
    calls: [
      post(nodes, {
        metadata: { name: 'node-update', labels: { 'node-role.kubernetes.io/worker': '', kind: 'node-update' } },
        spec: { podCIDR: '10.6.0.0/24' },
      }),
      patch('strategic', `${nodes}/node-update`, { spec: { unschedulable: true } }),
      patch('merge', `${nodes}/node-update`, { spec: { podCIDR: '10.7.0.0/24' } }),
      patch('merge', `${nodes}/node-update`, { spec: { providerID: 'x://1' } }),
      patch('merge', `${nodes}/node-update`, { spec: { providerID: 'x://2' } }),
      patch('merge', `${nodes}/node-update`, { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } }),
      patch('merge', `${nodes}/node-update`, { status: { capacity: { cpu: '9' } } }),
      patch('strategic', `${nodes}/node-update/status`, {
        status: {
          conditions: [ready],
          nodeInfo: { kubeletVersion: 'v1', osImage: 'os', kernelVersion: 'k', containerRuntimeVersion: 'c' },
          addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
        },
      }),
      patch('strategic', `${nodes}/node-update/status`, {
        status: {
          conditions: [
            { type: 'Ready', status: 'False' },
            { type: 'MemoryPressure', status: 'False' },
          ],
        },
      }),
      table(`${nodes}?labelSelector=kind%3Dnode-update`),
      get(`${nodes}?fieldSelector=spec.unschedulable%3Dtrue&labelSelector=kind%3Dnode-update`),
      get(`${nodes}?fieldSelector=status.phase%3Dx`),
      remove(`${nodes}/node-update`),
    ],
  },
  {
    name: 'namespace-life',
    calls: [
      post(namespaces, { metadata: { name: 'namespace-made' } }),
      post(namespaces, {
        metadata: { name: 'namespace-more' },
        spec: { finalizers: ['example.com/own'] },
        status: { phase: 'Terminating' },
      }),
      post(namespaces, { metadata: { name: 'x'.repeat(64) } }),
      patch('merge', `${namespaces}/namespace-made`, {
        metadata: { labels: { 'kubernetes.io/metadata.name': 'other' } },
      }),
      patch('merge', `${namespaces}/namespace-made`, { spec: { finalizers: [] } }),
      table(`${namespaces}/namespace-made`),
      get(`${namespaces}?fieldSelector=status.phase%3DActive,metadata.name%3Dnamespace-made`),
      remove(`${namespaces}/default`),
      remove(`${namespaces}/kube-system`),
      remove(`${namespaces}/namespace-made`),
      get(`${namespaces}/namespace-made`),
      table(`${namespaces}/namespace-made`),
      remove(`${namespaces}/namespace-made`),
      post(`${namespaces}/namespace-made/configmaps`, { metadata: { name: 'late' } }),
      put(`${namespaces}/namespace-made/finalize`, { metadata: { name: 'namespace-made' }, spec: {} }),
      get(`${namespaces}/namespace-made`),
      post(`${namespaces}/namespace-none/configmaps`, { metadata: { name: 'x' } }),
      get(`${namespaces}/namespace-none/configmaps`),
      get(`${namespaces}/namespace-none/configmaps/x`),
      remove(namespaces),
    ],
  },
  { name: 'event-fields', calls: EVENTS.map((more) => dry(events, { metadata: { name: 'e' }, ...more })) },
  {
    name: 'event-life',
    calls: [
      post(events, { metadata: { name: 'e' }, ...EVENTS[0] }),
      table(events),
      get(`${events}?fieldSelector=involvedObject.kind%3DPod,type%3DWarning,reason%3DR`),
      get(`${events}?fieldSelector=involvedObject.name%3Dother`),
      get(`${events}?fieldSelector=count%3D4`),
      patch('strategic', `${events}/e`, { count: 5, lastTimestamp: '2020-01-02T03:05:00Z' }),
      patch('merge', `${events}/e`, { involvedObject: { name: 'b' } }),
    ],
  },
  { name: 'lease-spec', calls: LEASES.map((spec) => dry(leases, { metadata: { name: 'l' }, spec })) },
  {
    name: 'lease-life',
    calls: [
      post(leases, { metadata: { name: 'l' }, spec: { holderIdentity: 'a', leaseDurationSeconds: 15 } }),
      put(`${leases}/l`, { metadata: { name: 'l' }, spec: { holderIdentity: 'b' } }),
      put(`${leases}/l`, {
        metadata: { name: 'l', resourceVersion: '$(0.metadata.resourceVersion)' },
        spec: { holderIdentity: 'b' },
      }),
      put(`${leases}/l`, {
        metadata: { name: 'l', resourceVersion: '$(0.metadata.resourceVersion)' },
        spec: { holderIdentity: 'c' },
      }),
      put(`${leases}/new`, { metadata: { name: 'new' }, spec: { holderIdentity: 'c' } }),
      table(leases),
    ],
  },
  { name: 'endpointslice-fields', calls: SLICES.map((more) => dry(slices, { metadata: { name: 's' }, ...more })) },
  {
    name: 'endpointslice-life',
    calls: [
      post(slices, {
        metadata: { name: 's', labels: { 'kubernetes.io/service-name': 'web' } },
        addressType: 'IPv4',
        endpoints: ['10.1.1.1', '10.1.1.2', '10.1.1.3', '10.1.1.4'].map((address) => ({ addresses: [address] })),
        ports: [{ port: 80 }],
      }),
      patch('merge', `${slices}/s`, { addressType: 'IPv6' }),
      patch('merge', `${slices}/s`, { endpoints: [] }),
      table(slices),
    ],
  },
];
