import { otlpJson, type SpanSource } from './otlp-json.ts';
import type { Span } from './span.ts';
import type { Sent } from './tracer.ts';

export interface OtlpSenderOptions {
  /** The whole URL, `/v1/traces` included. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly source: SpanSource;
}

// OTEL_EXPORTER_OTLP_TIMEOUT's default.
const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024;
/** OTLP/HTTP, "Failures": these may be sent again, others not. */
const RETRYABLE = new Set([429, 502, 503, 504]);

/** Posts batches to a collector, on one connection that is kept. Never rejects. */
export function otlpSender({
  endpoint,
  headers,
  source,
}: OtlpSenderOptions): (spans: readonly Span[]) => Promise<Sent> {
  const url = new URL(endpoint);
  // As in admin/: an import of node:http would load what a sidecar does not use.
  const http =
    url.protocol === 'https:' ? process.getBuiltinModule('node:https') : process.getBuiltinModule('node:http');
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  return (spans) =>
    new Promise((resolve) => {
      const body = otlpJson(spans, source);
      const later = (why: string): void => resolve({ outcome: 'later', why: `${endpoint}: ${why}` });
      const request = http.request(
        url,
        {
          method: 'POST',
          agent,
          headers: { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
          signal: AbortSignal.timeout(TIMEOUT_MS),
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            if (text.length < MAX_ANSWER_BYTES) text += chunk;
          });
          response.on('error', (error) => later(error.message));
          response.on('end', () => {
            const status = response.statusCode ?? 0;
            if (status === 200) resolve({ outcome: 'taken', refused: refusedIn(text, spans.length) });
            else if (RETRYABLE.has(status)) later(`answered ${status}`);
            else resolve({ outcome: 'refused', why: `${endpoint}: answered ${status}` });
          });
        },
      );
      request.on('error', (error) => later(error.message));
      request.end(body);
    });
}

/** ExportTracePartialSuccess; an answer that is not that means that all is well. */
function refusedIn(text: string, sent: number): number {
  try {
    const { partialSuccess } = JSON.parse(text) as { partialSuccess?: { rejectedSpans?: string | number } };
    const refused = Number(partialSuccess?.rejectedSpans ?? 0);
    return refused > 0 ? Math.min(refused, sent) : 0;
  } catch {
    return 0;
  }
}
