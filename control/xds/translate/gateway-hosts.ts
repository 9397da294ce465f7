import type { GatewayListener } from '../../../api/kinds/gateway.ts';
import type { VirtualHostInput } from '../../../xds/messages.js';
import type { Attachment } from './attachment.ts';
import { ANY_HOST, byNarrowness, matchesHost } from './hostname.ts';
import { byPrecedence } from './precedence.ts';
import type { RankedRoute } from './rule.ts';

export interface AttachedRules {
  readonly attachment: Attachment;
  readonly rules: readonly RankedRoute[];
}

/**
 * Virtual hosts of listeners that share a socket. Each host belongs to the listener whose name fits it most narrowly, and a
 * listener that nothing is attached to answers 404 for its hosts. Within a host, routes for a narrower name come before
 * those for a wider one (HTTPRouteSpec.hostnames).
 */
export function gatewayHosts(
  listeners: readonly GatewayListener[],
  attached: readonly AttachedRules[],
  port: number,
): readonly VirtualHostInput[] {
  const owned = attached.flatMap(({ attachment, rules }) =>
    attachment.hosts
      .filter((host) => ownerOf(host, listeners) === attachment.listener)
      .map((host) => ({ host, listener: attachment.listener, rules })),
  );
  const hosts = new Set([...owned.map(({ host }) => host), ...listeners.map(({ hostname }) => hostname ?? ANY_HOST)]);
  return [...hosts].sort().map((host) => {
    const listener = ownerOf(host, listeners);
    const fitting = owned
      .filter((one) => one.listener === listener && matchesHost(one.host, host))
      .sort((left, right) => byNarrowness(left.host, right.host));
    const groups = Map.groupBy(fitting, (one) => one.host);
    const routes = [...groups.values()].flatMap((group) => byPrecedence(group.flatMap(({ rules }) => rules)));
    return { name: host, domains: domainsOf(host, port), routes: uniqueNames(routes) };
  });
}

/** Clients send the port along unless it is the scheme's own; Envoy compares the whole authority. */
function domainsOf(host: string, port: number): readonly string[] {
  return host === ANY_HOST ? [host] : [host, `${host}:${port}`];
}

function ownerOf(host: string, listeners: readonly GatewayListener[]): GatewayListener | undefined {
  const fitting = listeners.filter(({ hostname }) => matchesHost(hostname ?? ANY_HOST, host));
  return fitting.sort((left, right) => byNarrowness(left.hostname ?? ANY_HOST, right.hostname ?? ANY_HOST))[0];
}

/** A route that names two hosts of which one holds the other comes twice; the first is enough. */
function uniqueNames(routes: readonly RankedRoute[]): readonly RankedRoute['message'][] {
  const first = new Map<string | undefined, RankedRoute['message']>();
  for (const { message } of routes) if (!first.has(message.name)) first.set(message.name, message);
  return [...first.values()];
}
