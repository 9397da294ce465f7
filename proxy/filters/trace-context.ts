import { TRACEPARENT, TRACESTATE } from '../http1/field-kind.ts';
import { drawHex } from './random-hex.ts';
import type { RequestDraft } from './request-draft.ts';

// W3C Trace Context section 3.2: lower-case hexadecimal, version ff is invalid, ids of zeros only are invalid. A version
// after 00 may be longer; its known part must still be sound.
const TRACE_PARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;

export function isTraceParent(value: string): boolean {
  return TRACE_PARENT.test(value) && (value.length === 55 || !value.startsWith('00'));
}

/**
 * W3C trace context is passed on unchanged: the proxy makes no spans of its own, so the caller stays the callee's parent
 * (section 3.4 allows forwarding unmodified). A request without one, or with one that is malformed, begins a trace that is
 * not sampled, and then carries no foreign tracestate.
 */
export function traceContext(draft: RequestDraft): void {
  const given = draft.head.fields.valueOf(TRACEPARENT);
  if (given !== undefined && isTraceParent(given)) return;
  draft.drop |= TRACEPARENT | TRACESTATE;
  draft.added += `traceparent: 00-${drawHex(16)}-${drawHex(8)}-00\r\n`;
}
