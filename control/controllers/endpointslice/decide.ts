import type { Draft } from '../../../api/client/client.ts';
import type { Endpoint, EndpointPort, EndpointSlice } from '../../../api/kinds/endpoint-slice.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import { type Service, serviceKind } from '../../../api/kinds/service.ts';
import { controllerReference } from '../owner.ts';
import { type AddressType, endpointOf, isEndpoint, portsOf } from './endpoint.ts';
import { HEADLESS_LABEL, MANAGED_BY, MANAGED_BY_LABEL, SERVICE_NAME_LABEL } from './labels.ts';

/** --max-endpoints-per-slice of kube-controller-manager. */
export const MAX_ENDPOINTS_PER_SLICE = 100;

export interface EndpointSliceSnapshot {
  readonly service: Service;
  /** The pods that it selects. */
  readonly pods: readonly Pod[];
  /** The slices of the Service that this controller writes. */
  readonly slices: readonly EndpointSlice[];
  readonly zoneOf: (nodeName: string) => string | undefined;
  /** The name of the Service's n-th slice; always the same, so that a cache that is behind cannot double one. */
  readonly nameOf: (index: number) => string;
}

export interface EndpointSlicePlan {
  readonly creates: readonly Draft<EndpointSlice>[];
  readonly updates: readonly EndpointSlice[];
  readonly deletes: readonly EndpointSlice[];
}

/**
 * The slices that show a Service's pods (reconciler.go of k8s.io/endpointslice): one group for each set of ports, at most
 * 100 endpoints in a slice, and as few writes as can be: an endpoint stays in the slice where it is.
 */
export function decideEndpointSlices(snapshot: EndpointSliceSnapshot): EndpointSlicePlan {
  const { service, slices } = snapshot;
  if (service.metadata.deletionTimestamp !== undefined) return { creates: [], updates: [], deletes: [] };
  const types = addressTypesOf(service);
  const wanted = types.flatMap((addressType) => groupsOf(snapshot, addressType));
  const filled: Filled[] = [];
  const spent = new Set<EndpointSlice>();
  for (const group of wanted) filled.push(...fill(group, slices, spent));
  const deletes = slices.filter((slice) => !spent.has(slice));
  return { ...writesOf(snapshot, filled, deletes), deletes };
}

/** Endpoints that share the same ports. */
interface Group {
  readonly addressType: AddressType;
  readonly ports: readonly EndpointPort[];
  readonly endpoints: ReadonlyMap<string, Endpoint>;
}

/** What a slice is to hold; `slice` is undefined for one that is to be made. */
interface Filled {
  readonly group: Group;
  readonly slice: EndpointSlice | undefined;
  readonly endpoints: readonly Endpoint[];
}

function addressTypesOf({ spec }: Service): readonly AddressType[] {
  if (spec.type === 'ExternalName' || spec.selector === undefined) return [];
  return spec.ipFamilies ?? ['IPv4'];
}

/** At least one group, so that a Service without endpoints has an empty slice that says so. */
function groupsOf({ service, pods, zoneOf }: EndpointSliceSnapshot, addressType: AddressType): readonly Group[] {
  const groups = new Map<string, { ports: readonly EndpointPort[]; endpoints: Map<string, Endpoint> }>();
  const sorted = [...pods].sort((left, right) => (left.metadata.name < right.metadata.name ? -1 : 1));
  for (const pod of sorted) {
    if (!isEndpoint(pod, addressType)) continue;
    const ports = portsOf(pod, service);
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { ports, endpoints: new Map<string, Endpoint>() };
    groups.set(key, group);
    const zone = pod.spec.nodeName ? zoneOf(pod.spec.nodeName) : undefined;
    group.endpoints.set(pod.metadata.uid, endpointOf(pod, service, { addressType, zone }));
  }
  const found = [...groups.values()].map((group) => ({ addressType, ...group }));
  return found.length > 0 ? found : [{ addressType, ports: [], endpoints: new Map() }];
}

