import type { GatewayListener } from '../../../api/kinds/gateway.ts';
import type { TlsRoute } from '../../../api/kinds/tls-route.ts';
import type { FilterChainInput } from '../../../xds/messages.js';
import { type Attachment, attachTlsRoute, isGatewayRef } from './attachment.ts';
import { resolveBackend } from './backend.ts';
import { byNarrowness } from './hostname.ts';
import { tcpFilter, weightedTcpFilter } from './http-listener.ts';
import { UNAVAILABLE_CLUSTER } from './names.ts';
import type { World } from './world.ts';

export type TlsAttachment = Attachment<TlsRoute>;

/** TLSRoutes on the Gateways that are ours, oldest first. */
export function tlsAttachments(world: World): readonly TlsAttachment[] {
  return world.tlsRoutes.flatMap((route) =>
    (route.spec.parentRefs ?? []).filter(isGatewayRef).flatMap((ref) => {
      const result = attachTlsRoute(route, ref, world);
      return result?.ok === true ? result.attachments : [];
    }),
  );
}

export interface Passthrough {
  readonly serverName: string;
  readonly targets: readonly Target[];
}

interface Target {
  readonly cluster: string;
  readonly weight: number;
}

/**
 * Server names of listeners that share a port, the narrowest first, and where their connections go. Of two routes for one name the older has
 * it. What leads nowhere is closed, for its share (TLSRouteRule.backendRefs).
 */
export function passthroughs(
  listeners: readonly GatewayListener[],
  attachments: readonly TlsAttachment[],
  world: World,
): readonly Passthrough[] {
  const found = new Map<string, Passthrough>();
  for (const { listener, route, hosts } of attachments) {
    if (!listeners.includes(listener)) continue;
    for (const serverName of hosts) {
      if (!found.has(serverName)) found.set(serverName, { serverName, targets: targetsOf(route, world) });
    }
  }
  return [...found.values()].sort((left, right) => byNarrowness(left.serverName, right.serverName));
}

/** Clusters of Services that routes lead to. */
export function passthroughClusters(attachments: readonly TlsAttachment[], world: World): readonly string[] {
  const routes = new Set(attachments.map(({ route }) => route));
  return [...routes].flatMap((route) => targetsOf(route, world).map(({ cluster }) => cluster));
}

function targetsOf(route: TlsRoute, world: World): readonly Target[] {
  const targets = route.spec.rules.flatMap(({ backendRefs }) =>
    backendRefs.map((ref) => {
      const backend = resolveBackend(ref, route, world, 'tcp');
      return { cluster: backend.ok ? backend.cluster : UNAVAILABLE_CLUSTER, weight: ref.weight };
    }),
  );
  const some = targets.filter(({ weight }) => weight > 0);
  return some.length > 0 ? some : [{ cluster: UNAVAILABLE_CLUSTER, weight: 1 }];
}

/** A port without routes is bound all the same, and closes what comes. */
export function passthroughChains(name: string, names: readonly Passthrough[], statPrefix: string): FilterChainInput[] {
  if (names.length === 0) return [{ name: `${name}/none`, filters: [tcpFilter(UNAVAILABLE_CLUSTER, statPrefix)] }];
  return names.map(({ serverName, targets }) => ({
    name: `${name}/${serverName}`,
    filterChainMatch: { serverNames: [serverName], transportProtocol: 'tls' },
    filters: [weightedTcpFilter(targets, statPrefix)],
  }));
}
