import { GRPC_STATUS_COUNT } from '../grpc/status.ts';
import { REASON_COUNT, REASONS } from './reason.ts';

/** Upper bounds in milliseconds: Envoy's histogram buckets, thinned (stats.proto, HistogramBucketSettings defaults). */
export const DURATION_BUCKETS_MS: readonly number[] = [
  0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000,
];

/** Class 0 is a request that ended without a status: the client had gone. */
const CLASSES = ['0', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

export type Direction = 'inbound' | 'outbound' | 'ingress';

/** What one service's requests through one side of this proxy have come to. Written on the hot path, read at scrape. */
export class RequestStats {
  readonly direction: Direction;
  readonly service: string;
  readonly counts = new Float64Array(CLASSES.length * REASON_COUNT);
  readonly buckets = new Float64Array(DURATION_BUCKETS_MS.length + 1);
  /** Of gRPC calls, by their status; undefined before the first. */
  calls: Float64Array | undefined = undefined;
  sumMs = 0;
  count = 0;
  bytesIn = 0;
  bytesOut = 0;

  constructor(direction: Direction, service: string) {
    this.direction = direction;
    this.service = service;
  }

  record(status: number, reasonIndex: number, durationMs: number, bytesIn: number, bytesOut: number): void {
    const slot = Math.floor(status / 100) * REASON_COUNT + reasonIndex;
    this.counts[slot] = (this.counts[slot] ?? 0) + 1;
    let bucket = 0;
    while (bucket < DURATION_BUCKETS_MS.length && durationMs > (DURATION_BUCKETS_MS[bucket] ?? 0)) bucket++;
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1;
    this.sumMs += durationMs;
    this.count++;
    this.bytesIn += bytesIn;
    this.bytesOut += bytesOut;
  }

  /** Counts a call by its gRPC status, beside {@link record}. */
  recordCall(grpcStatus: number): void {
    this.calls ??= new Float64Array(GRPC_STATUS_COUNT);
    this.calls[grpcStatus] = (this.calls[grpcStatus] ?? 0) + 1;
  }

  /** From the fields of another one, as they come out of another thread. */
  static of(fields: RequestStats): RequestStats {
    return Object.assign(new RequestStats(fields.direction, fields.service), fields);
  }

  /** Every count that is not 0, with its labels. */
  *outcomes(): Generator<{ readonly statusClass: string; readonly reason: string; readonly count: number }> {
    for (let slot = 0; slot < this.counts.length; slot++) {
      const count = this.counts[slot] ?? 0;
      if (count === 0) continue;
      yield {
        statusClass: CLASSES[Math.floor(slot / REASON_COUNT)] ?? '0',
        reason: REASONS[slot % REASON_COUNT]?.[0] ?? '',
        count,
      };
    }
  }
}