/** Leaves each endpoint where it is, fills what room is left, and opens new slices for the rest. */
function fill(group: Group, slices: readonly EndpointSlice[], spent: Set<EndpointSlice>): readonly Filled[] {
  const matching = slices.filter(
    (slice) => !spent.has(slice) && slice.addressType === group.addressType && samePorts(slice.ports, group.ports),
  );
  // An empty group takes over any slice that is left, rather than deleting one to make another.
  const usable = matching.length > 0 || group.endpoints.size > 0 ? matching : slices.filter(isFree(group, spent));
  const rest = new Map(group.endpoints);
  const kept = usable.map((slice) => ({ slice, endpoints: takeKept(slice, rest) }));
  for (const { endpoints } of kept) topUp(endpoints, rest);
  const opened: Filled[] = [];
  while (rest.size > 0) {
    const endpoints: Endpoint[] = [];
    topUp(endpoints, rest);
    opened.push({ group, slice: undefined, endpoints });
  }
  const filled = kept.filter(({ endpoints }) => endpoints.length > 0);
  const inUse = filled.length + opened.length > 0 ? filled : kept.slice(0, 1);
  for (const { slice } of inUse) spent.add(slice);
  const all = [...inUse.map((each) => ({ group, ...each })), ...opened];
  return all.length > 0 ? all : [{ group, slice: undefined, endpoints: [] }];
}

function isFree({ addressType }: Group, spent: ReadonlySet<EndpointSlice>): (slice: EndpointSlice) => boolean {
  return (slice) => !spent.has(slice) && slice.addressType === addressType;
}

/** The slice's endpoints that are still wanted, as they are now. */
function takeKept(slice: EndpointSlice, rest: Map<string, Endpoint>): Endpoint[] {
  return slice.endpoints.flatMap(({ targetRef }) => {
    const uid = targetRef?.uid ?? '';
    const endpoint = rest.get(uid);
    rest.delete(uid);
    return endpoint ?? [];
  });
}

function topUp(endpoints: Endpoint[], rest: Map<string, Endpoint>): void {
  for (const [uid, endpoint] of rest) {
    if (endpoints.length >= MAX_ENDPOINTS_PER_SLICE) return;
    endpoints.push(endpoint);
    rest.delete(uid);
  }
}

function writesOf(
  snapshot: EndpointSliceSnapshot,
  filled: readonly Filled[],
  deletes: readonly EndpointSlice[],
): Pick<EndpointSlicePlan, 'creates' | 'updates'> {
  const { service, slices } = snapshot;
  const labels = labelsOf(service);
  const taken = new Set([...slices, ...deletes].map(({ metadata }) => metadata.name));
  const creates: Draft<EndpointSlice>[] = [];
  const updates: EndpointSlice[] = [];
  let index = 0;
  for (const { group, slice, endpoints } of filled) {
    const content = { addressType: group.addressType, endpoints: [...endpoints], ports: [...group.ports] };
    if (slice === undefined) {
      while (taken.has(snapshot.nameOf(index))) index++;
      const name = snapshot.nameOf(index++);
      const namespace = service.metadata.namespace ?? '';
      const ownerReferences = [controllerReference(serviceKind, service)];
      creates.push({ metadata: { name, namespace, labels, ownerReferences }, ...content });
    } else {
      const next = { ...slice, ...content, metadata: { ...slice.metadata, labels } };
      if (textOf(next) !== textOf(slice)) updates.push(next);
    }
  }
  return { creates, updates };
}

/** The Service's labels and the reserved ones (setEndpointSliceLabels). */
function labelsOf({ metadata, spec }: Service): Record<string, string> {
  const isHeadless = spec.clusterIP === 'None' || !spec.clusterIP;
  const { [HEADLESS_LABEL]: _, ...own } = metadata.labels ?? {};
  return {
    ...own,
    ...(isHeadless ? { [HEADLESS_LABEL]: '' } : {}),
    [SERVICE_NAME_LABEL]: metadata.name,
    [MANAGED_BY_LABEL]: MANAGED_BY,
  };
}

function samePorts(left: readonly EndpointPort[], right: readonly EndpointPort[]): boolean {
  return sortedJson(left) === sortedJson(right);
}

function textOf({ metadata: { labels }, addressType, endpoints, ports }: EndpointSlice): string {
  return sortedJson({ labels, addressType, endpoints, ports });
}

function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, field: unknown) =>
    typeof field === 'object' && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([left], [right]) => (left < right ? -1 : 1)))
      : field,
  );
}
