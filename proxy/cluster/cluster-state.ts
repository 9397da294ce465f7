import type { Random } from '../../kit/random.ts';
import { RetryBudget } from '../upstream/retry-budget.ts';
import type { Balancer } from './balancer.ts';
import type { ClusterConfig, Endpoint } from './cluster-config.ts';
import { EndpointState, endpointKey } from './endpoint-state.ts';
import { LeastRequest } from './least-request.ts';
import { RoundRobin } from './round-robin.ts';

/** Authorities of a pass-through cluster whose idle connections are kept at once. */
const MAX_AUTHORITIES = 256;

/** A cluster at work: its endpoints' states and its sums. It outlives changes of its configuration. */
export class ClusterState {
  config: ClusterConfig;
  total = 0;
  success = 0;
  error = 0;
  active = 0;
  retries = 0;
  readonly budget = new RetryBudget();
  #balancer: Balancer;
  #endpoints = new Map<string, EndpointState>();
  #usable: readonly EndpointState[] = [];
  #avoidingUntilMs = 0;

  constructor(config: ClusterConfig) {
    this.config = config;
    this.#balancer = balancerOf(config);
    this.#adopt(config.endpoints);
  }

  get endpoints(): Iterable<EndpointState> {
    return this.#endpoints.values();
  }

  update(config: ClusterConfig): void {
    if (config === this.config) return;
    if (config.policy !== this.config.policy) this.#balancer = balancerOf(config);
    const tlsChanged =
      config.protocol !== this.config.protocol || JSON.stringify(config.tls) !== JSON.stringify(this.config.tls);
    this.config = config;
    // Idle connections were verified against what the cluster asked for before.
    if (tlsChanged) for (const endpoint of this.#endpoints.values()) closeIdle(endpoint);
    if (config.kind === 'endpoints') this.#adopt(config.endpoints);
  }

  /** The cluster is gone: what is in flight finishes. */
  retire(): void {
    for (const endpoint of this.#endpoints.values()) retire(endpoint);
    this.#endpoints.clear();
    this.#usable = [];
  }

  /**
   * An endpoint for the next try: healthy, preferably none of `tried` and none that lately refused connections; undefined
   * when no endpoint is healthy.
   */
  pick(tried: readonly EndpointState[] | undefined, nowMs: number, random: Random): EndpointState | undefined {
    let candidates = this.#usable;
    if (candidates.length === 0) return undefined;
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
    this.#usable = [...now.values()].filter((state) => state.config.healthy);
  }
}

function balancerOf(config: ClusterConfig): Balancer {
  return config.policy === 'round-robin' ? new RoundRobin() : new LeastRequest();
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
