import type { Random } from '../../kit/random.ts';
import { RetryBudget } from '../upstream/retry-budget.ts';
import type { Balancer } from './balancer.ts';
import type { ClusterConfig, Endpoint } from './cluster-config.ts';
import { EndpointState, endpointKey } from './endpoint-state.ts';
import { LeastRequest } from './least-request.ts';
import type { OtherWorkers, ToldEjection } from './other-workers.ts';
import { ejectAsTold, hasRoom } from './outlier-detection.ts';
import { OutlierDetector } from './outlier-detector.ts';
import { RoundRobin } from './round-robin.ts';
import { UploadPlaces } from './upload-places.ts';

/** Authorities of a pass-through cluster whose idle connections are kept at once. */
const MAX_AUTHORITIES = 256;

/** A cluster at work: its endpoints' states and its sums. It outlives changes of its configuration. */
export class ClusterState {
  config: ClusterConfig;
  total = 0;
  success = 0;
  error = 0;
  #active = 0;
  /** Of these, requests whose bodies are still coming: they have places of their own, as many as the others. */
  readonly uploads: UploadPlaces;
  retries = 0;
  /** Picks among all, ejected ones too, because too few others were left. */
  panics = 0;
  readonly budget = new RetryBudget();
  #balancer: Balancer;
  #endpoints = new Map<string, EndpointState>();
  #all: readonly EndpointState[] = [];
  /** Whom requests go to: healthy, and not ejected unless too many are. */
  #usable: readonly EndpointState[] = [];
  #isPanicking = false;
  #outliers: OutlierDetector | undefined;
  #avoidingUntilMs = 0;
  readonly #others: OtherWorkers | undefined;
  /** Ejected ones of which the other workers know. */
  readonly #known = new Set<EndpointState>();

  /** `others`: where several workers send to it. */
  constructor(config: ClusterConfig, others?: OtherWorkers) {
    this.config = config;
    this.#others = others;
    this.uploads = new UploadPlaces(others?.counts);
    this.#balancer = balancerOf(config);
    this.#outliers = detectorOf(config, undefined);
    this.#adopt(config.endpoints);
  }

  /** Requests and connections of this worker. */
  get active(): number {
    return this.#active;
  }

  began(): void {
    this.#active++;
    this.#others?.counts.setActive(this.#active);
  }

  ended(): void {
    this.#active--;
    this.#others?.counts.setActive(this.#active);
  }

  get endpoints(): Iterable<EndpointState> {
    return this.#endpoints.values();
  }

  /** Those that are ejected now; none where the cluster has no outlier detection. */
  get ejected(): readonly EndpointState[] {
    return this.#outliers === undefined ? [] : this.#all.filter(({ outlier }) => outlier.ejected);
  }

  /** Undefined where the cluster has no outlier detection. */
  get outliers(): Pick<OutlierDetector, 'enforced' | 'overflow'> | undefined {
    return this.#outliers;
  }

