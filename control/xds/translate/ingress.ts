import type { Gateway } from '../../../api/kinds/gateway.ts';
import { acceptedProxyProtocol, type Network } from '../../../api/kinds/proxy-protocol.ts';
import { type FilterChainInput, Listener, RouteConfiguration, TrafficDirection } from '../../../xds/messages.js';
import { isSameResource, makeResource, type Resource, type Snapshot } from '../resource.ts';
import { type Attachment, attachToGateway, type ByteRoute, isGatewayRef } from './attachment.ts';
import { type ByteAttachment, byteAttachments, byteChains, byteClusters, type Way, waysOf } from './byte-routes.ts';
import { gatewayHosts } from './gateway-hosts.ts';
import {
  type Certificate,
  type GatewayState,
  gatewayStates,
  type ListenerState,
  routeKindOf,
} from './gateway-listeners.ts';
import { ANY_HOST, byNarrowness } from './hostname.ts';
import { httpFilter, PROXY_PROTOCOL, TLS_INSPECTOR } from './http-listener.ts';
import { carriedObject, ingressListener, ingressRoutes } from './names.ts';
import { certificateTls } from './transport.ts';
import { backendsOf, carriedRoutes, fixedClusters, type Pass, rulesOf, serviceResources, setOf } from './view.ts';
import { keyOf, type World } from './world.ts';

/** What all ingress proxies have in common; where they bind is each one's own. */
export interface IngressView {
  readonly states: readonly GatewayState[];
  readonly attachments: readonly Attachment[];
  readonly byteAttachments: readonly ByteAttachment[];
  readonly clusters: readonly Resource[];
  readonly endpoints: readonly Resource[];
  readonly routes: readonly Resource[];
  readonly sockets: readonly Socket[];
}

/** A port that is bound for one Gateway, with the listeners that share it. */
interface Socket {
  readonly gateway: Gateway;
  readonly address: string | undefined;
  readonly port: number;
  readonly chains: readonly Chain[];
  /** Of connections that are carried as bytes; then there are no chains. */
  readonly bytes: ByteSocket | undefined;
}

interface ByteSocket {
  readonly ways: readonly Way[];
  /** The routes that they are made of. */
  readonly routes: readonly ByteRoute[];
}

interface Chain {
  readonly routeTable: string;
  readonly serverName: string | undefined;
  readonly certificate: Certificate | undefined;
}

type Usable = Extract<ListenerState, { readonly ok: true }>;

export function ingressView(pass: Pass): IngressView {
  const states = gatewayStates(pass.world);
  const attachments = attachmentsOf(pass.world);
  const carried = byteAttachments(pass.world);
  const usable = states.map((state) => ({
    ...state,
    listeners: state.listeners.filter((one): one is Usable => one.ok),
  }));
  const sockets: Socket[] = [];
  const routes: Resource[] = [];
  for (const { gateway, address, listeners } of usable) {
    for (const [port, sharing] of Map.groupBy(listeners, ({ listener }) => listener.port)) {
      if (sharing.some(({ listener }) => routeKindOf(listener) !== 'HTTPRoute')) {
        sockets.push({ gateway, address, port, chains: [], bytes: byteSocket(gateway, sharing, carried, pass) });
        continue;
      }
      const tables = tablesOf(gateway, port, sharing);
      routes.push(...tables.map((table) => routeTable(gateway, port, table, attachments, pass)));
      sockets.push({ gateway, address, port, chains: tables.map((table) => table.chain), bytes: undefined });
    }
  }
  const routed = new Set(attachments.map(({ route }) => route));
  const backends = new Set([
    ...[...routed].flatMap((route) => backendsOf(route, pass.world)),
    ...byteClusters(carried, pass.world),
  ]);
  const { clusters, endpoints } = serviceResources(backends, pass);
  const fixed = fixedClusters(pass.memo).filter(({ name }) => name === 'unavailable');
  return {
    states,
    attachments,
    byteAttachments: carried,
    clusters: [...clusters, ...fixed],
    endpoints,
    routes,
    sockets,
  };
}

/** `address` is where the ingress binds what names no address of its own. */
export function ingressSnapshot(view: IngressView, address: string, { memo }: Pass): Snapshot {
  const listeners = view.sockets.map((socket) => {
    const name = ingressListener(socket.gateway.metadata.namespace ?? '', socket.gateway.metadata.name, socket.port);
    const bind = socket.address ?? address;
    const own = socket.chains.flatMap(({ routeTable, serverName, certificate }) => [
      routeTable,
      serverName,
      certificate?.certificatePem,
      certificate?.privateKeyPem,
    ]);
    const ways = JSON.stringify(socket.bytes?.ways);
    const accepted = JSON.stringify(acceptedProxyProtocol(socket.gateway));
    const inputs = [...own, ways, accepted, ...(socket.bytes?.routes ?? [])];
    return memo.take(`listener ${name} ${bind}`, inputs, () => listenerResource(name, bind, socket));
  });
  return {
    cluster: setOf('ingress clusters', view.clusters, memo),
    endpoints: setOf('ingress endpoints', view.endpoints, memo),
    listener: setOf(`ingress listeners ${address}`, listeners, memo),
    route: setOf('ingress routes', view.routes, memo),
  };
}

