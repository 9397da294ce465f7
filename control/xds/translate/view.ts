import type { HttpBackendRef, HttpRoute } from '../../../api/kinds/http-route.ts';
import { sentProxyProtocol } from '../../../api/kinds/proxy-protocol.ts';
import type { Service } from '../../../api/kinds/service.ts';
import { RouteConfiguration, type VirtualHostInput } from '../../../xds/messages.js';
import { isSameResource, makeResource, type Resource, type ResourceMap, resourceMap } from '../resource.ts';
import { resolveBackend } from './backend.ts';
import {
  clusterKey,
  endpointsOf,
  passthroughClusterResource,
  serviceClusterResource,
  unavailableClusterResource,
} from './cluster.ts';
import { isConnectRule } from './connect-rule.ts';
import type { Memo } from './memo.ts';
import { type MeshRoutes, routesFor } from './mesh-routes.ts';
import { isExportedTo, type MeshPort, type SpokenProtocol } from './mesh-service.ts';
import { carriedObject, OUTBOUND_ROUTES, outboundName } from './names.ts';
import { type ListenerBody, type OutboundTraffic, outboundBody } from './outbound-listener.ts';
import { byPrecedence } from './precedence.ts';
import { connectEnd, DEFAULT_RETRY, forwardTo, passthroughHost } from './route-defaults.ts';
import { type RankedRoute, translateRules } from './rule.ts';
import { serviceDomains } from './service-host.ts';
import { keyOf, type World } from './world.ts';

/** One pass over the world: what is looked up and made once, for all proxies. */
export interface Pass {
  readonly world: World;
  readonly memo: Memo;
  readonly meshRoutes: MeshRoutes;
  /** By cluster name. */
  readonly ports: ReadonlyMap<string, MeshPort>;
}

/** What all sidecars of one namespace have in common. */
export interface NamespaceView {
  readonly clusters: ResourceMap;
  readonly endpoints: ResourceMap;
  readonly routes: ResourceMap;
  readonly outbound: readonly OutboundPort[];
  /** Services of the namespace with a gRPC port. */
  readonly grpcServices: readonly Service[];
  /** Those with a port on which anything may be spoken. */
  readonly bytesServices: readonly Service[];
}

/** A Service's port that sidecars listen on for apps that were given Kubernetes' service variables. */
export interface OutboundPort {
  readonly body: ListenerBody;
  readonly port: number;
}

export function namespaceView(namespace: string, pass: Pass): NamespaceView {
  const { world, memo } = pass;
  const reachable = [...pass.ports.values()].filter(({ service }) => isExportedTo(service, namespace));
  const hosts = reachable
    .filter(({ protocol }) => protocol !== 'tcp')
    .map((port) => serviceHost(port, namespace, pass));
  const listened = hosts.filter(({ port }) => port.outboundPort !== undefined);
  const bytes = reachable.filter(({ protocol, outboundPort }) => protocol === 'tcp' && outboundPort !== undefined);
  const bytesHosts = reachable
    .filter(({ protocol, service }) => protocol === 'tcp' && sentProxyProtocol(service) === undefined)
    .map((port) => bytesHost(port, namespace, pass));
  const routes = [
    outboundRoutes(namespace, hosts, bytesHosts, memo),
    ...listened.map((host) => portRoutes(namespace, host, memo)),
  ];
  const backends = new Set([
    ...reachable.map(({ cluster }) => cluster),
    ...hosts.flatMap(({ routes: own }) => own.flatMap((route) => backendsOf(route, world))),
  ]);
  const { clusters, endpoints } = serviceResources(backends, pass);
  return {
    clusters: setOf(`clusters ${namespace}`, [...clusters, ...fixedClusters(memo)], memo),
    endpoints: setOf(`endpoints ${namespace}`, endpoints, memo),
    routes: setOf(`routes ${namespace}`, routes, memo),
    outbound: outboundPorts(namespace, [...listened.map(httpTraffic), ...bytes.map(tcpTraffic)], memo),
    grpcServices: servicesWith('grpc', ({ protocol }) => protocol === 'grpc', namespace, pass),
    bytesServices: servicesWith(
      'bytes',
      ({ protocol, isDetected }) => protocol === 'tcp' || isDetected,
      namespace,
      pass,
    ),
  };
}

