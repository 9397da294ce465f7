/** A kind that both servers have, and the least that makes an object of it. */
export interface DraftKind {
  readonly kind: string;
  readonly apiVersion: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly body: Readonly<Record<string, unknown>>;
}

export const podSpec = { containers: [{ name: 'app', image: 'shop/web:v1' }] };

/** The spec of a workload whose pods are of this spec. */
export function workloadSpec(spec: object = podSpec, more: object = {}): object {
  return {
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec },
    ...more,
  };
}

const GATEWAY_API = 'gateway.networking.k8s.io/v1';

export const KINDS: readonly DraftKind[] = [
  { kind: 'ConfigMap', apiVersion: 'v1', plural: 'configmaps', namespaced: true, body: { data: { a: '1' } } },
  { kind: 'Secret', apiVersion: 'v1', plural: 'secrets', namespaced: true, body: { stringData: { a: '1' } } },
  { kind: 'ServiceAccount', apiVersion: 'v1', plural: 'serviceaccounts', namespaced: true, body: {} },
  {
    kind: 'Event',
    apiVersion: 'v1',
    plural: 'events',
    namespaced: true,
    body: { involvedObject: { kind: 'Pod', namespace: '$ns', name: 'web' }, reason: 'Seen', type: 'Normal' },
  },
  { kind: 'Pod', apiVersion: 'v1', plural: 'pods', namespaced: true, body: { spec: podSpec } },
  {
    kind: 'Service',
    apiVersion: 'v1',
    plural: 'services',
    namespaced: true,
    body: { spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } },
  },
  { kind: 'Node', apiVersion: 'v1', plural: 'nodes', namespaced: false, body: {} },
  { kind: 'Namespace', apiVersion: 'v1', plural: 'namespaces', namespaced: false, body: {} },
  {
    kind: 'Deployment',
    apiVersion: 'apps/v1',
    plural: 'deployments',
    namespaced: true,
    body: { spec: workloadSpec() },
  },
  {
    kind: 'ReplicaSet',
    apiVersion: 'apps/v1',
    plural: 'replicasets',
    namespaced: true,
    body: { spec: workloadSpec() },
  },
  {
    kind: 'Lease',
    apiVersion: 'coordination.k8s.io/v1',
    plural: 'leases',
    namespaced: true,
    body: { spec: { holderIdentity: 'me', leaseDurationSeconds: 15, renewTime: '2020-01-02T03:04:05.000000Z' } },
  },
  {
    kind: 'EndpointSlice',
    apiVersion: 'discovery.k8s.io/v1',
    plural: 'endpointslices',
    namespaced: true,
    body: { addressType: 'IPv4', endpoints: [{ addresses: ['10.1.2.3'] }], ports: [{ name: 'http', port: 80 }] },
  },
  {
    kind: 'GatewayClass',
    apiVersion: GATEWAY_API,
    plural: 'gatewayclasses',
    namespaced: false,
    body: { spec: { controllerName: 'example.com/controller' } },
  },
  {
    kind: 'Gateway',
    apiVersion: GATEWAY_API,
    plural: 'gateways',
    namespaced: true,
    body: { spec: { gatewayClassName: 'edge', listeners: [{ name: 'http', protocol: 'HTTP', port: 80 }] } },
  },
  {
    kind: 'HTTPRoute',
    apiVersion: GATEWAY_API,
    plural: 'httproutes',
    namespaced: true,
    body: { spec: { parentRefs: [{ name: 'edge' }], rules: [{ backendRefs: [{ name: 'web', port: 80 }] }] } },
  },
];

/** The path of the collection in the case's namespace. */
export function collection({ apiVersion, plural, namespaced }: DraftKind): string {
  const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  return `${root}/${namespaced ? 'namespaces/$ns/' : ''}${plural}`;
}

export function draft({ apiVersion, kind, body }: DraftKind, metadata: object, more: object = {}): object {
  return { apiVersion, kind, metadata, ...body, ...more };
}

/** A name for cluster-scoped objects: of the case, as its namespace is. */
export function ownName({ namespaced }: DraftKind, name: string, of: string): string {
  return namespaced ? name : `${of}-${name}`;
}

/** Known to Kubernetes by a CustomResourceDefinition. */
export function isCustom({ apiVersion }: DraftKind): boolean {
  return apiVersion === GATEWAY_API;
}
