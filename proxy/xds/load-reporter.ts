import { EJECTED, EJECTED_UNTIL } from '../../api/meta/well-known.ts';
import type { Clock, Timer } from '../../kit/clock.ts';
import type { LoadStatsRequestInput, LoadStatsResponse } from '../../xds/messages.js';
import { LoadReportingService } from '../../xds/services.js';
import type { Call } from '../channel/call.ts';
import type { Channel } from '../channel/channel.ts';
import type { ClusterLoad, Ejection, Figures } from '../engine.ts';

type Reported = Pick<ClusterLoad, 'total' | 'success' | 'error'>;

/** Where the sums are. */
export interface LoadSource {
  figures(): Promise<Pick<Figures, 'load'>>;
}

export interface LoadReporterOptions {
  readonly engine: LoadSource;
  readonly clock: Clock;
  readonly node: NonNullable<LoadStatsRequestInput['node']>;
}

const NOTHING: Reported = { total: 0, success: 0, error: 0 };
const DEFAULT_INTERVAL_MS = 1000;

/**
 * LRS: says what was sent to each cluster since the last report, as often as the control plane asks for. Outlives its
 * streams: what one could not tell, the next one does.
 */
export class LoadReporter {
  readonly #options: LoadReporterOptions;
  #reported = new Map<string, Reported>();
  /** Ejections that this stream has told of, by cluster. */
  #told = new Map<string, string>();
  #stream: Call<LoadStatsRequestInput, LoadStatsResponse> | undefined = undefined;
  #timer: Timer | undefined = undefined;
  #lastMs = 0;
  #asked = false;
  /** Routes were put to work since the last report: the next one is sent also when there is nothing to tell. */
  #isOwed = false;
  /** How often routes were put to work. */
  #routings = 0;

  constructor(options: LoadReporterOptions) {
    this.#options = options;
  }

  /** Begins on a new channel; the stream ends with it. */
  start(channel: Channel): void {
    this.stop();
    const stream = channel.open(LoadReportingService.streamLoadStats);
    this.#stream = stream;
    this.#asked = false;
    this.#told.clear();
    this.#lastMs = this.#options.clock.monotonic();
    stream.onMessage(({ loadReportingInterval }: LoadStatsResponse) => {
      const intervalMs = (loadReportingInterval?.seconds ?? 0) * 1000 + (loadReportingInterval?.nanos ?? 0) / 1e6;
      this.#asked = true;
      this.#plan(stream, intervalMs > 0 ? intervalMs : DEFAULT_INTERVAL_MS);
    });
    // The discovery stream on the same channel is what notices and logs.
    stream.onEnd(() => {
      if (this.#stream === stream) this.stop();
    });
    stream.write({ node: this.#options.node });
  }

  /**
   * To be called when new routes are at work and the control plane has not heard of it: the first report after that answer has all that
   * went by the routes before, and is sent in any case, so that who compares loads knows where the new ones begin.
   */
  routed(): void {
    this.#isOwed = true;
    this.#routings += 1;
  }

  /** Tells what has not been told yet, now. */
  async report(): Promise<void> {
    const stream = this.#stream;
    if (stream === undefined || !this.#asked) return;
    const { clock } = this.#options;
    const loads = await this.#loads();
    if (this.#stream !== stream) return;
    const now = clock.monotonic();
    const clusterStats = loads.flatMap((load) => {
      const { total, success, error } = sinceReported(load, this.#reported.get(load.cluster) ?? NOTHING);
      const upstreamEndpointStats = load.ejections.map(endpointStatsOf);
      const told = JSON.stringify(upstreamEndpointStats);
      if (total === 0 && success === 0 && error === 0 && told === (this.#told.get(load.cluster) ?? '[]')) return [];
      this.#told.set(load.cluster, told);
      const stats = {
        totalIssuedRequests: total,
        totalSuccessfulRequests: success,
        totalErrorRequests: error,
        totalRequestsInProgress: load.active,
      };
      const elapsed = now - this.#lastMs;
      const loadReportInterval = { seconds: Math.floor(elapsed / 1000), nanos: Math.round((elapsed % 1000) * 1e6) };
      return [
        {
          clusterName: load.cluster,
          upstreamLocalityStats: [{ locality: {}, ...stats, upstreamEndpointStats }],
          loadReportInterval,
        },
      ];
    });
    this.#lastMs = now;
    if (clusterStats.length === 0 && !this.#isOwed) return;
    this.#isOwed = false;
    stream.write({ clusterStats });
    this.#reported = new Map(loads.map((load) => [load.cluster, load]));
  }

  /** What was read while new routes were put to work may be from before. */
  async #loads(): Promise<readonly ClusterLoad[]> {
    for (;;) {
      const routings = this.#routings;
      const figures = await this.#options.engine.figures();
      if (routings === this.#routings) return figures.load();
    }
  }

  stop(): void {
    this.#timer?.stop();
    this.#timer = undefined;
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.cancel();
  }

  #plan(stream: unknown, intervalMs: number): void {
    this.#timer?.stop();
    this.#timer = this.#options.clock.timer(intervalMs, () => {
      if (this.#stream !== stream) return;
      void this.report();
      this.#plan(stream, intervalMs);
    });
  }
}

/** What LRS has no field for goes into an endpoint's metadata, which is for whatever a proxy and its control plane agree on. */
function endpointStatsOf({ address, cause, untilMs }: Ejection) {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  return {
    address: { socketAddress: { address: host, portValue: Number(address.slice(colon + 1)) } },
    metadata: { fields: { [EJECTED]: { stringValue: cause }, [EJECTED_UNTIL]: { numberValue: untilMs } } },
  };
}

/** A cluster that left and came back counts from 0 again. */
function sinceReported(now: Reported, before: Reported): Reported {
  if (now.total < before.total) return now;
  return {
    total: now.total - before.total,
    success: Math.max(0, now.success - before.success),
    error: Math.max(0, now.error - before.error),
  };
}
