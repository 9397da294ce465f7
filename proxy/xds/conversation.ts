import type {
  DeltaDiscoveryResponse,
  DiscoveryRequestInput,
  DiscoveryResponse,
  NodeInput,
} from '../../xds/messages.js';
import { AggregatedDiscoveryService } from '../../xds/services.js';
import type { Call } from '../channel/call.ts';
import type { Channel } from '../channel/channel.ts';
import { DeltaSubscriptions } from './delta-subscriptions.ts';
import { kindOfTypeUrl, type ResourceKind } from './resource-kind.ts';
import { Subscriptions } from './subscriptions.ts';

/** The variant of ADS that a proxy speaks: state-of-the-world, or incremental. */
export type Variant = 'sotw' | 'delta';

/** What a response brings, in either variant. */
export interface Delivery {
  readonly kind: ResourceKind;
  readonly resources: readonly Uint8Array[];
  readonly removed: readonly string[];
  /** `whole`: what is not among the resources is gone. */
  readonly extent: 'whole' | 'part';
}

/** One stream, its messages in the words that both variants share. */
export interface Conversation {
  /** Undefined is a type that is not known here. `received` is to be called before it is answered. */
  onDelivery(listener: (delivery: Delivery | undefined, received: () => void) => void): void;
  onEnd(listener: (error: Error | undefined) => void): void;
  want(kind: 'endpoints' | 'route', names: ReadonlySet<string>): void;
  ack(kind: ResourceKind): void;
  nack(kind: ResourceKind, message: string): void;
  pause(): void;
  resume(): void;
  cancel(): void;
}

/** Opens a stream and asks for what was asked for on the last; remembers across streams what the protocol wants remembered. */
export interface Dialect {
  open(channel: Channel): Conversation;
  isOpen(kind: ResourceKind): boolean;
  wasRefused(kind: ResourceKind): boolean;
  /** Without a stream: the next one begins with these. */
  remember(kind: 'endpoints' | 'route', names: ReadonlySet<string>): void;
  /** Resources are held that no stream has brought: the next one is told, so that it hears what of them is gone. */
  held(kind: ResourceKind, names: readonly string[]): void;
}

export function dialectOf(variant: Variant, node: NodeInput): Dialect {
  return variant === 'sotw' ? stateOfTheWorld(node) : incremental(node);
}

function stateOfTheWorld(node: NonNullable<DiscoveryRequestInput['node']>): Dialect {
  const subscriptions = new Subscriptions(node);
  return {
    open: (channel) => {
      const stream = channel.open(AggregatedDiscoveryService.streamAggregatedResources);
      for (const request of subscriptions.begin()) stream.write(request);
      return {
        ...ends(stream),
        ...answers(subscriptions, (request) => stream.write(request)),
        onDelivery: (listener) =>
          stream.onMessage(({ typeUrl, versionInfo, nonce, resources }: DiscoveryResponse) => {
            const kind = kindOfTypeUrl(typeUrl);
            if (kind === undefined) return listener(undefined, () => {});
            const extent = kind === 'cluster' || kind === 'listener' ? 'whole' : 'part';
            const bytes = resources.map(({ value }) => value);
            listener({ kind, resources: bytes, removed: [], extent }, () =>
              subscriptions.received(kind, versionInfo, nonce),
            );
          }),
      };
    },
    ...memory(subscriptions),
    // Its first response holds all that there is.
    held: () => {},
  };
}

function incremental(node: NonNullable<DiscoveryRequestInput['node']>): Dialect {
  const subscriptions = new DeltaSubscriptions(node);
  return {
    open: (channel) => {
      const stream = channel.open(AggregatedDiscoveryService.deltaAggregatedResources);
      for (const request of subscriptions.begin()) stream.write(request);
      return {
        ...ends(stream),
        ...answers(subscriptions, (request) => stream.write(request)),
        onDelivery: (listener) =>
          stream.onMessage((response: DeltaDiscoveryResponse) => {
            const kind = kindOfTypeUrl(response.typeUrl);
            if (kind === undefined) return listener(undefined, () => {});
            // Without a body it is a heartbeat, which says nothing new.
            const bytes = response.resources.flatMap(({ resource }) => resource?.value ?? []);
            listener({ kind, resources: bytes, removed: response.removedResources, extent: 'part' }, () =>
              subscriptions.received(kind, response),
            );
          }),
      };
    },
    ...memory(subscriptions),
    held: (kind, names) => subscriptions.held(kind, names),
  };
}

function ends(
  stream: Pick<Call<never, unknown>, 'onEnd' | 'pause' | 'resume' | 'cancel'>,
): Pick<Conversation, 'onEnd' | 'pause' | 'resume' | 'cancel'> {
  return {
    onEnd: (listener) => stream.onEnd(listener),
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    cancel: () => stream.cancel(),
  };
}

interface AnySubscriptions<Request> {
  want(kind: 'endpoints' | 'route', names: ReadonlySet<string>): Request | undefined;
  ack(kind: ResourceKind): Request;
  nack(kind: ResourceKind, message: string): Request;
  isOpen(kind: ResourceKind): boolean;
  wasRefused(kind: ResourceKind): boolean;
}

function answers<Request>(
  subscriptions: AnySubscriptions<Request>,
  send: (request: Request) => void,
): Pick<Conversation, 'want' | 'ack' | 'nack'> {
  return {
    want: (kind, names) => {
      const request = subscriptions.want(kind, names);
      if (request !== undefined) send(request);
    },
    ack: (kind) => send(subscriptions.ack(kind)),
    nack: (kind, message) => send(subscriptions.nack(kind, message)),
  };
}

function memory<Request>(
  subscriptions: AnySubscriptions<Request>,
): Pick<Dialect, 'isOpen' | 'wasRefused' | 'remember'> {
  return {
    isOpen: (kind) => subscriptions.isOpen(kind),
    wasRefused: (kind) => subscriptions.wasRefused(kind),
    remember: (kind, names) => void subscriptions.want(kind, names),
  };
}