/** The very same list as before when none of them is other. */
function servicesWith(
  what: string,
  isWanted: (port: MeshPort) => boolean,
  namespace: string,
  { ports, memo }: Pass,
): readonly Service[] {
  const own = [...ports.values()].filter((port) => port.namespace === namespace && isWanted(port));
  const services = [...new Set(own.map(({ service }) => service))];
  return memo.take(`${what} services ${namespace}`, services, () => services);
}

interface Listened {
  readonly port: MeshPort;
  readonly kind: OutboundTraffic['kind'];
}

/** A port that a route leads from is HTTP's: to take some of its callers for something else would lead them past the route. */
function httpTraffic({ port, routes }: ServiceHost): Listened {
  return { port, kind: port.isDetected && routes.length === 0 ? 'detected' : 'http' };
}

function tcpTraffic(port: MeshPort): Listened {
  return { port, kind: 'tcp' };
}

/** The very same list as before when nothing in it is other: every sidecar's listeners are made of it. */
function outboundPorts(namespace: string, listened: readonly Listened[], memo: Memo): readonly OutboundPort[] {
  const ports = listened.map(({ port, kind }) => ({
    name: outboundName(port.namespace, port.serviceName, port.port),
    port: port.outboundPort ?? 0,
    kind,
    cluster: port.cluster,
  }));
  const inputs = ports.flatMap(({ name, port, kind }) => [name, port, kind]);
  return memo.take(`outbound ports ${namespace}`, inputs, () =>
    ports.map(({ name, port, kind, cluster }) => {
      const http = { routeTable: name, statPrefix: 'outbound', role: 'outbound' } as const;
      return { body: outboundBody(name, { kind, http, cluster }), port };
    }),
  );
}

/** The very same map as before when its members are, so that what differs for a proxy is found by looking at four maps. */
export function setOf(name: string, resources: readonly Resource[], memo: Memo): ResourceMap {
  return memo.take(`set ${name}`, resources, () => resourceMap(resources));
}

/** Clusters and load assignments of the named Service ports. */
export function serviceResources(
  names: Iterable<string>,
  { ports, memo }: Pass,
): { readonly clusters: readonly Resource[]; readonly endpoints: readonly Resource[] } {
  const found = [...names].flatMap((name) => ports.get(name) ?? []);
  // A Service that cannot be told is left out: requests to it fail, and nothing else.
  return {
    clusters: found.flatMap((port) => {
      const inputs = [port.service, clusterKey(port)];
      return memo.attempt(`cluster ${port.cluster}`, inputs, () => serviceClusterResource(port), undefined) ?? [];
    }),
    endpoints: found.flatMap((port) => endpointsOf(port, memo)),
  };
}

export function fixedClusters(memo: Memo): readonly Resource[] {
  return [
    memo.take('cluster passthrough', [], passthroughClusterResource),
    memo.take('cluster unavailable', [], unavailableClusterResource),
  ];
}

/** Gateway API: what cannot be followed is answered 500, never handed to somebody else. */
const BROKEN_ROUTE: readonly RankedRoute[] = [
  {
    match: { path: { type: 'PathPrefix', value: '/' } },
    message: { name: 'broken', match: { prefix: '/' }, directResponse: { status: 500 } },
  },
];

