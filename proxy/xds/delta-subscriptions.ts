import type { DeltaDiscoveryRequestInput, DeltaDiscoveryResponse } from '../../xds/messages.js';
import { RESOURCE_KINDS, type ResourceKind, TYPE_URL } from './resource-kind.ts';

interface Channel {
  names: readonly string[];
  /** Of every resource that was accepted, by name; outlives the stream, and tells the next server what not to send. */
  readonly versions: Map<string, string>;
  open: Open | undefined;
  refused: Open | undefined;
}

interface Open {
  readonly nonce: string;
  readonly versions: ReadonlyMap<string, string>;
}

/**
 * The client's half of the incremental protocol (xds_protocol.rst, "Incremental xDS"). As `subscriptions.ts`, it makes requests and
 * sends nothing.
 */
export class DeltaSubscriptions {
  readonly #node: NonNullable<DeltaDiscoveryRequestInput['node']>;
  readonly #channels: Readonly<Record<ResourceKind, Channel>> = {
    cluster: newChannel(),
    endpoints: newChannel(),
    listener: newChannel(),
    route: newChannel(),
  };
  #nodeSent = false;

  constructor(node: NonNullable<DeltaDiscoveryRequestInput['node']>) {
    this.#node = node;
  }

  /** A new stream: what is held is told, so that only what differs comes. All clusters and listeners are asked for. */
  begin(): readonly DeltaDiscoveryRequestInput[] {
    this.#nodeSent = false;
    for (const channel of Object.values(this.#channels)) {
      channel.open = undefined;
      channel.refused = undefined;
    }
    const asked = RESOURCE_KINDS.filter(
      (kind) => kind === 'cluster' || kind === 'listener' || this.#channels[kind].names.length > 0,
    );
    return asked.map((kind) => {
      const { names, versions } = this.#channels[kind];
      const initialResourceVersions = Object.fromEntries(versions);
      return this.#request(kind, { resourceNamesSubscribe: names, initialResourceVersions });
    });
  }

  /** Resources of which the version is not known: none that a server gives is empty. */
  held(kind: ResourceKind, names: readonly string[]): void {
    for (const name of names) this.#channels[kind].versions.set(name, '');
  }

  received(kind: ResourceKind, { nonce, resources, removedResources }: DeltaDiscoveryResponse): void {
    const channel = this.#channels[kind];
    for (const name of removedResources) channel.versions.delete(name);
    channel.open = { nonce, versions: new Map(resources.map(({ name, version }) => [name, version])) };
  }

  isOpen(kind: ResourceKind): boolean {
    return this.#channels[kind].open !== undefined;
  }

  wasRefused(kind: ResourceKind): boolean {
    return this.#channels[kind].refused !== undefined;
  }

  /** A request when the names differ from those asked for. It answers nothing and carries no nonce. */
  want(kind: 'endpoints' | 'route', names: ReadonlySet<string>): DeltaDiscoveryRequestInput | undefined {
    const channel = this.#channels[kind];
    const before = new Set(channel.names);
    const resourceNamesSubscribe = [...names].filter((name) => !before.has(name));
    const resourceNamesUnsubscribe = channel.names.filter((name) => !names.has(name));
    if (resourceNamesSubscribe.length === 0 && resourceNamesUnsubscribe.length === 0) return undefined;
    channel.names = [...names];
    for (const name of resourceNamesUnsubscribe) channel.versions.delete(name);
    return this.#request(kind, { resourceNamesSubscribe, resourceNamesUnsubscribe });
  }

  /** Also once more after a NACK, when what was refused works after all. */
  ack(kind: ResourceKind): DeltaDiscoveryRequestInput {
    const channel = this.#channels[kind];
    const answered = channel.open ?? channel.refused;
    for (const [name, version] of answered?.versions ?? []) channel.versions.set(name, version);
    channel.open = undefined;
    channel.refused = undefined;
    return this.#request(kind, { responseNonce: answered?.nonce ?? '' });
  }

  nack(kind: ResourceKind, message: string): DeltaDiscoveryRequestInput {
    const channel = this.#channels[kind];
    channel.refused = channel.open ?? channel.refused;
    channel.open = undefined;
    const errorDetail = { code: INVALID_ARGUMENT, message };
    return this.#request(kind, { responseNonce: channel.refused?.nonce ?? '', errorDetail });
  }

  #request(kind: ResourceKind, rest: DeltaDiscoveryRequestInput): DeltaDiscoveryRequestInput {
    const node = this.#nodeSent ? {} : { node: this.#node };
    this.#nodeSent = true;
    return { ...node, typeUrl: TYPE_URL[kind], ...rest };
  }
}

// google.rpc.Code: what Envoy gives with every NACK.
const INVALID_ARGUMENT = 3;

function newChannel(): Channel {
  return { names: [], versions: new Map(), open: undefined, refused: undefined };
}
