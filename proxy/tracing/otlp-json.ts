import type { Span, SpanAttributes } from './span.ts';

export interface SpanSource {
  /** Attributes of who sends: `service.name` and such. */
  readonly resource: SpanAttributes;
  readonly version: string;
}

// opentelemetry/proto/trace/v1/trace.proto: Span.SpanKind and Status.StatusCode.
const KIND = { server: 2, client: 3 } as const;
const STATUS_ERROR = 2;

/**
 * An ExportTraceServiceRequest in OTLP's JSON (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding"): ids are hexadecimal, enums are numbers, and
 * 64-bit numbers are text.
 */
export function otlpJson(spans: readonly Span[], { resource, version }: SpanSource): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: attributesOf(resource) },
        scopeSpans: [{ scope: { name: 'tutti', version }, spans: spans.map(spanOf) }],
      },
    ],
  });
}

function spanOf(span: Span): object {
  const { traceId, spanId, parentSpanId, name, kind, startMs, endMs, attributes, failed } = span;
  return {
    traceId,
    spanId,
    ...(parentSpanId === '' ? {} : { parentSpanId }),
    name,
    kind: KIND[kind],
    startTimeUnixNano: nanos(startMs),
    endTimeUnixNano: nanos(endMs),
    attributes: attributesOf(attributes),
    status: failed ? { code: STATUS_ERROR } : {},
  };
}

function attributesOf(attributes: SpanAttributes): readonly object[] {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value },
  }));
}

/** In steps of a microsecond, which a double still holds exactly. */
function nanos(ms: number): string {
  return `${Math.round(ms * 1000)}000`;
}
