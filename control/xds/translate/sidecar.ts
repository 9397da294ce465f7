import type { Pod } from '../../../api/kinds/pod.ts';
import { APP_PORTS, MESH_BYTES_PROTOCOL, meshServerName, OUTBOUND_PROXY_PORT } from '../../../api/meta/well-known.ts';
import {
  type FilterChainInput,
  Listener,
  type ListenerInput,
  RouteConfiguration,
  TrafficDirection,
} from '../../../xds/messages.js';
import { layered } from '../layered-map.ts';
import { makeResource, type Resource, type ResourceMap, resourceMap, type Snapshot, versionOf } from '../resource.ts';
import { inboundClusterResource } from './cluster.ts';
import { grpcPortOf } from './grpc/grpc-port.ts';
import { HTTP_INSPECTOR, httpFilter, TLS_INSPECTOR, tcpFilter } from './http-listener.ts';
import type { Memo } from './memo.ts';
import { jsonPorts, mayBeBytes, meshAddressOf } from './mesh-service.ts';
import { INBOUND_LISTENER, inboundName, OUTBOUND_PROXY_LISTENER, OUTBOUND_ROUTES } from './names.ts';
import { outboundBody, outboundListener } from './outbound-listener.ts';
import { inboundHost } from './route-defaults.ts';
import { selectedPorts } from './selecting-ports.ts';
import { meshServerTls } from './transport.ts';
import type { NamespaceView, OutboundPort } from './view.ts';

/** All that a pod's sidecar is to have; undefined while the agent has not said where the pod is. `memo` is the pod's part, `all` the whole. */
export function sidecarSnapshot(pod: Pod, view: NamespaceView, memo: Memo, all: Memo): Snapshot | undefined {
  // Of all that changes, endpoints and routes change most: the pod is not to be looked at then.
  const own = memo.take('own', [pod, view.outbound, view.grpcServices, view.bytesServices], () =>
    ownParts(pod, view, memo, all),
  );
  if (own === undefined) return undefined;
  return {
    cluster: layered(view.clusters, own.clusters),
    endpoints: view.endpoints,
    listener: own.listeners,
    route: layered(view.routes, own.routes),
  };
}

/** What follows from the pod. */
interface OwnParts {
  readonly clusters: ResourceMap;
  readonly routes: ResourceMap;
  /** Of the Services too, for each is listened for at the pod's address. */
  readonly listeners: ResourceMap;
}

function ownParts(pod: Pod, view: NamespaceView, memo: Memo, all: Memo): OwnParts | undefined {
  const mesh = meshAddressOf(pod);
  const podAddress = pod.status?.podIP;
  if (mesh === undefined || podAddress === undefined || podAddress === '') return undefined;
  const ports = pod.metadata.annotations?.[APP_PORTS];
  const grpcPort = grpcPortOf(pod, view.grpcServices);
  const bytesPorts = selectedPorts(pod, view.bytesServices, mayBeBytes);
  const bytesText = [...bytesPorts].sort((left, right) => left - right).join(' ');
  const own = memo.take('inbound', [ports, mesh.address, mesh.port, grpcPort, bytesText], () =>
    inbound(mesh, jsonPorts(ports), { grpcPort, bytesPorts }),
  );
  const listeners = memo.take('listeners', [own, podAddress, view.outbound], () =>
    resourceMap([...own.listeners, ...outbound(podAddress, view.outbound)]),
  );
  // Replicas of a Service have the same ports: what is the same for all of them is one set for all of them.
  const common = (set: ResourceMap): ResourceMap => all.shared(`own ${versionOf(set)}`, () => set);
  return { clusters: common(own.clusters), routes: common(own.routes), listeners };
}

/** What apps are told to send their requests to: the forward proxy, and a port for each Service. */
function outbound(podAddress: string, ports: readonly OutboundPort[]): readonly Resource[] {
  return [
    outboundListener(FORWARD_PROXY, podAddress, OUTBOUND_PROXY_PORT),
    ...ports.map(({ body, port }) => outboundListener(body, podAddress, port)),
  ];
}

const FORWARD_PROXY = outboundBody(OUTBOUND_PROXY_LISTENER, {
  kind: 'http',
  http: { routeTable: OUTBOUND_ROUTES, statPrefix: 'outbound', role: 'forward-proxy' },
});

