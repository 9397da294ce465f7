import { isIP } from 'node:net';
import type { Gateway, GatewayListener } from '../../../api/kinds/gateway.ts';
import type { World } from './world.ts';

/** A listener of a Gateway that can be bound, or why it cannot: conditions and reasons of the Gateway API's ListenerStatus. */
export type ListenerState =
  | { readonly ok: true; readonly listener: GatewayListener; readonly certificate: Certificate | undefined }
  | { readonly ok: false; readonly listener: GatewayListener; readonly problem: ListenerProblem };

export interface Certificate {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

interface ListenerProblem {
  readonly condition: 'Accepted' | 'Conflicted' | 'ResolvedRefs';
  readonly reason:
    | 'UnsupportedProtocol'
    | 'PortUnavailable'
    | 'ProtocolConflict'
    | 'InvalidCertificateRef'
    | 'RefNotPermitted'
    | 'InvalidRouteKinds';
  readonly message: string;
}

export interface GatewayState {
  readonly gateway: Gateway;
  /** The address that it asks for; undefined leaves it to the ingress. */
  readonly address: string | undefined;
  readonly listeners: readonly ListenerState[];
}

/** Gateways oldest first: of two that want one port, the older has it. */
export function gatewayStates(world: World): readonly GatewayState[] {
  const owners = new Map<string, Gateway>();
  return world.gateways.map((gateway) => {
    const address = gateway.spec.addresses?.find(
      ({ type, value }) => type === 'IPAddress' && isIP(value ?? '') !== 0,
    )?.value;
    const listeners = gateway.spec.listeners.map((listener): ListenerState => {
      const result = check(gateway, listener, address, owners, world);
      return 'problem' in result ? { ok: false, listener, ...result } : { ok: true, listener, ...result };
    });
    for (const state of listeners) {
      if (state.ok) owners.set(`${address ?? ''}:${state.listener.port}`, gateway);
    }
    return { gateway, address, listeners };
  });
}

type Checked = { readonly problem: ListenerProblem } | { readonly certificate: Certificate | undefined };

function check(
  gateway: Gateway,
  listener: GatewayListener,
  address: string | undefined,
  owners: ReadonlyMap<string, Gateway>,
  world: World,
): Checked {
  const { port, protocol } = listener;
  const quoted = `listener "${listener.name}"`;
  const problem = (
    condition: ListenerProblem['condition'],
    reason: ListenerProblem['reason'],
    why: string,
  ): Checked => ({
    problem: { condition, reason, message: `${quoted}: ${why}` },
  });
  const kind = routeKindOf(listener);
  if (kind === undefined) {
    return problem('Accepted', 'UnsupportedProtocol', `protocol is ${protocol}, wanted HTTP, HTTPS, TLS or TCP`);
  }
  const sharing = gateway.spec.listeners.filter((other) => other.port === port);
  if (sharing.some((other) => other.protocol !== protocol)) {
    return problem('Conflicted', 'ProtocolConflict', `port ${port} is also that of a listener of another protocol`);
  }
  // To end TLS for one name and pass it on for another, on one port, would take two ways of looking at a connection.
  if (sharing.some((other) => routeKindOf(other) !== kind)) {
    return problem('Conflicted', 'ProtocolConflict', `port ${port} is also that of a listener of another TLS mode`);
  }
  const owner = owners.get(`${address ?? ''}:${port}`);
  if (owner !== undefined && owner !== gateway) {
    const { namespace = '', name } = owner.metadata;
    return problem('Accepted', 'PortUnavailable', `port ${port} belongs to the older gateway "${namespace}/${name}"`);
  }
  const foreign = listener.allowedRoutes.kinds?.find((allowed) => allowed.kind !== kind);
  if (foreign !== undefined) {
    return problem('ResolvedRefs', 'InvalidRouteKinds', `routes of kind ${foreign.kind}, wanted ${kind}`);
  }
  return protocol === 'HTTPS' || (protocol === 'TLS' && kind === 'TCPRoute')
    ? certificateOf(gateway, listener, world)
    : { certificate: undefined };
}

/** Of what kind a listener's routes are; undefined where none can be. */
export function routeKindOf({ protocol, tls }: Pick<GatewayListener, 'protocol' | 'tls'>): RouteKindName | undefined {
  if (protocol === 'HTTP' || protocol === 'HTTPS') return 'HTTPRoute';
  if (protocol === 'TCP') return 'TCPRoute';
  if (protocol !== 'TLS') return undefined;
  return tls?.mode === 'Passthrough' ? 'TLSRoute' : 'TCPRoute';
}

export type RouteKindName = 'HTTPRoute' | 'TLSRoute' | 'TCPRoute';

/** A listener's protocol as people say it. */
export function protocolOf({ protocol, tls }: GatewayListener): string {
  return protocol === 'TLS' ? `TLS with mode ${tls?.mode ?? 'Terminate'}` : protocol;
}

function certificateOf(gateway: Gateway, listener: GatewayListener, world: World): Checked {
  const own = gateway.metadata.namespace ?? '';
  const ref = listener.tls?.certificateRefs?.[0];
  const refused = (reason: 'InvalidCertificateRef' | 'RefNotPermitted', why: string): Checked => ({
    problem: { condition: 'ResolvedRefs', reason, message: `listener "${listener.name}": ${why}` },
  });
  if (ref === undefined || ref.group !== '' || ref.kind !== 'Secret') {
    return refused('InvalidCertificateRef', 'names no Secret with a certificate');
  }
  if ((ref.namespace ?? own) !== own) {
    return refused('RefNotPermitted', `secret "${ref.namespace ?? ''}/${ref.name}" is not in the Gateway's namespace`);
  }
  const data = world.tlsSecrets.get(`${own}/${ref.name}`)?.data;
  const certificate = data?.['tls.crt'];
  const key = data?.['tls.key'];
  if (certificate === undefined || key === undefined) {
    return refused('InvalidCertificateRef', `secret "${own}/${ref.name}": there is none of type kubernetes.io/tls`);
  }
  return { certificate: { certificatePem: decodeBase64(certificate), privateKeyPem: decodeBase64(key) } };
}

function decodeBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}