function attachmentsOf(world: World): readonly Attachment[] {
  return world.httpRoutes.flatMap((route) =>
    (route.spec.parentRefs ?? []).filter(isGatewayRef).flatMap((ref) => {
      const result = attachToGateway(route, ref, world);
      return result?.ok === true ? result.attachments : [];
    }),
  );
}

function byteSocket(
  gateway: Gateway,
  sharing: readonly Usable[],
  attachments: readonly ByteAttachment[],
  { world }: Pass,
): ByteSocket {
  const listeners = new Set(sharing.map(({ listener }) => listener));
  const own = attachments.filter((one) => one.gateway === gateway && listeners.has(one.listener));
  return { ways: waysOf(sharing, own, world), routes: [...new Set(own.map(({ route }) => route))] };
}

interface Table {
  readonly name: string;
  readonly listeners: readonly Usable[];
  readonly chain: Chain;
}

/** TLS tells listeners of one port apart by server name; without it only the Host header does, so they share a table. */
function tablesOf(gateway: Gateway, port: number, sharing: readonly Usable[]): readonly Table[] {
  const { namespace = '', name: gatewayName } = gateway.metadata;
  const table = (suffix: string, listeners: readonly Usable[]): Table => {
    const name = ingressRoutes(namespace, gatewayName, port, suffix);
    const [first] = listeners;
    const serverName = first?.certificate === undefined ? undefined : first.listener.hostname;
    return { name, listeners, chain: { routeTable: name, serverName, certificate: first?.certificate } };
  };
  if (sharing.every(({ certificate }) => certificate === undefined)) return [table('http', sharing)];
  return sharing
    .toSorted((left, right) => byNarrowness(left.listener.hostname ?? ANY_HOST, right.listener.hostname ?? ANY_HOST))
    .map((one) => table(one.listener.name, [one]));
}

function routeTable(
  gateway: Gateway,
  port: number,
  table: Table,
  attachments: readonly Attachment[],
  pass: Pass,
): Resource {
  const listeners = table.listeners.map(({ listener }) => listener);
  const attached = attachments
    .filter((one) => one.gateway === gateway && listeners.includes(one.listener))
    .map((attachment) => ({ attachment, rules: rulesOf(attachment.route, pass) }));
  const inputs = [gateway, ...attached.flatMap(({ attachment, rules }) => [attachment.listener.name, rules])];
  const make = (): Resource => {
    const carries = [
      carriedObject('Gateway', gateway),
      ...carriedRoutes(attached.map(({ attachment }) => attachment.route)),
    ];
    const virtualHosts = gatewayHosts(listeners, attached, port);
    return makeResource('route', RouteConfiguration, { name: table.name, virtualHosts }, carries);
  };
  return pass.memo.take(`routes ${table.name}`, inputs, make, isSameResource);
}

function listenerResource(name: string, address: string, { gateway, port, chains, bytes }: Socket): Resource {
  const statPrefix = `ingress_${keyOf(gateway).replace('/', '_')}`;
  const named = bytes?.ways.some(({ serverName, certificate }) => (serverName ?? certificate) !== undefined);
  const secure = named === true || chains.some(({ certificate }) => certificate !== undefined);
  const sources = acceptedProxyProtocol(gateway);
  const filterChains = (
    bytes === undefined ? chains.map((chain) => httpChain(chain, statPrefix)) : byteChains(name, bytes.ways, statPrefix)
  ).map((chain) => (sources === undefined ? chain : forSources(chain, sources)));
  const listenerFilters = [...(sources === undefined ? [] : [PROXY_PROTOCOL]), ...(secure ? [TLS_INSPECTOR] : [])];
  return makeResource(
    'listener',
    Listener,
    {
      name,
      address: { socketAddress: { address, portValue: port } },
      trafficDirection: TrafficDirection.UNSPECIFIED,
      ...(listenerFilters.length === 0 ? {} : { listenerFilters }),
      filterChains,
    },
    [carriedObject('Gateway', gateway), ...(bytes?.routes ?? []).map((route) => carriedObject(route.kind, route))],
  );
}

/** Only they may connect, since they say who others are. */
function forSources(chain: FilterChainInput, networks: readonly Network[]): FilterChainInput {
  if (networks.length === 0) return chain;
  const directSourcePrefixRanges = networks.map(({ address, prefixLength }) => ({
    addressPrefix: address,
    prefixLen: { value: prefixLength },
  }));
  return { ...chain, filterChainMatch: { ...chain.filterChainMatch, directSourcePrefixRanges } };
}

function httpChain({ routeTable, serverName, certificate }: Chain, statPrefix: string): FilterChainInput {
  return {
    name: routeTable,
    ...(serverName === undefined ? {} : { filterChainMatch: { serverNames: [serverName] } }),
    ...(certificate === undefined
      ? {}
      : { transportSocket: certificateTls(certificate.certificatePem, certificate.privateKeyPem) }),
    filters: [httpFilter({ routeTable, statPrefix, role: 'edge' })],
  };
}
