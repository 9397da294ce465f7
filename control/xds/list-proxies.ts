import type { Proxy } from '../../api/kinds/proxy.ts';
import { timestamp } from '../../kit/clock.ts';
import type { ProxyRecord } from './proxy-record.ts';
import { RESOURCE_KINDS, type ResourceKind } from './resource.ts';

const TYPE_WORD = {
  cluster: 'clusters',
  endpoints: 'endpoints',
  listener: 'listeners',
  route: 'routes',
} as const satisfies Record<ResourceKind, string>;

/** A proxy as the API shows it. */
export function proxyObject(record: ProxyRecord): Proxy {
  const { mode, namespace, name } = record.node;
  const view = record.view();
  const connected = view.disconnectedAtMs === undefined;
  return {
    apiVersion: 'tutti.dev/v1alpha1',
    kind: 'Proxy',
    metadata: {
      // A pod may have a sidecar and gRPC clients: each is a proxy.
      name: mode === 'grpc' ? `${name}.grpc.${record.nodeId.slice(record.nodeId.lastIndexOf('#') + 1)}` : name,
      namespace,
      uid: record.nodeId,
      resourceVersion: '',
      creationTimestamp: timestamp(record.firstConnectedMs),
    },
    spec: { nodeId: record.nodeId, mode, ...(mode === 'ingress' ? {} : { podName: name }) },
    status: {
      connected,
      ...(connected ? { connectedSince: timestamp(record.connectedSinceMs) } : {}),
      lastSeen: timestamp(record.lastSeenMs),
      ...(record.version === '' ? {} : { version: record.version }),
      types: RESOURCE_KINDS.filter((kind) => view.kinds[kind].subscribed).map((kind) => {
        const { sentVersion, ackedVersion, nonce, error, acked } = view.kinds[kind];
        return {
          type: TYPE_WORD[kind],
          ...(sentVersion === undefined ? {} : { sentVersion }),
          ...(ackedVersion === undefined ? {} : { ackedVersion }),
          ...(nonce === '' ? {} : { nonce }),
          ...(error === undefined ? {} : { error }),
          resources: acked.size,
        };
      }),
      changes: [...record.changes.list((kind) => view.kinds[kind].error)],
      ejected: record.ejected.map(({ cluster, address, cause, untilMs }) => ({
        cluster,
        address,
        ...serviceOf(cluster),
        cause,
        until: timestamp(untilMs),
      })),
      loadCurrent: record.isLoadCurrent,
      load: [...record.loads.values()].map((sum) => ({ ...sum, ...serviceOf(sum.cluster) })),
    },
  };
}

/** `service/<ns>/<service>/<port>` is of the Service `<service>.<ns>`; other clusters are of none. */
function serviceOf(cluster: string): { readonly service?: string } {
  const [kind, namespace, service] = cluster.split('/');
  return kind === 'service' && service !== undefined ? { service: `${service}.${namespace ?? ''}` } : {};
}
