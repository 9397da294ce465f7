import { type EndpointSlice, endpointSliceKind } from '../../api/kinds/endpoint-slice.ts';
import { type Service, serviceKind } from '../../api/kinds/service.ts';
import { buildRegistry, type Registry } from '../registry/registry.ts';

/** A cluster with every form of Service, for this folder's tests: objects as the API server would hand them out. */

export function service(name: string, spec: Record<string, unknown>, namespace = 'default'): Service {
  return serviceKind.schema.parse({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec });
}

export interface SliceDraft {
  readonly name: string;
  readonly namespace?: string;
  readonly ports?: Readonly<Record<string, number>>;
  readonly endpoints: readonly Record<string, unknown>[];
  readonly addressType?: EndpointSlice['addressType'];
}

export function slice(serviceName: string, draft: SliceDraft): EndpointSlice {
  return endpointSliceKind.schema.parse({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: draft.name,
      namespace: draft.namespace ?? 'default',
      labels: { 'kubernetes.io/service-name': serviceName },
    },
    addressType: draft.addressType ?? 'IPv4',
    endpoints: draft.endpoints,
    ports: Object.entries(draft.ports ?? {}).map(([port, number]) => ({ name: port, port: number })),
  });
}

export function sampleServices(): Service[] {
  return [
    service('web', {
      clusterIP: '127.96.0.10',
      ports: [
        { name: 'http', port: 80, targetPort: 8080 },
        { name: 'metrics', port: 9090 },
      ],
    }),
    service('dual', { clusterIP: '127.96.0.11', clusterIPs: ['127.96.0.11', 'fd00::11'], ports: [{ port: 80 }] }),
    service('db', { clusterIP: 'None', ports: [{ name: 'pg', port: 5432, targetPort: 'pg' }] }),
    service('empty', { clusterIP: 'None', ports: [{ name: 'pg', port: 5432 }] }),
    service('early', { clusterIP: 'None', publishNotReadyAddresses: true, ports: [{ name: 'pg', port: 5432 }] }),
    service('outside', { type: 'ExternalName', externalName: 'www.Example.com.' }),
    service('alias', { type: 'ExternalName', externalName: 'web.default.svc.cluster.local' }),
    service('loop', { type: 'ExternalName', externalName: 'pool.default.svc.cluster.local' }),
    service('pool', { type: 'ExternalName', externalName: 'loop.default.svc.cluster.local' }),
    service('web', { clusterIP: '127.96.0.20', ports: [{ name: 'http', port: 80 }] }, 'other'),
  ];
}

export function sampleSlices(): EndpointSlice[] {
  return [
    slice('web', {
      name: 'web-1',
      ports: { http: 8080, metrics: 9090 },
      endpoints: [
        { addresses: ['127.64.0.5'], conditions: { ready: true }, targetRef: { kind: 'Pod', name: 'web-a' } },
      ],
    }),
    slice('db', {
      name: 'db-1',
      ports: { pg: 15432 },
      endpoints: [
        { addresses: ['127.64.0.8'], hostname: 'db-1', conditions: { ready: true } },
        { addresses: ['127.64.0.7'], hostname: 'db-0', conditions: { ready: true } },
        { addresses: ['127.64.0.9'], hostname: 'db-2', conditions: { ready: false } },
        { addresses: ['127.64.0.6'], conditions: {} },
      ],
    }),
    slice('empty', { name: 'empty-1', endpoints: [{ addresses: ['127.64.0.30'], conditions: { ready: false } }] }),
    slice('early', { name: 'early-1', endpoints: [{ addresses: ['127.64.0.31'], conditions: { ready: false } }] }),
    slice('gone', { name: 'gone-1', endpoints: [{ addresses: ['127.64.0.40'], conditions: { ready: true } }] }),
  ];
}

export function sampleRegistry(): Registry {
  return buildRegistry(sampleServices(), sampleSlices());
}
