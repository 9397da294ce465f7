import type { GatewayListener } from '../../../api/kinds/gateway.ts';
import type { FilterChainInput } from '../../../xds/messages.js';
import { type Attachment, attachByteRoute, type ByteRoute, isGatewayRef } from './attachment.ts';
import { resolveBackend } from './backend.ts';
import type { Certificate } from './gateway-listeners.ts';
import { ANY_HOST, byNarrowness } from './hostname.ts';
import { tcpFilter, weightedTcpFilter } from './http-listener.ts';
import { UNAVAILABLE_CLUSTER } from './names.ts';
import { certificateTls } from './transport.ts';
import type { World } from './world.ts';

export type ByteAttachment = Attachment<ByteRoute>;

/** TLSRoutes and TCPRoutes on the Gateways that are ours, each kind oldest first. */
export function byteAttachments(world: World): readonly ByteAttachment[] {
  return [...world.tlsRoutes, ...world.tcpRoutes].flatMap((route) =>
    (route.spec.parentRefs ?? []).filter(isGatewayRef).flatMap((ref) => {
      const result = attachByteRoute(route, ref, world);
      return result?.ok === true ? result.attachments : [];
    }),
  );
}

/** Connections of one kind on a port, and where they go. */
export interface Way {
  /** Undefined for whatever comes. */
  readonly serverName: string | undefined;
  /** Undefined where TLS, if there is any, is not ended here. */
  readonly certificate: Certificate | undefined;
  readonly targets: readonly Target[];
}

interface Target {
  readonly cluster: string;
  readonly weight: number;
}

/** What a listener of a Gateway shows to clients, if it ends TLS. */
export interface ByteListener {
  readonly listener: GatewayListener;
  readonly certificate: Certificate | undefined;
}

/**
 * The ways of listeners that share a port, the narrowest server name first. Of two routes for the same the older has it. What leads
 * nowhere is closed, for its share (TLSRouteRule.backendRefs, TCPRouteRule.backendRefs).
 */
export function waysOf(
  listeners: readonly ByteListener[],
  attachments: readonly ByteAttachment[],
  world: World,
): readonly Way[] {
  const ways = listeners.flatMap(({ listener, certificate }): readonly Way[] => {
    const own = attachments.filter((one) => one.listener === listener);
    if (listener.protocol === 'TLS' && certificate === undefined) {
      return own.flatMap(({ route, hosts }) =>
        hosts.map((serverName) => ({ serverName, certificate: undefined, targets: targetsOf(route, world) })),
      );
    }
    const [oldest] = own;
    const targets = oldest === undefined ? NOWHERE : targetsOf(oldest.route, world);
    return [{ serverName: listener.hostname, certificate, targets }];
  });
  return ways
    .filter((way, index) => ways.findIndex(({ serverName }) => serverName === way.serverName) === index)
    .sort((left, right) => byNarrowness(left.serverName ?? ANY_HOST, right.serverName ?? ANY_HOST));
}

/** Clusters of Services that routes lead to. */
export function byteClusters(attachments: readonly ByteAttachment[], world: World): readonly string[] {
  const routes = new Set(attachments.map(({ route }) => route));
  return [...routes].flatMap((route) => targetsOf(route, world).map(({ cluster }) => cluster));
}

const NOWHERE: readonly Target[] = [{ cluster: UNAVAILABLE_CLUSTER, weight: 1 }];

/** The first rule takes all connections: nothing in a rule tells them apart. */
function targetsOf(route: ByteRoute, world: World): readonly Target[] {
  const [rule] = route.spec.rules;
  const targets = (rule?.backendRefs ?? []).map((ref) => {
    const backend = resolveBackend(ref, route, world, 'tcp');
    return { cluster: backend.ok ? backend.cluster : UNAVAILABLE_CLUSTER, weight: ref.weight };
  });
  const some = targets.filter(({ weight }) => weight > 0);
  return some.length > 0 ? some : NOWHERE;
}

/** A port without ways is bound all the same, and closes what comes. */
export function byteChains(name: string, ways: readonly Way[], statPrefix: string): FilterChainInput[] {
  if (ways.length === 0) return [{ name: `${name}/none`, filters: [tcpFilter(UNAVAILABLE_CLUSTER, statPrefix)] }];
  return ways.map(({ serverName, certificate, targets }) => ({
    name: `${name}/${serverName ?? 'all'}`,
    ...(serverName === undefined ? {} : { filterChainMatch: { serverNames: [serverName], transportProtocol: 'tls' } }),
    ...(certificate === undefined
      ? {}
      : { transportSocket: certificateTls(certificate.certificatePem, certificate.privateKeyPem) }),
    filters: [weightedTcpFilter(targets, statPrefix)],
  }));
}
