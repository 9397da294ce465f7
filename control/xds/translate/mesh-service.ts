import type { EndpointSlice } from '../../../api/kinds/endpoint-slice.ts';
import { isGrpcPort } from '../../../api/kinds/grpc-port.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import { sentProxyProtocol } from '../../../api/kinds/proxy-protocol.ts';
import type { Service, ServicePort } from '../../../api/kinds/service.ts';
import { durationMs, durationSchema } from '../../../api/meta/duration.ts';
import {
  ENDPOINT_TTL,
  EXPORT_TO,
  INJECT,
  MESH_ADDRESS,
  OUTBOUND_PORTS,
  workloadSpiffeId,
} from '../../../api/meta/well-known.ts';
import { carriedPod, serviceCluster } from './names.ts';
import { keyOf, type World } from './world.ts';

/** A Service's port that proxies or gRPC's own clients carry, with all that a caller's proxy needs to reach it. */
export interface MeshPort {
  readonly service: Service;
  readonly namespace: string;
  readonly serviceName: string;
  readonly port: number;
  /** Sidecars and ingresses carry all, gRPC's own clients `grpc` alone. */
  readonly protocol: SpokenProtocol;
  /** Nobody said what it speaks: a caller's proxy looks, and takes what is not HTTP as bytes. */
  readonly isDetected: boolean;
  readonly cluster: string;
  /** The app speaks HTTP/2 with prior knowledge. */
  readonly http2: boolean;
  /** Whether its pods have sidecars. Those without are spoken to in plain text. */
  readonly meshed: boolean;
  /** What the callee's sidecar knows its app by. */
  readonly containerPort: number;
  readonly spiffeIds: readonly string[];
  readonly endpoints: readonly MeshEndpoint[];
  /** The port that sidecars listen on for it; undefined while the API server has given none. */
  readonly outboundPort: number | undefined;
  /** How long proxies may use endpoints that they hear nothing of; undefined for ever. */
  readonly ttlMs: number | undefined;
}

/** `tcp`: bytes, which no proxy looks into. */
export type SpokenProtocol = 'http' | 'grpc' | 'tcp';

interface MeshEndpoint {
  readonly address: string;
  readonly port: number;
  readonly pod: Pod | undefined;
}

/**
 * Protocols of a port in which the proxy knows requests (Service.spec.ports[].appProtocol; IANA names, Kubernetes' own of KEP-3726, and those
 * that Istio knows). Of others it carries the bytes. A port that names none is HTTP/1.1 to routes, as in Gateway API's meshes; where no route
 * says so, callers' first bytes do.
 */
const HTTP1_PROTOCOLS = new Set(['http', 'kubernetes.io/ws', 'ws', 'grpc-web']);
const HTTP2_PROTOCOLS = new Set(['kubernetes.io/h2c', 'h2c', 'http2', 'grpc']);

function isHttpPort(port: ServicePort): boolean {
  const { protocol, appProtocol } = port;
  if (protocol !== 'TCP') return false;
  return appProtocol === undefined || HTTP1_PROTOCOLS.has(appProtocol.toLowerCase()) || isHttp2Port(port);
}

export function isHttp2Port({ appProtocol = '' }: ServicePort): boolean {
  return HTTP2_PROTOCOLS.has(appProtocol.toLowerCase());
}

/**
 * Whether what callers say to it may be anything: it names no protocol, or none in which the proxy knows requests, or the app wants to be
 * told of each connection.
 */
export function mayBeBytes(port: ServicePort, service: Service): boolean {
  if (port.protocol !== 'TCP') return false;
  return port.appProtocol === undefined || !isHttpPort(port) || sentProxyProtocol(service) !== undefined;
}

/** Undefined for a port that is not carried. */
export function spokenOn(port: ServicePort, service: Service): SpokenProtocol | undefined {
  if (port.protocol === 'TCP' && sentProxyProtocol(service) !== undefined) return 'tcp';
  if (isGrpcPort(port)) return 'grpc';
  if (isHttpPort(port)) return 'http';
  return mayBeBytes(port, service) ? 'tcp' : undefined;
}

/** What a route's callers bring. `bytes`: what comes through CONNECT, of whose client nothing can be told by the PROXY protocol. */
export type RoutedProtocol = SpokenProtocol | 'bytes';

/** Whether a route of that kind may lead there: gRPC is HTTP/2, so routes of HTTP may lead to its ports too. */
export function canCarry(port: ServicePort, service: Service, protocol: RoutedProtocol): boolean {
  if (protocol !== 'tcp' && sentProxyProtocol(service) !== undefined) return false;
  switch (protocol) {
    case 'http':
      return isHttpPort(port);
    case 'grpc':
      return isGrpcPort(port);
    case 'tcp':
    case 'bytes':
      return mayBeBytes(port, service);
    default:
      return protocol satisfies never;
  }
}

export function meshPorts(service: Service, world: World): readonly MeshPort[] {
  if (service.spec.type === 'ExternalName') return [];
  const slices = (world.slicesOfService.get(keyOf(service)) ?? []).filter(({ addressType }) => addressType === 'IPv4');
  return (service.spec.ports ?? []).flatMap((port) => {
    const protocol = spokenOn(port, service);
    return protocol === undefined ? [] : [meshPort(service, port, protocol, slices, world)];
  });
}

/** Whether proxies in `namespace` may be told of the service. */
export function isExportedTo(service: Service, namespace: string): boolean {
  const exportTo = service.metadata.annotations?.[EXPORT_TO] ?? '*';
  return exportTo
    .split(',')
    .map((word) => word.trim())
    .some((word) => word === '*' || word === namespace || (word === '.' && service.metadata.namespace === namespace));
}

