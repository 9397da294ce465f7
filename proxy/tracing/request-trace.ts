import type { EndpointState } from '../cluster/endpoint-state.ts';
import { drawHex } from '../filters/random-hex.ts';
import { failureOf, grpcStatusName } from '../grpc/status.ts';
import type { Direction } from '../telemetry/request-stats.ts';
import type { PreciseTime } from './precise-time.ts';
import type { Span, SpanAttributes } from './span.ts';

/** What a request is known by, taken from its head before the head is used again. */
export interface TracedRequest {
  readonly method: string;
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
  /** Service and method of a gRPC call; '' of other requests. */
  readonly rpcMethod: string;
  readonly clientAddress: string;
  readonly direction: Direction;
}

export interface TracedEnd {
  readonly status: number;
  readonly reason: string;
  /** -1 of what is no gRPC call. */
  readonly grpcStatus: number;
  /** '' where it came to none. */
  readonly cluster: string;
  /** What the client spoke. */
  readonly protocol: 'http1' | 'http2';
}

export interface TraceContext {
  readonly traceId: string;
  /** '' where the trace begins here. */
  readonly parentSpanId: string;
  /** Two hexadecimal digits, `sampled` among them. */
  readonly flags: string;
}

interface Try {
  readonly spanId: string;
  readonly startMs: number;
  readonly endpoint: EndpointState;
  readonly resend: number;
  status: number;
  /** -1: none has come. */
  grpcStatus: number;
  /** Why there was no whole answer. */
  error: string;
}

/** OpenTelemetry's semantic conventions for HTTP: another method is `_OTHER`, so that names stay few. */
const KNOWN_METHODS = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'QUERY',
]);

/**
 * One sampled request: a server span from its head to the end of its answer, and a client span for each try beneath it. At
 * an outbound door the application's own request is what is carried on: there the tries are the spans, and the caller's their parent.
 */
export class RequestTrace {
  readonly #time: PreciseTime;
  readonly #emit: (span: Span) => void;
  readonly #request: TracedRequest;
  readonly #context: TraceContext;
  readonly #spanId = drawHex(8);
  readonly #startMs: number;
  #try: Try | undefined = undefined;
  #tries = 0;

  constructor(time: PreciseTime, emit: (span: Span) => void, request: TracedRequest, context: TraceContext) {
    this.#time = time;
    this.#emit = emit;
    this.#request = request;
    this.#context = context;
    this.#startMs = time.now();
  }

  /** The line to send upstream, before it is known which try sends it. */
  get line(): string {
    return this.#lineOf(this.#spanId);
  }

  /** The head with the present try's span as the callee's parent. */
  headOfTry(head: string): string {
    return this.#try === undefined ? head : head.replace(this.line, this.#lineOf(this.#try.spanId));
  }

  tryStarted(endpoint: EndpointState): void {
    this.#try = {
      spanId: drawHex(8),
      startMs: this.#time.now(),
      endpoint,
      resend: this.#tries++,
      status: 0,
      grpcStatus: -1,
      error: '',
    };
  }

  /** The present try's final head has come. */
  answered(status: number): void {
    if (this.#try !== undefined) this.#try.status = status;
  }

  /** The present try's answer is whole, and is that of a gRPC call. */
  callEnded(grpcStatus: number): void {
    if (this.#try !== undefined) this.#try.grpcStatus = grpcStatus;
  }

  /** The present try has no whole answer; `error` is one of few words. */
  broke(error: string): void {
    if (this.#try !== undefined) this.#try.error = error;
  }

  tryEnded(): void {
    const made = this.#try;
    if (made === undefined) return;
    this.#try = undefined;
    const { authority, scheme, path, direction } = this.#request;
    const error = errorOf(made.status, made.error, 400) || callError(made.grpcStatus, 'client');
    this.#send('client', made.spanId, made.startMs, error, {
      'url.full': `${scheme}://${authority}${path}`,
      ...addressOf(made.endpoint.key, 'network.peer'),
      ...(made.resend === 0 ? {} : { 'http.request.resend_count': made.resend }),
      ...(made.status === 0 ? {} : { 'http.response.status_code': made.status }),
      ...rpcStatus(made.grpcStatus),
      'tutti.direction': direction,
    });
  }

  /** `reason` as in the access log; status 0 when the client had gone. */
  finish({ status, reason, grpcStatus, cluster, protocol }: TracedEnd): void {
    this.tryEnded();
    const { direction, scheme, path, clientAddress } = this.#request;
    if (direction === 'outbound') return;
    const error = errorOf(status, status === 0 ? reason : '', 500) || callError(grpcStatus, 'server');
    this.#send('server', this.#spanId, this.#startMs, error, {
      'url.scheme': scheme,
      'url.path': path,
      'client.address': clientAddress,
      'network.protocol.version': protocol === 'http2' ? '2' : '1.1',
      ...(status === 0 ? {} : { 'http.response.status_code': status }),
      ...(status === 0 ? {} : rpcStatus(grpcStatus)),
      ...(reason === '' ? {} : { 'tutti.reason': reason }),
      ...(cluster === '' ? {} : { 'tutti.cluster': cluster }),
      'tutti.direction': direction,
    });
  }

  #send(kind: Span['kind'], spanId: string, startMs: number, error: string, attributes: SpanAttributes): void {
    const { method, authority, direction, rpcMethod } = this.#request;
    const known = KNOWN_METHODS.has(method);
    const aboveTries = direction === 'outbound' ? this.#context.parentSpanId : this.#spanId;
    this.#emit({
      traceId: this.#context.traceId,
      spanId,
      parentSpanId: kind === 'server' ? this.#context.parentSpanId : aboveTries,
      name: known ? method : 'HTTP',
      kind,
      startMs,
      endMs: Math.max(startMs, this.#time.now()),
      attributes: {
        'http.request.method': known ? method : '_OTHER',
        ...addressOf(authority, 'server'),
        ...(rpcMethod === '' ? {} : { 'rpc.system.name': 'grpc', 'rpc.method': rpcMethod }),
        ...attributes,
        ...(error === '' ? {} : { 'error.type': error }),
      },
      failed: error !== '',
    });
  }

  #lineOf(spanId: string): string {
    return `traceparent: 00-${this.#context.traceId}-${spanId}-${this.#context.flags}\r\n`;
  }
}

/** A server is at fault from 500 on, a client's request has failed from 400 on (semantic conventions, "Status"). */
function errorOf(status: number, broken: string, from: number): string {
  if (broken !== '') return broken;
  return status >= from ? String(status) : '';
}

/** A caller has failed with whatever is not OK; a server with what speaks against it (semantic conventions for gRPC). */
function callError(status: number, kind: Span['kind']): string {
  const failed = kind === 'client' ? status > 0 : failureOf(status) >= 500;
  return failed ? grpcStatusName(status) : '';
}

function rpcStatus(status: number): SpanAttributes {
  return status < 0 ? {} : { 'rpc.status_code': grpcStatusName(status) };
}

function addressOf(authority: string, prefix: string): SpanAttributes {
  const [, host, port] = /^(\[[^\]]+\]|[^:]*)(?::(\d+))?$/.exec(authority) ?? [];
  if (host === undefined || host === '') return {};
  return {
    [`${prefix}.address`]: host.replace(/^\[|\]$/g, ''),
    ...(port === undefined ? {} : { [`${prefix}.port`]: Number(port) }),
  };
}
