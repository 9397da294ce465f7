export type SpanAttributes = Readonly<Record<string, string | number>>;

/** A finished span. Ids are lower-case hexadecimal, as in traceparent. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** '' where the span is the trace's root. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: 'server' | 'client';
  /** Wall time in milliseconds since the epoch, with fractions. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: SpanAttributes;
  readonly failed: boolean;
}
