import type { Gateway } from '../../../api/kinds/gateway.ts';
import type { Condition } from '../../../api/meta/condition.ts';
import { type Census, type Convergence, convergenceOf } from '../convergence.ts';
import type { ProxyView } from '../proxy-view.ts';
import type { Attachment } from '../translate/attachment.ts';
import { type GatewayState, type ListenerState, routeKindOf } from '../translate/gateway-listeners.ts';
import type { IngressView } from '../translate/ingress.ts';
import { carriedObject, ingressListener } from '../translate/names.ts';
import type { World } from '../translate/world.ts';
import { convergedCondition, type StatusMoment } from './converged.ts';
import { withConditions } from './route-status.ts';

type Draft = Omit<Condition, 'lastTransitionTime'>;
type Status = NonNullable<Gateway['status']>;

/** A Gateway's status by the Gateway API: which of its listeners are bound, by how many ingresses, and where. */
export function gatewayStatus(
  state: GatewayState,
  ingress: IngressView,
  world: World,
  proxies: readonly ProxyView[],
  census: Census,
  moment: StatusMoment,
): Status {
  const { gateway } = state;
  const convergence = convergenceOf(carriedObject('Gateway', gateway), 'ingress', census);
  const conditions = [accepted(state), programmed(state, convergence), convergedCondition(convergence, moment)];
  const listeners = state.listeners.map((listener) => {
    const before = gateway.status?.listeners?.find(({ name }) => name === listener.listener.name)?.conditions;
    return {
      name: listener.listener.name,
      supportedKinds: supportedKinds(listener),
      attachedRoutes: attachedRoutes([...ingress.attachments, ...ingress.byteAttachments], gateway, listener),
      conditions: withConditions(before, listenerConditions(gateway, listener, convergence), gateway, moment),
    };
  });
  return {
    ...gateway.status,
    addresses: [...addressesOf(state, world, proxies)],
    conditions: withConditions(gateway.status?.conditions, conditions, gateway, moment),
    listeners,
  };
}

function accepted({ listeners }: GatewayState): Draft {
  const wrong = listeners.filter(({ ok }) => !ok);
  if (wrong.length === 0) {
    return { type: 'Accepted', status: 'True', reason: 'Accepted', message: 'The Gateway is accepted' };
  }
  const message = messagesOf(wrong);
  // Gateway API: accepted as long as one listener is, with the reason that not all are.
  const status = wrong.length < listeners.length ? 'True' : 'False';
  return { type: 'Accepted', status, reason: 'ListenersNotValid', message };
}

function programmed({ listeners }: GatewayState, { proxies, acked, refused }: Convergence): Draft {
  const [first] = refused;
  if (first !== undefined) {
    return { type: 'Programmed', status: 'False', reason: 'Invalid', message: `${first.nodeId}: ${first.error}` };
  }
  if (listeners.every(({ ok }) => !ok)) {
    return { type: 'Programmed', status: 'False', reason: 'Invalid', message: messagesOf(listeners) };
  }
  if (proxies === 0) {
    return { type: 'Programmed', status: 'False', reason: 'Pending', message: 'No ingress proxy is connected' };
  }
  if (acked === 0) {
    return {
      type: 'Programmed',
      status: 'False',
      reason: 'Pending',
      message: `0 of ${proxies} ingress proxies have bound it`,
    };
  }
  return {
    type: 'Programmed',
    status: 'True',
    reason: 'Programmed',
    message: `Bound by ${acked} of ${proxies} ingress proxies`,
  };
}

function listenerConditions(gateway: Gateway, state: ListenerState, { refused, acked }: Convergence): readonly Draft[] {
  const problem = state.ok ? undefined : state.problem;
  const socket = ingressListener(gateway.metadata.namespace ?? '', gateway.metadata.name, state.listener.port);
  const refusal = refused.find(({ error }) => error.includes(`"${socket}"`) || !error.includes('"ingress/'));
  const broken = (condition: string): Draft | undefined =>
    problem?.condition === condition
      ? {
          type: condition,
          status: condition === 'Conflicted' ? 'True' : 'False',
          reason: problem.reason,
          message: problem.message,
        }
      : undefined;
  const bound: Draft = { type: 'Programmed', status: 'True', reason: 'Programmed', message: 'The listener is bound' };
  return [
    broken('Accepted') ?? { type: 'Accepted', status: 'True', reason: 'Accepted', message: 'The listener is accepted' },
    broken('ResolvedRefs') ?? {
      type: 'ResolvedRefs',
      status: 'True',
      reason: 'ResolvedRefs',
      message: 'All references are resolved',
    },
    broken('Conflicted') ?? {
      type: 'Conflicted',
      status: 'False',
      reason: 'NoConflicts',
      message: 'No listener conflicts with it',
    },
    programmedListener(bound, problem?.message ?? refusal?.error, acked),
  ];
}

function programmedListener(bound: Draft, problem: string | undefined, acked: number): Draft {
  if (problem !== undefined) return { ...bound, status: 'False', reason: 'Invalid', message: problem };
  return acked > 0
    ? bound
    : { ...bound, status: 'False', reason: 'Pending', message: 'No ingress proxy has bound it yet' };
}

function supportedKinds({ listener }: ListenerState): { readonly group: string; readonly kind: string }[] {
  const kind = routeKindOf(listener);
  return kind === undefined ? [] : [{ group: 'gateway.networking.k8s.io', kind }];
}

function attachedRoutes(
  attachments: readonly Attachment<unknown>[],
  gateway: Gateway,
  { listener }: ListenerState,
): number {
  const routes = attachments.filter((one) => one.gateway === gateway && one.listener === listener);
  return new Set(routes.map(({ route }) => route)).size;
}

/** Where the Gateway asked to be, or the addresses of the nodes whose ingress is connected. */
function addressesOf(
  { address }: GatewayState,
  world: World,
  proxies: readonly ProxyView[],
): Status['addresses'] & object {
  if (address !== undefined) return [{ type: 'IPAddress', value: address }];
  const nodes = proxies
    .filter(({ nodeId, disconnectedAtMs }) => nodeId.startsWith('ingress/') && disconnectedAtMs === undefined)
    .map(({ nodeId }) => world.nodes.get(nodeId.split('/')[2] ?? ''));
  const addresses = nodes.flatMap(
    (node) => node?.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? [],
  );
  return [...new Set(addresses)].sort().map((value) => ({ type: 'IPAddress', value }));
}

function messagesOf(listeners: readonly ListenerState[]): string {
  return listeners.flatMap((state) => (state.ok ? [] : [state.problem.message])).join('; ');
}
