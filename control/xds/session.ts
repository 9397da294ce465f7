import type { Channel, Outgoing, RequestOutcome } from './channel.ts';
import { DeltaChannel, type DeltaRequest } from './delta-channel.ts';
import { mayChange, mayRemoveClusters, ORDER_LIMIT_MS, type Progress } from './ordering.ts';
import { hasMortals, RESOURCE_KINDS, type Resource, type ResourceKind, type Snapshot } from './resource.ts';
import { SotwChannel } from './sotw-channel.ts';

/** The two variants of ADS: state-of-the-world, and incremental. */
export type Variant = 'sotw' | 'delta';

/** A request of the state-of-the-world protocol, as far as it decides anything. */
export interface SotwRequest {
  readonly names: readonly string[];
  readonly nonce: string;
  /** The words of a NACK; undefined in an ACK. Never inferred from versions (envoy#14841). */
  readonly error: string | undefined;
}

export type SubscriptionRequest =
  | ({ readonly variant: 'sotw'; readonly kind: ResourceKind } & SotwRequest)
  | ({ readonly variant: 'delta'; readonly kind: ResourceKind } & DeltaRequest);

export interface SessionResponse extends Outgoing {
  readonly kind: ResourceKind;
  readonly nonce: string;
  /** Keeps what has a time to live alive, and says nothing new: names, versions, no bodies. */
  readonly heartbeat: boolean;
}

export interface Turn {
  readonly responses: readonly SessionResponse[];
  /** When to ask again though nothing has happened. */
  readonly wakeAtMs: number | undefined;
}

/** What a proxy's node says that it can do (`client_features`). */
export interface ClientFeatures {
  /** `xds.config.supports-resource-ttl`; in state-of-the-world also `xds.config.supports-resource-in-sotw`. */
  readonly timeToLive: boolean;
}

/**
 * One proxy's ADS stream, as a state machine: requests and snapshots in, responses out; no I/O and no clock of its own. At
 * most one response of a type is outstanding.
 */
export class Session {
  readonly variant: Variant;
  readonly #features: ClientFeatures;
  readonly #channels: Readonly<Record<ResourceKind, SotwChannel | DeltaChannel>>;
  #snapshot: Snapshot | undefined = undefined;
  #nonces = 0;
  /** All clusters and endpoints of these were told, and of those in `#ready` the proxy has answered too: its listeners and routes may come. */
  #told: Snapshot | undefined = undefined;
  #ready: Snapshot | undefined = undefined;
  #heldSinceMs: number | undefined = undefined;
  /** A snapshot of which all has been told and nothing waits, so that no turn brings anything. */
  #complete: Snapshot | undefined = undefined;
  /** Since the proxy was to have something that lives for a time, and can forget it: an ACK may begin heartbeats. */
  #heartbeating = false;
  /** When all endpoints with a time to live were said last, and when they are to be said again. */
  #aliveAtMs: number | undefined = undefined;
  #heartbeatAtMs: number | undefined = undefined;
  /** Clusters whose endpoints the proxy has not asked for, at a revision of what it was told and of what it wants. */
  #unwanted: { readonly told: number; readonly wanted: number; readonly names: readonly string[] } | undefined;

