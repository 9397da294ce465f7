import { Channel, type Outgoing, type RequestOutcome } from './channel.ts';
import { mayChange, mayRemoveClusters, ORDER_LIMIT_MS, type Progress } from './ordering.ts';
import { RESOURCE_KINDS, type Resource, type ResourceKind, type Snapshot } from './resource.ts';

/** A request of the state-of-the-world protocol, as far as it decides anything. */
export interface SubscriptionRequest {
  readonly kind: ResourceKind;
  readonly names: readonly string[];
  readonly nonce: string;
  /** The words of a NACK; undefined in an ACK. Never inferred from versions (envoy#14841). */
  readonly error: string | undefined;
}

export interface SessionResponse {
  readonly kind: ResourceKind;
  readonly version: string;
  readonly nonce: string;
  readonly resources: readonly Resource[];
}

export interface Turn {
  readonly responses: readonly SessionResponse[];
  /** When to ask again though nothing has happened. */
  readonly wakeAtMs: number | undefined;
}

/**
 * One proxy's ADS stream, as a state machine: requests and snapshots in, responses out; no I/O and no clock of its own. At
 * most one response of a type is outstanding. This one speaks state-of-the-world.
 */
export class Session {
  readonly #channels: Readonly<Record<ResourceKind, Channel>> = {
    cluster: new Channel('cluster'),
    endpoints: new Channel('endpoints'),
    listener: new Channel('listener'),
    route: new Channel('route'),
  };
  #snapshot: Snapshot | undefined = undefined;
  #nonces = 0;
  #heldSinceMs: number | undefined = undefined;

  /** What the proxy is to have from now on. */
  setSnapshot(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
  }

  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  request({ kind, names, nonce, error }: SubscriptionRequest): RequestOutcome {
    return this.#channels[kind].request(names, nonce, error);
  }

  /** Responses that go out now. To be asked after each request and each snapshot, and at `wakeAtMs`. */
  take(nowMs: number): Turn {
    const snapshot = this.#snapshot;
    if (snapshot === undefined) return { responses: [], wakeAtMs: undefined };
    const overdue = this.#heldSinceMs !== undefined && nowMs - this.#heldSinceMs >= ORDER_LIMIT_MS;
    const responses: SessionResponse[] = [];
    let held = false;
    for (const kind of RESOURCE_KINDS) {
      const allowed = overdue || mayChange(kind, this.#progress(snapshot));
      held ||= !allowed && this.#channels[kind].behind(snapshot[kind]);
      const outgoing = this.#channels[kind].outgoing(snapshot[kind], allowed ? 'with-changes' : 'owed-only');
      if (outgoing !== undefined) responses.push(this.#send(kind, outgoing));
    }
    if (mayRemoveClusters(this.#progress(snapshot))) {
      const outgoing = this.#channels.cluster.withoutSurplus(snapshot.cluster);
      if (outgoing !== undefined) responses.push(this.#send('cluster', outgoing));
    }
    this.#heldSinceMs = held ? (this.#heldSinceMs ?? nowMs) : undefined;
    return { responses, wakeAtMs: this.#heldSinceMs === undefined ? undefined : this.#heldSinceMs + ORDER_LIMIT_MS };
  }

  /** What is known of one type; the channel must only be read. */
  channel(kind: ResourceKind): Channel {
    return this.#channels[kind];
  }

  #progress(snapshot: Snapshot): Progress {
    const settled = (kind: ResourceKind): boolean => {
      const channel = this.#channels[kind];
      const pending = channel.behind(snapshot[kind]) || (kind === 'listener' && channel.surplus(snapshot[kind]));
      return !channel.awaiting && !(channel.subscribed && pending);
    };
    return {
      settled: {
        cluster: settled('cluster'),
        endpoints: settled('endpoints'),
        listener: settled('listener'),
        route: settled('route'),
      },
      endpointsWanted: this.#endpointsWanted(snapshot),
    };
  }

  /** Only a proxy that takes all clusters asks for all their endpoints; one that refused some has its reasons. */
  #endpointsWanted({ endpoints: target }: Snapshot): boolean {
    const { cluster, endpoints } = this.#channels;
    if (!cluster.wildcard || !endpoints.subscribed || cluster.error !== undefined) return true;
    return [...cluster.told.keys()].every((name) => !target.has(name) || endpoints.wants(name));
  }

  #send(kind: ResourceKind, outgoing: Outgoing): SessionResponse {
    const nonce = String(++this.#nonces);
    if (kind === 'cluster') this.#repeatEndpoints(outgoing.resources);
    this.#channels[kind].sent(outgoing, nonce);
    return { kind, nonce, ...outgoing };
  }

  #repeatEndpoints(clusters: readonly Resource[]): void {
    const { cluster, endpoints } = this.#channels;
    for (const { name, version } of clusters) {
      if (cluster.told.get(name)?.version !== version) endpoints.repeat(name);
    }
  }
}
