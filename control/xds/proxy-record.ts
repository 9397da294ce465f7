import { ChangeLog } from './change-log.ts';
import type { NodeId } from './node-id.ts';
import type { KindView, ProxyView } from './proxy-view.ts';
import type { ResourceKind, Snapshot } from './resource.ts';
import type { Session } from './session.ts';

/** Requests that a proxy sent to one cluster, since it connected first. */
export interface LoadSum {
  readonly cluster: string;
  total: number;
  success: number;
  error: number;
}

/** An endpoint that a proxy sends nothing to for a while. */
export interface Ejected {
  readonly cluster: string;
  readonly address: string;
  readonly cause: string;
  readonly untilMs: number;
}

// A proxy reports the clusters it has; more than this is no mesh of ours.
const MAX_CLUSTERS = 10_000;
/** Of one cluster; a service has fewer replicas. */
const MAX_EJECTED = 1000;

/** One proxy, over all its streams. */
export class ProxyRecord {
  readonly nodeId: string;
  readonly node: NodeId;
  readonly firstConnectedMs: number;
  readonly loads = new Map<string, LoadSum>();
  readonly #ejected = new Map<string, readonly Ejected[]>();
  readonly changes = new ChangeLog();
  session: Session | undefined = undefined;
  /** The proxy's own version, as it says. */
  version = '';
  connectedSinceMs = 0;
  disconnectedAtMs = 0;
  lastSeenMs = 0;
  #last: ProxyView | undefined = undefined;
  /** The routes that it had accepted when it reported its load last. */
  #reported: { readonly session: Session; readonly nonce: string } | undefined = undefined;

  constructor(nodeId: string, node: NodeId, nowMs: number) {
    this.nodeId = nodeId;
    this.node = node;
    this.firstConnectedMs = nowMs;
  }

  connect(session: Session, nowMs: number): void {
    this.session = session;
    this.connectedSinceMs = nowMs;
    this.lastSeenMs = nowMs;
  }

  /** Ignores a stream that a newer one has replaced. */
  disconnect(session: Session, nowMs: number): void {
    if (this.session !== session) return;
    this.#last = this.view();
    this.session = undefined;
    this.disconnectedAtMs = nowMs;
  }

  addLoad(cluster: string, delta: Omit<LoadSum, 'cluster'>): void {
    const sum = this.loads.get(cluster);
    if (sum === undefined) {
      if (this.loads.size < MAX_CLUSTERS) this.loads.set(cluster, { cluster, ...delta });
      return;
    }
    sum.total += delta.total;
    sum.success += delta.success;
    sum.error += delta.error;
  }

  /** A report has come. While an answer is under way nobody knows which routes it is about. */
  loadReported(): void {
    const { session } = this;
    const route = session?.channel('route');
    this.#reported = session === undefined || route?.awaiting !== false ? undefined : { session, nonce: route.nonce };
  }

  /** Whether it has reported since it accepted its newest routes: what it reports from now on went by them. */
  get isLoadCurrent(): boolean {
    const { session } = this;
    const route = session?.channel('route');
    if (route === undefined || route.awaiting) return false;
    // Who has no routes has nothing to report that went by others: an ingress without a Gateway.
    if (route.nonce === '') return route.unanswered().length === 0;
    return this.#reported?.session === session && this.#reported?.nonce === route.nonce;
  }

  /** All that are ejected of a cluster, as the proxy's newest report of it says. */
  setEjected(cluster: string, ejected: readonly Omit<Ejected, 'cluster'>[]): void {
    if (ejected.length === 0) this.#ejected.delete(cluster);
    else if (this.#ejected.size < MAX_CLUSTERS) {
      this.#ejected.set(
        cluster,
        ejected.slice(0, MAX_EJECTED).map((each) => ({ cluster, ...each })),
      );
    }
  }

  /** None of a proxy that is away: it may have changed its mind. */
  get ejected(): readonly Ejected[] {
    return this.session === undefined ? [] : [...this.#ejected.values()].flat();
  }

  view(): ProxyView {
    const { session, nodeId, connectedSinceMs, disconnectedAtMs } = this;
    if (session === undefined) return { ...(this.#last ?? NOTHING), nodeId, connectedSinceMs, disconnectedAtMs };
    return {
      nodeId,
      connectedSinceMs,
      disconnectedAtMs: undefined,
      target: session.snapshot,
      // Channels are looked at, not copied: there are four for each of hundreds of proxies, and few of their fields matter.
      kinds: {
        cluster: session.channel('cluster'),
        endpoints: session.channel('endpoints'),
        listener: session.channel('listener'),
        route: session.channel('route'),
      },
    };
  }
}

const NONE: KindView = {
  subscribed: false,
  sentVersion: undefined,
  ackedVersion: undefined,
  nonce: '',
  error: undefined,
  acked: new Map(),
  uncertain: new Map(),
  wants: () => false,
  unanswered: () => [],
};

const NOTHING: { readonly target: Snapshot | undefined; readonly kinds: Readonly<Record<ResourceKind, KindView>> } = {
  target: undefined,
  kinds: { cluster: NONE, endpoints: NONE, listener: NONE, route: NONE },
};