interface Inbound {
  readonly clusters: ResourceMap;
  readonly routes: ResourceMap;
  readonly listeners: readonly Resource[];
}

/** Container ports on which more is taken than HTTP. */
interface MorePorts {
  readonly grpcPort: number | undefined;
  readonly bytesPorts: ReadonlySet<number>;
}

/** One mesh port for all the pod's container ports; the caller's TLS server name tells which is wanted. */
function inbound(
  mesh: { readonly address: string; readonly port: number },
  appPorts: ReadonlyMap<string, number>,
  more: MorePorts,
): Inbound {
  const ports = [...appPorts].map(([text, appPort]) => ({ containerPort: Number(text), appPort }));
  const named = ports.filter(({ containerPort }) => Number.isInteger(containerPort) && containerPort > 0);
  return {
    clusters: resourceMap(named.map(({ containerPort, appPort }) => inboundClusterResource(containerPort, appPort))),
    routes: resourceMap(
      named.map(({ containerPort }) => {
        const name = inboundName(containerPort);
        return makeResource('route', RouteConfiguration, { name, virtualHosts: [inboundHost(name)] });
      }),
    ),
    // A listener without filter chains is invalid, and a pod without ports has nothing to listen for.
    listeners:
      named.length === 0
        ? []
        : [
            inboundListener(
              mesh,
              named.map(({ containerPort }) => containerPort),
              more,
            ),
          ],
  };
}

function inboundListener(
  mesh: { readonly address: string; readonly port: number },
  ports: readonly number[],
  { grpcPort, bytesPorts }: MorePorts,
): Resource {
  const looks = ports.some((containerPort) => bytesPorts.has(containerPort));
  const message: ListenerInput = {
    name: INBOUND_LISTENER,
    address: { socketAddress: { address: mesh.address, portValue: mesh.port } },
    trafficDirection: TrafficDirection.INBOUND,
    listenerFilters: [TLS_INSPECTOR, ...(looks ? [HTTP_INSPECTOR] : [])],
    filterChains: [
      ...ports.flatMap((containerPort) =>
        bytesPorts.has(containerPort)
          ? [httpChain(containerPort, MESH_HTTP), bytesChain(containerPort)]
          : [httpChain(containerPort)],
      ),
      // Behind those that ask for a name: sidecars that speak HTTP/2 name the port.
      ...ports.filter((containerPort) => containerPort === grpcPort).map(grpcChain),
    ],
  };
  return makeResource('listener', Listener, { ...message, name: INBOUND_LISTENER });
}

/** What callers' sidecars say (ALPN) of a connection for requests. */
const MESH_HTTP = ['h2', 'http/1.1'];

function httpChain(containerPort: number, applicationProtocols: readonly string[] = []): FilterChainInput {
  return {
    name: inboundName(containerPort),
    filterChainMatch: {
      serverNames: [meshServerName(containerPort)],
      transportProtocol: 'tls',
      ...(applicationProtocols.length === 0 ? {} : { applicationProtocols }),
    },
    transportSocket: meshServerTls(),
    filters: [httpFilter({ routeTable: inboundName(containerPort), statPrefix: 'inbound', role: 'inbound' })],
  };
}

/** Whatever is not HTTP: callers' sidecars say so, and of others the first bytes do. */
function bytesChain(containerPort: number): FilterChainInput {
  return {
    name: `${inboundName(containerPort)}/tcp`,
    filterChainMatch: { serverNames: [meshServerName(containerPort)], transportProtocol: 'tls' },
    transportSocket: meshServerTls([...MESH_HTTP, MESH_BYTES_PROTOCOL]),
    filters: [tcpFilter(inboundName(containerPort), 'inbound')],
  };
}

/** gRPC's clients come with mesh mTLS of their own, and with any Service's name; what they send goes to the app as it is. */
function grpcChain(containerPort: number): FilterChainInput {
  return {
    name: `${inboundName(containerPort)}/h2`,
    filterChainMatch: { transportProtocol: 'tls', applicationProtocols: ['h2'] },
    transportSocket: meshServerTls(['h2']),
    filters: [tcpFilter(inboundName(containerPort), 'inbound')],
  };
}
