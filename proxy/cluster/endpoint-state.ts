import type { Http2Connection } from '../upstream/http2-connection.ts';
import type { UpstreamConnection } from '../upstream/upstream-connection.ts';
import type { Endpoint } from './cluster-config.ts';
import { OutlierRecord } from './outlier-detection.ts';

const AVOID_BASE_MS = 500;
const AVOID_MAX_MS = 10_000;

/** What we know of one endpoint beside its configuration. It outlives changes of the tables: the same address is the same state. */
export class EndpointState {
  config: Endpoint;
  readonly key: string;
  /** Requests in flight. */
  active = 0;
  /** Smooth weighted round robin's running balance. */
  balance = 0;
  /** Idle connections, the one used last at the end. */
  readonly idle: UpstreamConnection[] = [];
  /** HTTP/2 connections that take more streams. */
  readonly shared: Http2Connection[] = [];
  /** No longer in the cluster: what is in flight finishes, nothing is kept. */
  removed = false;
  /** What its answers say of it. */
  readonly outlier = new OutlierRecord();
  opened = 0;
  failures = 0;
  #failuresInARow = 0;
  #avoidUntilMs = 0;

  constructor(config: Endpoint) {
    this.config = config;
    this.key = endpointKey(config);
  }

  /** Refused connections lately: others are asked first. Nothing but that; outlier ejection is another thing. */
  isAvoided(nowMs: number): boolean {
    return this.#avoidUntilMs > nowMs;
  }

  /** Doubles the time it is avoided with each failure in a row, from half a second to ten. */
  connectFailed(nowMs: number): void {
    this.failures++;
    this.#avoidUntilMs = nowMs + Math.min(AVOID_MAX_MS, AVOID_BASE_MS * 2 ** this.#failuresInARow);
    if (this.#failuresInARow < 10) this.#failuresInARow++;
  }

  /** It was reached. */
  answered(): void {
    this.#failuresInARow = 0;
    this.#avoidUntilMs = 0;
  }
}

export function endpointKey(endpoint: Endpoint): string {
  return endpoint.address.includes(':')
    ? `[${endpoint.address}]:${endpoint.port}`
    : `${endpoint.address}:${endpoint.port}`;
}
