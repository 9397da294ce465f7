import type { Gateway, GatewayListener } from '../../../api/kinds/gateway.ts';
import type { ParentReference } from '../../../api/kinds/gateway-shapes.ts';
import type { HttpRoute } from '../../../api/kinds/http-route.ts';
import { matchesSelector } from '../../../api/meta/label-selector.ts';
import { ANY_HOST, intersectHosts } from './hostname.ts';
import { unsupportedRoute } from './unsupported-rules.ts';
import { keyOf, type World } from './world.ts';

/** A route on a listener, with the hosts that both are for. */
export interface Attachment {
  readonly gateway: Gateway;
  readonly listener: GatewayListener;
  readonly route: HttpRoute;
  readonly hosts: readonly string[];
}

/** What became of one parentRef to a Gateway: reasons of the Gateway API's Accepted condition. */
export type AttachResult =
  | { readonly ok: true; readonly attachments: readonly Attachment[] }
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

/** Undefined when the Gateway is not one of ours: then its own controller speaks. */
export function attachToGateway(route: HttpRoute, ref: ParentReference, world: World): AttachResult | undefined {
  const key = `${ref.namespace ?? route.metadata.namespace ?? ''}/${ref.name}`;
  const gateway = world.gateways.find((one) => keyOf(one) === key);
  if (gateway === undefined) return undefined;
  const unsupported = unsupportedRoute(route);
  if (unsupported !== undefined) return { ok: false, reason: 'UnsupportedValue', message: unsupported };
  const named = gateway.spec.listeners.filter(
    ({ name, port, protocol }) =>
      (ref.sectionName === undefined || ref.sectionName === name) &&
      (ref.port === undefined || ref.port === port) &&
      (protocol === 'HTTP' || protocol === 'HTTPS'),
  );
  if (named.length === 0) {
    const wanted =
      [ref.sectionName, ref.port].filter((part) => part !== undefined).join(' and port ') || 'HTTP or HTTPS';
    return { ok: false, reason: 'NoMatchingParent', message: `gateway "${key}": has no listener for ${wanted}` };
  }
  const allowing = named.filter((listener) => allows(listener, gateway, route, world));
  if (allowing.length === 0) {
    const message = `gateway "${key}": no listener allows routes of namespace "${route.metadata.namespace ?? ''}"`;
    return { ok: false, reason: 'NotAllowedByListeners', message };
  }
  const attachments = allowing
    .map((listener) => ({ gateway, listener, route, hosts: commonHosts(listener, route) }))
    .filter(({ hosts }) => hosts.length > 0);
  if (attachments.length > 0) return { ok: true, attachments };
  const message = `hostnames ${(route.spec.hostnames ?? []).join(', ')}: no listener of gateway "${key}" is for them`;
  return { ok: false, reason: 'NoMatchingListenerHostname', message };
}

function allows({ allowedRoutes }: GatewayListener, gateway: Gateway, route: HttpRoute, world: World): boolean {
  const { kinds, namespaces } = allowedRoutes;
  if (kinds !== undefined && !kinds.some(({ kind }) => kind === 'HTTPRoute')) return false;
  const namespace = route.metadata.namespace ?? '';
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

function commonHosts(listener: GatewayListener, route: HttpRoute): readonly string[] {
  const hosts = (route.spec.hostnames ?? [ANY_HOST]).flatMap(
    (host) => intersectHosts(listener.hostname ?? ANY_HOST, host) ?? [],
  );
  return [...new Set(hosts)];
}
