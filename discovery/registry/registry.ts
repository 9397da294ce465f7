import type { Endpoint, EndpointSlice } from '../../api/kinds/endpoint-slice.ts';
import type { Service, ServicePort } from '../../api/kinds/service.ts';

/** Every Service with what stands behind it, at one moment. Built anew on change; never changed. */
export interface Registry {
  /** By {@link serviceKey}, in its order. */
  readonly services: ReadonlyMap<string, RegisteredService>;
}

export interface RegisteredService {
  readonly namespace: string;
  readonly name: string;
  readonly reach: Reach;
  readonly ports: readonly ServicePort[];
  /** In order of address. All that are known: who routes takes the ready ones. */
  readonly endpoints: readonly RegisteredEndpoint[];
  /** Names are told of endpoints that are not ready too (`spec.publishNotReadyAddresses`). */
  readonly publishesNotReady: boolean;
}

/** How a Service is met: at addresses of its own, at its endpoints', or under another name. */
export type Reach =
  | { readonly by: 'address'; readonly addresses: readonly string[] }
  | { readonly by: 'endpoints' }
  | { readonly by: 'name'; readonly externalName: string };

export interface RegisteredEndpoint {
  readonly address: string;
  readonly hostname: string | undefined;
  /** New requests may go there. */
  readonly ready: boolean;
  /** As ready, but also while the pod is going away: what it has may be finished. */
  readonly serving: boolean;
  readonly terminating: boolean;
  /** Name of the Pod, in the Service's namespace. Undefined for addresses that a person wrote. */
  readonly pod: string | undefined;
  readonly nodeName: string | undefined;
  readonly zone: string | undefined;
  /** Name of the Service's port (empty when it has none) to the port at this address. */
  readonly ports: ReadonlyMap<string, number>;
}

/** The label by which a slice names its Service (discovery.k8s.io/v1, LabelServiceName). */
const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

export function serviceKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** Joins Services and EndpointSlices. Slices without a Service are left out, and so are those of type FQDN. */
export function buildRegistry(services: readonly Service[], slices: readonly EndpointSlice[]): Registry {
  const slicesOf = Map.groupBy(
    slices.filter(({ addressType }) => addressType !== 'FQDN'),
    ({ metadata }) => serviceKey(metadata.namespace ?? '', metadata.labels?.[SERVICE_NAME_LABEL] ?? ''),
  );
  const registered = services
    .map((service) => [serviceKey(service.metadata.namespace ?? '', service.metadata.name), service] as const)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, service]) => [key, register(service, slicesOf.get(key) ?? [])] as const);
  return { services: new Map(registered) };
}

/** What new requests may go to. */
export function readyEndpoints(service: RegisteredService): readonly RegisteredEndpoint[] {
  return service.endpoints.filter(({ ready }) => ready);
}

function register({ metadata, spec }: Service, slices: readonly EndpointSlice[]): RegisteredService {
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    reach: reachOf(spec),
    ports: spec.ports ?? [],
    endpoints: mergeEndpoints(slices),
    publishesNotReady: spec.publishNotReadyAddresses ?? false,
  };
}

function reachOf({ type, externalName, clusterIP, clusterIPs }: Service['spec']): Reach {
  if (type === 'ExternalName') return { by: 'name', externalName: externalName ?? '' };
  if (clusterIP === 'None') return { by: 'endpoints' };
  const addresses = [...new Set([clusterIP ?? '', ...(clusterIPs ?? [])])].filter((address) => address !== '');
  return { by: 'address', addresses };
}

/**
 * One endpoint an address. While slices are rewritten an address may stand in two of them (EndpointSlice API,
 * "Duplicate endpoints"): then it is ready if either says so, and has the ports of both.
 */
function mergeEndpoints(slices: readonly EndpointSlice[]): RegisteredEndpoint[] {
  const byAddress = new Map<string, RegisteredEndpoint>();
  for (const { endpoints, ports } of slices) {
    const numbers = new Map(ports.flatMap(({ name, port }) => (port === undefined ? [] : [[name, port] as const])));
    for (const endpoint of endpoints) {
      // Kubernetes: consumers use the first address only.
      const address = endpoint.addresses[0];
      if (address === undefined) continue;
      const found = registerEndpoint(address, endpoint, numbers);
      const other = byAddress.get(address);
      byAddress.set(address, other === undefined ? found : mergeTwo(other, found));
    }
  }
  return [...byAddress.values()].sort((left, right) => (left.address < right.address ? -1 : 1));
}

/** Conditions that are not told mean ready and not terminating (EndpointConditions). */
function registerEndpoint(
  address: string,
  { conditions, hostname, targetRef, nodeName, zone }: Endpoint,
  ports: ReadonlyMap<string, number>,
): RegisteredEndpoint {
  const ready = conditions.ready ?? true;
  return {
    address,
    hostname,
    ready,
    serving: conditions.serving ?? ready,
    terminating: conditions.terminating ?? false,
    pod: targetRef?.kind === 'Pod' ? targetRef.name : undefined,
    nodeName,
    zone,
    ports,
  };
}

function mergeTwo(left: RegisteredEndpoint, right: RegisteredEndpoint): RegisteredEndpoint {
  const base = right.ready && !left.ready ? right : left;
  return { ...base, ports: new Map([...left.ports, ...right.ports]) };
}
