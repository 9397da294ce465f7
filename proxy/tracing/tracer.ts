import { backoffMs } from '../../kit/backoff.ts';
import type { Clock, Timer } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import { drawHex } from '../filters/random-hex.ts';
import type { SpanCounts } from '../telemetry/telemetry.ts';
import { PreciseTime } from './precise-time.ts';
import { RequestTrace, type TraceContext, type TracedRequest } from './request-trace.ts';
import type { Span } from './span.ts';

// OpenTelemetry's batch span processor: OTEL_BSP_MAX_QUEUE_SIZE, OTEL_BSP_SCHEDULE_DELAY. Its batches of 512 would take a turn of the
// event loop several milliseconds to write.
const MAX_QUEUED_SPANS = 2048;
const MAX_BATCH_SPANS = 128;
const SEND_EVERY_MS = 5000;
const RETRY = { baseMs: 1000, maxMs: 30_000, jitter: 0.5 };
/** What a proxy that ends still waits for. */
const LAST_SPANS_WITHIN_MS = 2000;

/** What became of a batch. `later`: the collector may take it another time. */
export type Sent =
  | { readonly outcome: 'taken'; readonly refused: number }
  | { readonly outcome: 'later'; readonly why: string }
  | { readonly outcome: 'refused'; readonly why: string };

export interface TracerOptions {
  /** Of the requests that bring no decision with them; 0 to 1. */
  readonly samplingRatio: number;
  readonly send: (spans: readonly Span[]) => Promise<Sent>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Decides which requests are traced, and hands their spans on in batches. */
export class Tracer {
  readonly counts: SpanCounts = { exported: 0, dropped: { queue_full: 0, refused: 0, closing: 0 } };
  readonly #options: TracerOptions;
  readonly #emit = (span: Span): void => this.#queued(span);
  readonly #time: PreciseTime;
  #queue: Span[] = [];
  #timer: Timer | undefined = undefined;
  #sending: Promise<void> | undefined = undefined;
  #failures = 0;
  #closed = false;

  constructor(options: TracerOptions) {
    this.#options = options;
    this.#time = new PreciseTime(options.clock);
  }

  /**
   * Whether a request is traced, and as part of what; undefined when its caller has decided against it, or the ratio does. `parent`: a sound
   * traceparent. Nothing is made for those that are not.
   */
  sample(parent: string | undefined): TraceContext | undefined {
    const { random, samplingRatio } = this.#options;
    if (parent === undefined) {
      return random() < samplingRatio ? { traceId: drawHex(16), parentSpanId: '', flags: '01' } : undefined;
    }
    // W3C Trace Context section 3.2.2: 00-<trace>-<parent>-<flags>, the lowest bit of which is `sampled`.
    const flags = parent.slice(53, 55);
    if ((Number.parseInt(flags, 16) & 1) === 0) return undefined;
    return { traceId: parent.slice(3, 35), parentSpanId: parent.slice(36, 52), flags };
  }

  begin(context: TraceContext, request: TracedRequest): RequestTrace {
    return new RequestTrace(this.#time, this.#emit, request, context);
  }

  /** Sends what there is, for so long as a proxy that ends may wait. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.stop();
    const { clock } = this.#options;
    const limit = new AbortController();
    const over = clock.sleep(LAST_SPANS_WITHIN_MS, limit.signal).catch(() => undefined);
    await Promise.race([this.#sendAll(), over]);
    limit.abort();
    this.counts.dropped.closing += this.#queue.length;
    this.#queue = [];
  }

  #queued(span: Span): void {
    if (this.#closed) this.counts.dropped.closing++;
    else if (this.#queue.length >= MAX_QUEUED_SPANS) this.counts.dropped.queue_full++;
    else {
      this.#queue.push(span);
      if (this.#timer === undefined && this.#sending === undefined) this.#sendIn(SEND_EVERY_MS);
      else if (this.#queue.length === MAX_BATCH_SPANS && this.#failures === 0 && this.#sending === undefined)
        this.#sendIn(0);
    }
  }

  #sendIn(delayMs: number): void {
    this.#timer?.stop();
    this.#timer = this.#options.clock.timer(delayMs, () => {
      this.#timer = undefined;
      this.#sending = this.#sendAll().finally(() => {
        this.#sending = undefined;
        if (this.#queue.length > 0 && !this.#closed) this.#sendIn(this.#pauseMs());
      });
    });
  }

  #pauseMs(): number {
    return this.#failures === 0 ? SEND_EVERY_MS : backoffMs(this.#failures - 1, RETRY, this.#options.random);
  }

  /** Batch after batch, until none is left or the collector cannot take one. */
  async #sendAll(): Promise<void> {
    await this.#sending;
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, MAX_BATCH_SPANS);
      const sent = await this.#options.send(batch);
      switch (sent.outcome) {
        case 'taken':
          this.#failures = 0;
          this.counts.exported += batch.length - sent.refused;
          this.counts.dropped.refused += sent.refused;
          break;
        case 'refused':
          this.#complain(sent.why);
          this.counts.dropped.refused += batch.length;
          break;
        case 'later':
          this.#complain(sent.why);
          this.#failures++;
          this.#putBack(batch);
          return;
        default:
          return sent satisfies never;
      }
    }
  }

  /** The oldest go first again, as far as there is room. */
  #putBack(batch: readonly Span[]): void {
    const room = MAX_QUEUED_SPANS - this.#queue.length;
    this.#queue.unshift(...batch.slice(0, room));
    this.counts.dropped.queue_full += Math.max(0, batch.length - room);
  }

  /** Once for a series of failures. */
  #complain(why: string): void {
    if (this.#failures === 0) this.#options.log.warn(`spans are not taken: ${why}`);
  }
}
