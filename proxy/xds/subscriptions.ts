import type { DiscoveryRequestInput } from '../../xds/messages.js';
import { type ResourceKind, TYPE_URL } from './resource-kind.ts';

interface Channel {
  names: readonly string[];
  /** Of the last response that was accepted whole; outlives the stream. */
  version: string;
  /** Of the last response that was answered. */
  answered: string;
  /** The response that waits for our answer. */
  open: { readonly nonce: string; readonly version: string } | undefined;
  /** The version that the last answer refused. */
  refused: string | undefined;
}

/**
 * The client's half of the state-of-the-world protocol (xds_protocol.rst): what to ask for, and how to answer. Each type is
 * its own stream. Makes requests; sends nothing.
 */
export class Subscriptions {
  readonly #node: NonNullable<DiscoveryRequestInput['node']>;
  readonly #channels: Readonly<Record<ResourceKind, Channel>> = {
    cluster: newChannel(),
    endpoints: newChannel(),
    listener: newChannel(),
    route: newChannel(),
  };
  #nodeSent = false;

  constructor(node: NonNullable<DiscoveryRequestInput['node']>) {
    this.#node = node;
  }

  /** A new stream: nonces of the old one mean nothing, versions do. Clusters and listeners are asked for whole. */
  begin(): readonly DiscoveryRequestInput[] {
    this.#nodeSent = false;
    for (const channel of Object.values(this.#channels)) {
      channel.answered = '';
      channel.open = undefined;
      channel.refused = undefined;
    }
    const named = (['endpoints', 'route'] as const).filter((kind) => this.#channels[kind].names.length > 0);
    return (['cluster', 'listener', ...named] as const).map((kind) => this.#request(kind));
  }

  received(kind: ResourceKind, version: string, nonce: string): void {
    this.#channels[kind].open = { version, nonce };
  }

  isOpen(kind: ResourceKind): boolean {
    return this.#channels[kind].open !== undefined;
  }

  wasRefused(kind: ResourceKind): boolean {
    return this.#channels[kind].refused !== undefined;
  }

  /** A request when the names differ from those asked for. It answers nothing: its nonce is that of the last answer. */
  want(kind: 'endpoints' | 'route', names: ReadonlySet<string>): DiscoveryRequestInput | undefined {
    const channel = this.#channels[kind];
    const sorted = [...names].sort();
    if (sorted.length === channel.names.length && sorted.every((name, at) => name === channel.names[at]))
      return undefined;
    channel.names = sorted;
    return this.#request(kind);
  }

  /** Also once more after a NACK, when what was refused works after all. */
  ack(kind: ResourceKind): DiscoveryRequestInput {
    const channel = this.#channels[kind];
    channel.version = channel.open?.version ?? channel.refused ?? channel.version;
    channel.refused = undefined;
    this.#close(channel);
    return this.#request(kind);
  }

  /** The version stays the last that was accepted. */
  nack(kind: ResourceKind, message: string): DiscoveryRequestInput {
    const channel = this.#channels[kind];
    channel.refused = channel.open?.version ?? channel.refused ?? channel.version;
    this.#close(channel);
    return { ...this.#request(kind), errorDetail: { code: INVALID_ARGUMENT, message } };
  }

  #close(channel: Channel): void {
    if (channel.open !== undefined) channel.answered = channel.open.nonce;
    channel.open = undefined;
  }

  #request(kind: ResourceKind): DiscoveryRequestInput {
    const { names, version, answered } = this.#channels[kind];
    const node = this.#nodeSent ? {} : { node: this.#node };
    this.#nodeSent = true;
    return { ...node, typeUrl: TYPE_URL[kind], resourceNames: names, versionInfo: version, responseNonce: answered };
  }
}

// google.rpc.Code: what Envoy gives with every NACK.
const INVALID_ARGUMENT = 3;

function newChannel(): Channel {
  return { names: [], version: '', answered: '', open: undefined, refused: undefined };
}
