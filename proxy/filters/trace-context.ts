import { callKind } from '../grpc/call-kind.ts';
import { TRACEPARENT, TRACESTATE } from '../http1/field-kind.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { RequestTrace } from '../tracing/request-trace.ts';
import { drawHex } from './random-hex.ts';
import type { RequestDraft } from './request-draft.ts';

// W3C Trace Context section 3.2: lower-case hexadecimal, version ff is invalid, ids of zeros only are invalid. A version
// after 00 may be longer; its known part must still be sound.
const TRACE_PARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;

export function isTraceParent(value: string): boolean {
  return TRACE_PARENT.test(value) && (value.length === 55 || !value.startsWith('00'));
}

/**
 * W3C trace context. A request that is not sampled is passed on unchanged: the proxy makes no span of it, so the caller stays the
 * callee's parent (section 3.4 allows forwarding unmodified). One that is sampled goes on with our span as its parent. A request
 * without context, or with one that is malformed or comes twice (test_traceparent_duplicated of the W3C's own suite), begins a trace, and
 * then carries no foreign tracestate.
 */
export function traceContext(draft: RequestDraft): void {
  const parent = parentOf(draft.head);
  const trace = traceOf(draft, parent);
  draft.trace = trace;
  if (trace === undefined && parent !== undefined) return;
  draft.drop |= parent === undefined ? TRACEPARENT | TRACESTATE : TRACEPARENT;
  draft.added += trace === undefined ? `traceparent: 00-${drawHex(16)}-${drawHex(8)}-00\r\n` : trace.line;
}

/** The caller's context, where it is sound. */
export function parentOf({ fields }: RequestHead): string | undefined {
  const given = (fields.repeated & TRACEPARENT) === 0 ? fields.valueOf(TRACEPARENT) : undefined;
  return given !== undefined && isTraceParent(given) ? given : undefined;
}

/** Of a request that is sampled; forwarded or not. */
export function traceOf(
  { tracer, head, from }: Pick<RequestDraft, 'tracer' | 'head' | 'from'>,
  parent: string | undefined,
): RequestTrace | undefined {
  const context = tracer?.sample(parent);
  return context === undefined
    ? undefined
    : tracer?.begin(context, {
        method: head.method,
        scheme: from.scheme,
        authority: head.authority,
        path: head.path,
        rpcMethod: callKind(head.fields) === 'none' ? '' : head.path.slice(1),
        clientAddress: from.peerAddress,
        direction: from.direction,
      });
}