/** Translated rules of a route; made anew when the route changes or what its backends lead to. One that cannot be translated answers 500. */
export function rulesOf(route: HttpRoute, { world, memo }: Pass): readonly RankedRoute[] {
  const resolved = refsOf(route).map((ref) => {
    const backend = resolveBackend(ref, route, world, ref.wanted);
    return backend.ok ? `${backend.cluster} ${backend.http2 ? 'http2' : 'http1'}` : backend.reason;
  });
  return memo.attempt(
    `rules ${keyOf(route)}`,
    [route, resolved.join('\n')],
    () => translateRules(route, (ref, wanted) => resolveBackend(ref, route, world, wanted)),
    BROKEN_ROUTE,
  );
}

/** All backends, and for those of CONNECT what their ports must take. */
export function refsOf(route: HttpRoute): readonly (HttpBackendRef & { readonly wanted?: 'bytes' })[] {
  return (route.spec.rules ?? []).flatMap((rule) =>
    (rule.backendRefs ?? []).map((ref) => (isConnectRule(rule) ? { ...ref, wanted: 'bytes' as const } : ref)),
  );
}

export function backendsOf(route: HttpRoute, world: World, wanted: SpokenProtocol = 'http'): readonly string[] {
  return refsOf(route).flatMap((ref) => {
    // gRPC's clients have no CONNECT.
    const backend = resolveBackend(ref, route, world, wanted === 'http' ? (ref.wanted ?? wanted) : wanted);
    return backend.ok ? [backend.cluster] : [];
  });
}

export function carriedRoutes(routes: readonly HttpRoute[]): readonly string[] {
  return [...new Set(routes.map((route) => carriedObject('HTTPRoute', route)))];
}

interface ServiceHost {
  readonly port: MeshPort;
  readonly routes: readonly HttpRoute[];
  readonly host: VirtualHostInput;
}

function serviceHost(port: MeshPort, namespace: string, pass: Pass): ServiceHost {
  const routes = routesFor(port, namespace, pass.meshRoutes);
  const rules = routes.map((route) => rulesOf(route, pass));
  const host = pass.memo.take(`host ${namespace} ${port.cluster}`, [port.service, ...rules], () => ({
    name: port.cluster,
    domains: serviceDomains(port, namespace),
    routes:
      routes.length === 0
        ? [{ name: 'default', match: { prefix: '/' }, route: forwardTo(port) }]
        : byPrecedence(rules.flat()).map(({ message }) => message),
  }));
  return { port, routes, host };
}

/** To a port of bytes apps come by CONNECT, when they come by HTTP_PROXY. One that tells its app who connects is left to itself. */
function bytesHost(port: MeshPort, namespace: string, { memo }: Pass): VirtualHostInput {
  return memo.take(`bytes host ${namespace} ${port.cluster}`, [port.service], () => ({
    name: port.cluster,
    domains: serviceDomains(port, namespace),
    routes: [
      {
        name: 'bytes',
        match: { connectMatcher: {} },
        route: { cluster: port.cluster, ...connectEnd(DEFAULT_RETRY) },
      },
    ],
  }));
}

function outboundRoutes(
  namespace: string,
  hosts: readonly ServiceHost[],
  bytesHosts: readonly VirtualHostInput[],
  memo: Memo,
): Resource {
  return memo.take(
    `outbound ${namespace}`,
    [...hosts.map(({ host }) => host), ...bytesHosts],
    () => {
      const virtualHosts = [...hosts.map(({ host }) => host), ...bytesHosts, passthroughHost()];
      const carries = carriedRoutes(hosts.flatMap(({ routes }) => routes));
      return makeResource('route', RouteConfiguration, { name: OUTBOUND_ROUTES, virtualHosts }, carries);
    },
    isSameResource,
  );
}

function portRoutes(namespace: string, { port, host, routes }: ServiceHost, memo: Memo): Resource {
  const name = outboundName(port.namespace, port.serviceName, port.port);
  return memo.take(
    `routes ${namespace} ${name}`,
    [host],
    () =>
      makeResource(
        'route',
        RouteConfiguration,
        { name, virtualHosts: [{ ...host, domains: ['*'] }] },
        carriedRoutes(routes),
      ),
    isSameResource,
  );
}
