import type { Gateway, GatewayListener } from '../../../api/kinds/gateway.ts';
import type { ParentReference } from '../../../api/kinds/gateway-shapes.ts';
import type { HttpRoute } from '../../../api/kinds/http-route.ts';
import type { TcpRoute } from '../../../api/kinds/tcp-route.ts';
import type { TlsRoute } from '../../../api/kinds/tls-route.ts';
import { matchesSelector } from '../../../api/meta/label-selector.ts';
import { protocolOf, type RouteKindName, routeKindOf } from './gateway-listeners.ts';
import { ANY_HOST, intersectHosts } from './hostname.ts';
import { unsupportedRoute } from './unsupported-rules.ts';
import { keyOf, type World } from './world.ts';

/** A route on a listener, with the hosts that both are for. */
export interface Attachment<Route = HttpRoute> {
  readonly gateway: Gateway;
  readonly listener: GatewayListener;
  readonly route: Route;
  readonly hosts: readonly string[];
}

/** What became of one parentRef to a Gateway: reasons of the Gateway API's Accepted condition. */
export type AttachResult<Route = HttpRoute> =
  | { readonly ok: true; readonly attachments: readonly Attachment<Route>[] }
  | {
      readonly ok: false;
      readonly reason: 'NoMatchingParent' | 'NotAllowedByListeners' | 'NoMatchingListenerHostname' | 'UnsupportedValue';
      readonly message: string;
    };

export function isGatewayRef({ group, kind }: ParentReference): boolean {
  return group === 'gateway.networking.k8s.io' && kind === 'Gateway';
}

export function isServiceRef({ group, kind }: ParentReference): boolean {
  return group === '' && kind === 'Service';
}

/** The listeners that a kind of route may attach to, in words. */
const WANTED: Readonly<Record<RouteKindName, string>> = {
  HTTPRoute: 'HTTP or HTTPS',
  TLSRoute: 'TLS with mode Passthrough',
  TCPRoute: 'TCP, or TLS with mode Terminate',
};

/** Undefined when the Gateway is not one of ours: then its own controller speaks. */
export function attachToGateway(route: HttpRoute, ref: ParentReference, world: World): AttachResult | undefined {
  const gateway = gatewayOf(route, ref, world);
  if (gateway === undefined) return undefined;
  const unsupported = unsupportedRoute(route);
  if (unsupported !== undefined) return { ok: false, reason: 'UnsupportedValue', message: unsupported };
  return attach(route, ref, gateway, 'HTTPRoute', world);
}

/** A route whose connections are carried as bytes. */
export type ByteRoute = TlsRoute | TcpRoute;

/** The same for one of those. */
export function attachByteRoute(
  route: ByteRoute,
  ref: ParentReference,
  world: World,
): AttachResult<ByteRoute> | undefined {
  const gateway = gatewayOf(route, ref, world);
  return gateway && attach(route, ref, gateway, route.kind, world);
}

function gatewayOf(route: AnyRoute, ref: ParentReference, world: World): Gateway | undefined {
  const key = `${ref.namespace ?? route.metadata.namespace ?? ''}/${ref.name}`;
  return world.gateways.find((one) => keyOf(one) === key);
}

function attach<Route extends AnyRoute>(
  route: Route,
  ref: ParentReference,
  gateway: Gateway,
  kind: RouteKindName,
  world: World,
): AttachResult<Route> {
  const key = keyOf(gateway);
  const meant = gateway.spec.listeners.filter(
    ({ name, port }) =>
      (ref.sectionName === undefined || ref.sectionName === name) && (ref.port === undefined || ref.port === port),
  );
  const named = meant.filter((listener) => routeKindOf(listener) === kind);
  const wanted = WANTED[kind];
  if (named.length === 0) {
    const which = [ref.sectionName, ref.port].filter((part) => part !== undefined).join(' and port ');
    const [first] = meant;
    // TLSRouteSpec.hostnames: "in case a Listener of the wrong type is used".
    if (kind !== 'HTTPRoute' && first !== undefined) {
      const message = `gateway "${key}": listener "${first.name}" is of protocol ${protocolOf(first)}, wanted ${wanted}`;
      return { ok: false, reason: 'UnsupportedValue', message };
    }
    const message = `gateway "${key}": has no listener for ${which || wanted}`;
    return { ok: false, reason: 'NoMatchingParent', message };
  }
  const allowing = named.filter((listener) => allows(listener, gateway, kind, route.metadata.namespace ?? '', world));
  if (allowing.length === 0) {
    const message = `gateway "${key}": no listener allows routes of namespace "${route.metadata.namespace ?? ''}"`;
    return { ok: false, reason: 'NotAllowedByListeners', message };
  }
  const attachments = allowing
    .map((listener) => ({ gateway, listener, route, hosts: commonHosts(listener, route) }))
    .filter(({ hosts }) => hosts.length > 0);
  if (attachments.length > 0) return { ok: true, attachments };
  const message = `hostnames ${hostnamesOf(route).join(', ')}: no listener of gateway "${key}" is for them`;
  return { ok: false, reason: 'NoMatchingListenerHostname', message };
}

type AnyRoute = HttpRoute | ByteRoute;

function allows(
  { allowedRoutes }: GatewayListener,
  gateway: Gateway,
  wanted: RouteKindName,
  namespace: string,
  world: World,
): boolean {
  const { kinds, namespaces } = allowedRoutes;
  if (kinds !== undefined && !kinds.some(({ kind }) => kind === wanted)) return false;
  switch (namespaces.from) {
    case 'All':
      return true;
    case 'Same':
      return namespace === gateway.metadata.namespace;
    case 'Selector':
      return matchesSelector(namespaces.selector, world.namespaces.get(namespace)?.metadata.labels);
    default:
      return namespaces.from satisfies never;
  }
}

function commonHosts(listener: GatewayListener, route: AnyRoute): readonly string[] {
  const hosts = hostnamesOf(route).flatMap((host) => intersectHosts(listener.hostname ?? ANY_HOST, host) ?? []);
  return [...new Set(hosts)];
}

function hostnamesOf({ spec }: AnyRoute): readonly string[] {
  return ('hostnames' in spec ? spec.hostnames : undefined) ?? [ANY_HOST];
}