export function meshAddressOf(pod: Pod): { readonly address: string; readonly port: number } | undefined {
  const text = pod.metadata.annotations?.[MESH_ADDRESS] ?? '';
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  return colon > 0 && Number.isInteger(port) && port > 0 ? { address: text.slice(0, colon), port } : undefined;
}

export function spiffeIdOf(pod: Pod, trustDomain: string): string {
  return workloadSpiffeId(trustDomain, pod.metadata.namespace ?? '', pod.spec.serviceAccountName ?? 'default');
}

function meshPort(
  service: Service,
  port: ServicePort,
  protocol: SpokenProtocol,
  slices: readonly EndpointSlice[],
  world: World,
): MeshPort {
  const namespace = service.metadata.namespace ?? '';
  const backing = slices.flatMap((slice) => backingOf(slice, port, namespace, world));
  const [first] = backing;
  // One cluster has one TLS server name. Pods that give a named port different numbers would need one each: the oldest slice wins.
  const containerPort = first?.port ?? (typeof port.targetPort === 'number' ? port.targetPort : port.port);
  const meshed = backing.length === 0 || backing.some(({ pod }) => pod !== undefined && isMeshed(pod));
  const pods = backing.flatMap(({ pod }) => pod ?? []);
  const ids = new Set(pods.map((pod) => spiffeIdOf(pod, world.trustDomain)));
  // Never an empty list: to a verifier that would mean anyone.
  if (ids.size === 0) ids.add(workloadSpiffeId(world.trustDomain, namespace, 'default'));
  return {
    service,
    namespace,
    serviceName: service.metadata.name,
    port: port.port,
    protocol,
    isDetected: port.appProtocol === undefined,
    cluster: serviceCluster(namespace, service.metadata.name, port.port),
    http2: isHttp2Port(port),
    meshed,
    containerPort,
    spiffeIds: [...ids].sort(),
    endpoints: distinct(backing.filter((one) => one.port === containerPort).flatMap((one) => endpointOf(one, meshed))),
    outboundPort: outboundPortOf(service, port),
    ttlMs: endpointTtlMs(service.metadata.annotations?.[ENDPOINT_TTL]),
  };
}

interface Backing {
  readonly address: string;
  readonly port: number;
  readonly pod: Pod | undefined;
  readonly ready: boolean;
}

function backingOf(slice: EndpointSlice, port: ServicePort, namespace: string, world: World): readonly Backing[] {
  const number = slice.ports.find(({ name }) => name === (port.name ?? ''))?.port;
  if (number === undefined) return [];
  return slice.endpoints.flatMap(({ addresses, conditions, targetRef }) => {
    const pod = targetRef?.kind === 'Pod' ? world.pods.get(`${namespace}/${targetRef.name ?? ''}`) : undefined;
    // A pod that is not known yet, or is another of the same name, is not reachable yet.
    const expected = targetRef?.kind === 'Pod';
    if (expected && (pod === undefined || (targetRef.uid !== undefined && targetRef.uid !== pod.metadata.uid)))
      return [];
    const leaving = conditions.terminating === true || pod?.metadata.deletionTimestamp != null;
    const ready = conditions.ready !== false && !leaving;
    return addresses.slice(0, 1).map((address) => ({ address, port: number, pod, ready }));
  });
}

function isMeshed(pod: Pod): boolean {
  return pod.metadata.annotations?.[INJECT] !== 'false';
}

function endpointOf({ address, port, pod, ready }: Backing, meshed: boolean): readonly MeshEndpoint[] {
  if (!ready) return [];
  if (!meshed) return [{ address, port, pod }];
  const mesh = pod === undefined || !isMeshed(pod) ? undefined : meshAddressOf(pod);
  return mesh === undefined ? [] : [{ ...mesh, pod }];
}

/** gRPC refuses a load assignment that names an address twice, and a slice may be split while it moves. */
function distinct(endpoints: readonly MeshEndpoint[]): readonly MeshEndpoint[] {
  const byAddress = new Map(endpoints.map((endpoint) => [`${endpoint.address}:${endpoint.port}`, endpoint]));
  return [...byAddress].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, endpoint]) => endpoint);
}

// Heartbeats come twice in the time; more than two a second would be load without use.
const SHORTEST_TTL_MS = 1000;

/** Undefined for what is no duration, as for an annotation that is not there: another wrote it. */
function endpointTtlMs(text: string | undefined): number | undefined {
  const { success, data } = durationSchema.safeParse(text);
  return success ? Math.max(SHORTEST_TTL_MS, durationMs(data)) : undefined;
}

function outboundPortOf(service: Service, { name, port }: ServicePort): number | undefined {
  const ports = jsonPorts(service.metadata.annotations?.[OUTBOUND_PORTS]);
  return ports.get(name ?? '') ?? ports.get(String(port));
}

/** An annotation of the form `{"http": 20001}`. What is not that is as good as absent: another process wrote it. */
export function jsonPorts(text: string | undefined): ReadonlyMap<string, number> {
  if (text === undefined) return new Map();
  try {
    const entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
    return new Map(entries.filter((entry): entry is [string, number] => Number.isInteger(entry[1])));
  } catch {
    return new Map();
  }
}

/** What of a port's endpoints goes into resources, for {@link Memo}. */
export function endpointsKey({ endpoints }: MeshPort): string {
  return endpoints
    .map(({ address, port, pod }) => `${address}:${port} ${pod === undefined ? '' : carriedPod(pod)}`)
    .join('\n');
}