  update(config: ClusterConfig): void {
    if (config === this.config) return;
    if (config.policy !== this.config.policy) this.#balancer = balancerOf(config);
    const tlsChanged =
      config.protocol !== this.config.protocol || JSON.stringify(config.tls) !== JSON.stringify(this.config.tls);
    this.config = config;
    this.#outliers = detectorOf(config, this.#outliers);
    // Idle connections were verified against what the cluster asked for before.
    if (tlsChanged) for (const endpoint of this.#endpoints.values()) closeIdle(endpoint);
    if (config.kind === 'endpoints') this.#adopt(config.endpoints);
  }

  /** The cluster is gone: what is in flight finishes. */
  retire(): void {
    for (const endpoint of this.#endpoints.values()) retire(endpoint);
    this.#endpoints.clear();
    this.#all = [];
    this.#usable = [];
  }

  /** As many whole requests as may be at once, of all workers: more are refused. */
  get isFull(): boolean {
    const { maxRequests } = this.config;
    if (this.#others !== undefined) {
      return this.#active - this.uploads.asked + this.#others.counts.wholeElsewhere >= maxRequests;
    }
    // What nearly all find.
    return this.#active >= maxRequests && this.#active - this.uploads.asked >= maxRequests;
  }

  /**
   * An endpoint for the next try: healthy, not ejected, preferably none of `tried` and none that lately refused connections;
   * undefined when no endpoint is healthy.
   */
  pick(tried: readonly EndpointState[] | undefined, nowMs: number, random: Random): EndpointState | undefined {
    this.sweepOutliers(nowMs, random);
    let candidates = this.#usable;
    if (candidates.length === 0) return undefined;
    if (this.#isPanicking) this.panics++;
    if (tried !== undefined || this.#avoidingUntilMs > nowMs) candidates = preferred(candidates, tried ?? [], nowMs);
    return this.#balancer.pick(candidates, random);
  }

  /** The endpoint of an authority, for a cluster that dials what the request names. */
  dialled(address: string, port: number): EndpointState {
    const config: Endpoint = { address, port, weight: 1, healthy: true };
    const key = endpointKey(config);
    const known = this.#endpoints.get(key);
    if (known !== undefined) return known;
    const oldest = this.#endpoints.size >= MAX_AUTHORITIES ? this.#endpoints.values().next().value : undefined;
    if (oldest !== undefined) {
      retire(oldest);
      this.#endpoints.delete(oldest.key);
    }
    const endpoint = new EndpointState(config);
    this.#endpoints.set(key, endpoint);
    return endpoint;
  }

  connectFailed(endpoint: EndpointState, nowMs: number): void {
    endpoint.connectFailed(nowMs);
    // Long enough that the slow path looks; the endpoint itself knows its time.
    this.#avoidingUntilMs = nowMs + 10_000;
  }

  /** The endpoint answered with 500 or more, or not at all: `status` is what a client gets for it. May eject it. */
  failed(endpoint: EndpointState, status: number, nowMs: number, random: Random): void {
    if (this.#outliers?.failed(endpoint, status, this.#all, nowMs, random) === true) this.#refresh();
  }

  /** Lets those come back whose time is over. Picking does it; so does who wants to look. */
  sweepOutliers(nowMs: number, random: Random): void {
    if (this.#outliers?.sweep(this.#all, nowMs, random) === true) this.#refresh();
  }

  /** Another worker has ejected one of the endpoints: nothing more goes there from here either. */
  ejectedElsewhere(told: ToldEjection, nowMs: number): void {
    const endpoint = this.#endpoints.get(told.address);
    const { outliers } = this.config;
    if (endpoint === undefined || outliers === undefined || endpoint.outlier.ejected) return;
    if (!hasRoom(this.ejected.length, this.#all.length, outliers)) return;
    ejectAsTold(endpoint.outlier, told, nowMs, outliers);
    this.#known.add(endpoint);
    this.#refresh();
  }

  #adopt(endpoints: readonly Endpoint[]): void {
    const before = this.#endpoints;
    const now = new Map<string, EndpointState>();
    for (const config of endpoints) {
      const key = endpointKey(config);
      const state = before.get(key) ?? new EndpointState(config);
      state.config = config;
      now.set(key, state);
    }
    for (const [key, state] of before) if (!now.has(key)) retire(state);
    this.#endpoints = now;
    this.#all = [...now.values()];
    this.#refresh();
  }

  #refresh(): void {
    const healthy = this.#all.filter(({ config }) => config.healthy);
    const staying = this.#outliers === undefined ? healthy : healthy.filter(({ outlier }) => !outlier.ejected);
    this.#isPanicking = 100 * staying.length < this.config.panicPercent * healthy.length;
    this.#usable = this.#isPanicking ? healthy : staying;
    if (this.#others !== undefined) this.#tell(this.#others);
  }

  #tell(others: OtherWorkers): void {
    for (const endpoint of this.#known) {
      if (!endpoint.outlier.ejected || endpoint.removed) this.#known.delete(endpoint);
    }
    for (const endpoint of this.ejected) {
      if (this.#known.has(endpoint)) continue;
      this.#known.add(endpoint);
      const { cause = 'consecutive_5xx', ejectedForMs: forMs } = endpoint.outlier;
      others.tell({ cluster: this.config.name, address: endpoint.key, cause, forMs });
    }
  }
}

function balancerOf(config: ClusterConfig): Balancer {
  return config.policy === 'round-robin' ? new RoundRobin() : new LeastRequest();
}

function detectorOf({ outliers }: ClusterConfig, before: OutlierDetector | undefined): OutlierDetector | undefined {
  if (outliers === undefined) return undefined;
  const detector = before ?? new OutlierDetector(outliers);
  detector.config = outliers;
  return detector;
}

function preferred(
  usable: readonly EndpointState[],
  tried: readonly EndpointState[],
  nowMs: number,
): readonly EndpointState[] {
  const fresh = usable.filter((endpoint) => !tried.includes(endpoint));
  const freshAndWell = fresh.filter((endpoint) => !endpoint.isAvoided(nowMs));
  if (freshAndWell.length > 0) return freshAndWell;
  if (fresh.length > 0) return fresh;
  const well = usable.filter((endpoint) => !endpoint.isAvoided(nowMs));
  return well.length > 0 ? well : usable;
}

function retire(endpoint: EndpointState): void {
  endpoint.removed = true;
  closeIdle(endpoint);
}

function closeIdle(endpoint: EndpointState): void {
  for (const connection of endpoint.idle.splice(0)) connection.close();
  for (const connection of endpoint.shared.splice(0)) connection.retire();
}
