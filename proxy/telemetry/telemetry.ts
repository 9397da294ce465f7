import type { PeerProblem } from '../../certs/workload/peer-problem.ts';
import { type Direction, RequestStats } from './request-stats.ts';

/** Why a TLS connection was refused; the label of a metric, so the set is closed. */
export type TlsRefusal =
  | PeerProblem
  /** The first bytes were no TLS. */
  | 'plaintext'
  | 'handshake'
  | 'timeout'
  | 'no-identity'
  | 'unknown-server-name';

/** Why a connection was closed that was to say who its client is; `source`: its peer is none of those who may. */
export type ProxyHeaderRefusal = 'source' | 'missing' | 'broken' | 'timeout';

export interface TlsRefused {
  readonly side: 'client' | 'server';
  readonly reason: TlsRefusal;
  readonly detail: string;
}

export interface SpanCounts {
  exported: number;
  readonly dropped: Record<'queue_full' | 'refused' | 'closing', number>;
}

/** Numbers of the whole process. Plain fields: the hot path adds to them, the scrape reads them. */
export class Telemetry {
  readonly requests = new Map<string, RequestStats>();
  readonly tlsRefusals = new Map<string, number>();
  readonly rejections = new Map<string, number>();
  readonly connectionsOpened = { inbound: 0, outbound: 0, ingress: 0 };
  readonly connectionsOpen = { inbound: 0, outbound: 0, ingress: 0 };
  identityRotations = 0;
  identityNotAfterMs = 0;
  applied = 0;
  problems = 0;
  /** What became of spans; undefined where none are sent. */
  spans: SpanCounts | undefined = undefined;
  /** Of services that are gone. */
  requestsForgotten = 0;
  /** `requests` once more: a key made of both parts would have to be hashed anew for each request. */
  readonly #byService: Record<Direction, Map<string, RequestStats>> = {
    inbound: new Map(),
    outbound: new Map(),
    ingress: new Map(),
  };

  /** Rises for as long as the process lives, whatever leaves the tables. */
  get requestsFinished(): number {
    let finished = this.requestsForgotten;
    for (const { count } of this.requests.values()) finished += count;
    return finished;
  }

  requestStats(direction: Direction, service: string): RequestStats {
    const known = this.#byService[direction];
    let stats = known.get(service);
    if (stats === undefined) {
      stats = new RequestStats(direction, service);
      known.set(service, stats);
      this.requests.set(`${direction}\n${service}`, stats);
    }
    return stats;
  }

  /** Forgets services that are gone, so that a proxy's series do not grow with the history of its mesh. */
  keepServices(services: ReadonlySet<string>): void {
    for (const [key, stats] of this.requests) {
      if (stats.service === '' || services.has(stats.service)) continue;
      this.requestsForgotten += stats.count;
      this.requests.delete(key);
      this.#byService[stats.direction].delete(stats.service);
    }
  }

  /** Told of each refusal, for the log. */
  onTlsRefused: ((refused: TlsRefused) => void) | undefined = undefined;

  /** Of connections that were to begin with a PROXY protocol header, by the reason: `source`, `missing`, `broken`, `timeout`. */
  readonly proxyHeaderRefusals = new Map<string, number>();

  proxyHeaderRefused(reason: ProxyHeaderRefusal): void {
    count(this.proxyHeaderRefusals, reason);
  }

  /** `detail` is for people. */
  tlsRefused(side: 'client' | 'server', refusal: TlsRefusal, detail = ''): void {
    count(this.tlsRefusals, `${side}\n${refusal}`);
    this.onTlsRefused?.({ side, reason: refusal, detail });
  }

  /** A request or response that was no sound HTTP, by its cause (http1/rejection.ts has the closed set). */
  rejected(side: 'request' | 'response', cause: string): void {
    count(this.rejections, `${side}\n${cause}`);
  }
}

function count(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}