  constructor(variant: Variant = 'sotw', features: ClientFeatures = { timeToLive: false }) {
    this.variant = variant;
    this.#features = features;
    const make = (kind: ResourceKind) => (variant === 'sotw' ? new SotwChannel(kind) : new DeltaChannel(kind));
    this.#channels = {
      cluster: make('cluster'),
      endpoints: make('endpoints'),
      listener: make('listener'),
      route: make('route'),
    };
  }

  /** What the proxy is to have from now on. False when that is what it was to have before. */
  setSnapshot(snapshot: Snapshot): boolean {
    const before = this.#snapshot;
    if (before !== undefined && RESOURCE_KINDS.every((kind) => before[kind] === snapshot[kind])) return false;
    this.#snapshot = snapshot;
    this.#heartbeating ||= this.#features.timeToLive && hasMortals(snapshot.endpoints);
    return true;
  }

  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  /** Whether a response waits for its answer. */
  get awaiting(): boolean {
    const { cluster, endpoints, listener, route } = this.#channels;
    return cluster.awaiting || endpoints.awaiting || listener.awaiting || route.awaiting;
  }

  /** Whether all has been told, so that ACKs bring nothing: only a new snapshot does, or a request that is no ACK. */
  get rests(): boolean {
    return this.#complete !== undefined && this.#complete === this.#snapshot;
  }

  /** A request of the other variant is a bug of the caller: a stream speaks one. */
  request(request: SubscriptionRequest): RequestOutcome {
    const channel = this.#channels[request.kind];
    const { wantedRevision } = channel;
    const outcome = this.#answer(request, channel);
    // An ACK may ask for other names too.
    if (outcome !== 'ack' || channel.wantedRevision !== wantedRevision) this.#complete = undefined;
    return outcome;
  }

  #answer(request: SubscriptionRequest, channel: Channel): RequestOutcome {
    if (request.variant === 'sotw' && channel instanceof SotwChannel) {
      return channel.request(request.names, request.nonce, request.error);
    }
    if (request.variant === 'delta' && channel instanceof DeltaChannel) return channel.request(request);
    throw new Error(`a ${request.variant} request on a ${this.variant} stream`);
  }

  /** Responses that go out now. To be asked after each request and each snapshot, and at `wakeAtMs`. */
  take(nowMs: number): Turn {
    const newest = this.#snapshot;
    if (newest === undefined || newest === this.#complete) return NOTHING_TO_SAY;
    const overdue = this.#heldSinceMs !== undefined && nowMs - this.#heldSinceMs >= ORDER_LIMIT_MS;
    const advanced = this.#advance(newest, overdue);
    const responses: SessionResponse[] = [];
    let held = false;
    for (const kind of RESOURCE_KINDS) {
      const channel = this.#channels[kind];
      const source: Snapshot = kind === 'listener' || kind === 'route' ? (this.#ready ?? this.#told ?? newest) : newest;
      const target = source[kind];
      const isNews = channel.behind(target) || channel.owes || channel.surplus(target);
      if (!isNews && target === newest[kind]) continue;
      const allowed = overdue || mayChange(kind, this.#progress(source));
      if (channel.owesBeyond(target, newest[kind])) held = true;
      else if (isNews) {
        const outgoing = channel.outgoing(target, allowed ? 'with-changes' : 'owed-only');
        if (outgoing !== undefined) responses.push(this.#send(channel, outgoing));
      }
      held ||= channel.behind(newest[kind]) && !(allowed && source === newest);
    }
    this.#noteTold(newest);
    responses.push(...this.#removals(newest), ...this.#heartbeats(nowMs));
    this.#heldSinceMs = held ? ((advanced ? undefined : this.#heldSinceMs) ?? nowMs) : undefined;
    this.#complete = !held && this.#isTold(newest) ? newest : undefined;
    const orderMs = this.#heldSinceMs === undefined ? undefined : this.#heldSinceMs + ORDER_LIMIT_MS;
    // Its ACK wakes what an open response holds back.
    const heartbeatMs = this.#channels.endpoints.awaiting ? undefined : this.#heartbeatAtMs;
    return { responses, wakeAtMs: earliest(orderMs, heartbeatMs) };
  }

  /**
   * Listeners and routes come of the newest snapshot whose clusters and endpoints the proxy has answered, not of the newest there is: where
   * endpoints change all the time, there is always something newer that is not answered yet.
   */
  #advance(newest: Snapshot, overdue: boolean): boolean {
    const { cluster, endpoints } = this.#channels;
    const before = this.#ready;
    if (overdue) {
      // Nothing of what was before it comes any more: a route would go back to what it was.
      this.#told = newest;
      this.#ready = newest;
    } else if (!cluster.awaiting && !endpoints.awaiting) {
      this.#noteTold(newest);
      this.#ready = this.#told;
    }
    return this.#ready !== before;
  }

  /** Whether nothing can come before the proxy asks for something or is to have something else: ACKs alone are missing. */
  #isTold(newest: Snapshot): boolean {
    if (this.#told !== newest || this.#heartbeating) return false;
    return RESOURCE_KINDS.every((kind) => {
      const channel = this.#channels[kind];
      return !(channel.behind(newest[kind]) || channel.owes || channel.surplus(newest[kind]));
    });
  }

  #noteTold(newest: Snapshot): void {
    const { cluster, endpoints } = this.#channels;
    if (cluster.behind(newest.cluster) || endpoints.behind(newest.endpoints)) return;
    if (this.#endpointsWanted(newest)) this.#told = newest;
  }

  /** What is known of one type; the channel must only be read. */
  channel(kind: ResourceKind): Channel {
    return this.#channels[kind];
  }

  /** Clusters go after nothing points to them, and their endpoints after them. */
  #removals(snapshot: Snapshot): readonly SessionResponse[] {
    const { cluster, endpoints } = this.#channels;
    const pending = cluster.surplus(snapshot.cluster) || endpoints.surplus(snapshot.endpoints);
    if (!pending || !mayRemoveClusters(this.#progress(snapshot))) return [];
    // All is as in this one: of one before it nothing may come any more, for it may point to what goes now.
    this.#told = snapshot;
    this.#ready = snapshot;
    const outgoing = cluster.withoutSurplus(snapshot.cluster);
    if (outgoing !== undefined) return [this.#send(cluster, outgoing)];
    const orphans = endpoints.withoutSurplus(snapshot.endpoints);
    return orphans === undefined ? [] : [this.#send(endpoints, orphans)];
  }

  /** Only endpoints live for a time (`tutti.dev/endpoint-ttl`); twice in it the proxy hears that they still hold. */
  #heartbeats(nowMs: number): readonly SessionResponse[] {
    if (!this.#heartbeating) return NOTHING_TO_SAY.responses;
    const { endpoints } = this.#channels;
    const mortal = this.#mortal();
    const soonestMs = Math.min(...mortal.map(({ ttlMs = Infinity }) => ttlMs / 2));
    this.#aliveAtMs = Number.isFinite(soonestMs) ? (this.#aliveAtMs ?? nowMs) : undefined;
    this.#heartbeatAtMs = this.#aliveAtMs === undefined ? undefined : this.#aliveAtMs + soonestMs;
    if (this.#heartbeatAtMs === undefined || nowMs < this.#heartbeatAtMs || endpoints.awaiting) return [];
    this.#aliveAtMs = nowMs;
    this.#heartbeatAtMs = nowMs + soonestMs;
    const nonce = String(++this.#nonces);
    const outgoing: Outgoing = { version: endpoints.sentVersion ?? '', resources: mortal, removed: [] };
    endpoints.sent(outgoing, nonce);
    return [{ kind: 'endpoints', nonce, ...outgoing, heartbeat: true }];
  }

  /** Endpoints with a time to live that the proxy has, as it has them. */
  #mortal(): readonly Resource[] {
    return [...this.#channels.endpoints.acked.values()].filter(({ ttlMs }) => ttlMs !== undefined);
  }

  #progress(source: Snapshot): Progress {
    const answered = source === this.#ready && source !== this.#snapshot;
    const settled = (kind: ResourceKind): boolean => {
      const channel = this.#channels[kind];
      if (!channel.subscribed) return true;
      if (channel.awaiting || channel.behind(source[kind])) return false;
      return !((kind === 'listener' || kind === 'route') && channel.surplus(source[kind]));
    };
    const early = (kind: ResourceKind): boolean => kind === 'cluster' || kind === 'endpoints';
    return {
      settled: (kind) => (answered && early(kind)) || settled(kind),
      endpointsWanted: () => answered || this.#endpointsWanted(source),
    };
  }

  /** Only a proxy that takes all clusters asks for all their endpoints; one that refused some has its reasons. */
  #endpointsWanted({ endpoints: target }: Snapshot): boolean {
    const { cluster, endpoints } = this.#channels;
    if (!cluster.wildcard || !endpoints.subscribed || cluster.error !== undefined) return true;
    const [told, wanted] = [cluster.toldRevision, endpoints.wantedRevision];
    if (this.#unwanted?.told !== told || this.#unwanted.wanted !== wanted) {
      this.#unwanted = { told, wanted, names: [...cluster.toldNames()].filter((name) => !endpoints.wants(name)) };
    }
    return !this.#unwanted.names.some((name) => target.has(name));
  }

  #send(channel: Channel, outgoing: Outgoing): SessionResponse {
    const nonce = String(++this.#nonces);
    if (channel.kind === 'cluster') this.#repeatEndpoints(outgoing.resources);
    channel.sent(outgoing, nonce);
    return { kind: channel.kind, nonce, ...outgoing, heartbeat: false };
  }

  #repeatEndpoints(clusters: readonly Resource[]): void {
    const { cluster, endpoints } = this.#channels;
    for (const { name, version } of clusters) {
      if (cluster.toldVersion(name) !== version) endpoints.repeat(name);
    }
  }
}

const NOTHING_TO_SAY: Turn = { responses: [], wakeAtMs: undefined };

function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
