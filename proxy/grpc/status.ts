import type { Reason } from '../telemetry/reason.ts';

/** gRPC's statuses are 0 to 16 (statuscodes.md). */
const STATUS_NAMES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

export const GRPC_STATUS_COUNT = STATUS_NAMES.length;

export function grpcStatusName(status: number): string {
  return STATUS_NAMES[status] ?? 'UNKNOWN';
}

const CANCELLED = 1;
const UNKNOWN = 2;
const DEADLINE_EXCEEDED = 4;
const PERMISSION_DENIED = 7;
const UNIMPLEMENTED = 12;
const INTERNAL = 13;
const UNAVAILABLE = 14;
const DATA_LOSS = 15;
const UNAUTHENTICATED = 16;

/** What a client makes of an HTTP status that came without a gRPC one (gRPC's http-grpc-status-mapping.md). */
export function grpcStatusOfHttp(status: number): number {
  switch (status) {
    case 400:
      return INTERNAL;
    case 401:
      return UNAUTHENTICATED;
    case 403:
      return PERMISSION_DENIED;
    case 404:
      return UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
      return UNAVAILABLE;
    default:
      return UNKNOWN;
  }
}

/** The status that an answer of our own, or a call that ended without one, has for its client. */
export function grpcStatusFor(httpStatus: number, reason: Reason): number {
  if (reason === 'UT') return DEADLINE_EXCEEDED;
  return reason === 'DC' ? CANCELLED : grpcStatusOfHttp(httpStatus);
}

/** A `grpc-status` as it came; what is no status of gRPC's counts as UNKNOWN. */
export function parseGrpcStatus(text: string): number {
  const status = /^\d{1,2}$/.test(text) ? Number(text) : UNKNOWN;
  return status < GRPC_STATUS_COUNT ? status : UNKNOWN;
}

const OK_LINE = 'grpc-status: 0\r\n';
const STATUS_LINE = /(?:^|\n)grpc-status:[ \t]*([^\r\n]*?)[ \t]*(?:\r|$)/i;

/** The status that trailers bring, as lines with their CRLF; undefined when there is none. */
export function statusInTrailers(lines: string): number | undefined {
  // What nearly all calls end with.
  if (lines.startsWith(OK_LINE)) return 0;
  const [, text] = STATUS_LINE.exec(lines) ?? [];
  return text === undefined ? undefined : parseGrpcStatus(text);
}

/**
 * The HTTP status for which Envoy takes a call's end (source/common/grpc/status.cc, grpcToHttpStatus), where that is one of 5xx; 200 for all others,
 * which speak of the call and not against the endpoint that gave it.
 */
export function failureOf(grpcStatus: number): number {
  switch (grpcStatus) {
    case UNKNOWN:
    case INTERNAL:
    case DATA_LOSS:
      return 500;
    case UNIMPLEMENTED:
      return 501;
    case UNAVAILABLE:
      return 503;
    case DEADLINE_EXCEEDED:
      return 504;
    default:
      return 200;
  }
}
