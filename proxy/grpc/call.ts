import type { RequestHead } from '../http1/request-head.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { Reason } from '../telemetry/reason.ts';
import type { OwnReply } from '../upstream/client.ts';
import { type CallKind, callKind } from './call-kind.ts';
import { grpcOwnLines } from './own-lines.ts';
import { failureOf, grpcStatusFor, parseGrpcStatus, statusInTrailers } from './status.ts';
import { grpcTimeoutMs } from './timeout.ts';

/** A request that is a gRPC call: how long its client waits, and how it ended. */
export class Call {
  /** From the call's head on; undefined when its client waits for as long as it takes. */
  readonly timeoutMs: number | undefined;
  readonly #kind: Exclude<CallKind, 'none'>;
  /** -1: none has come. */
  #status = -1;

  private constructor(kind: Exclude<CallKind, 'none'>, timeoutMs: number | undefined) {
    this.#kind = kind;
    this.timeoutMs = timeoutMs;
  }

  /** Undefined for a request that is none. */
  static of(head: RequestHead): Call | undefined {
    const kind = callKind(head.fields);
    return kind === 'none' ? undefined : new Call(kind, grpcTimeoutMs(head.header('grpc-timeout')));
  }

  /** The whole answer may be its head (gRPC's Trailers-Only form). */
  answered(head: ResponseHead): void {
    const text = head.fields.find('grpc-status');
    if (text !== undefined) this.#status = parseGrpcStatus(text);
  }

  /** `trailers`: lines with their CRLF. */
  ended(trailers: string): void {
    this.#status = statusInTrailers(trailers) ?? this.#status;
  }

  /** What an answer of our own, meant for HTTP, is for this call; its status is the call's from now on. */
  ownReply({ status, reason, body, fields }: OwnReply): OwnReply {
    this.#status = grpcStatusFor(status, reason);
    return { status: 200, reason, body: '', fields: grpcOwnLines(this.#kind, this.#status, body) + fields };
  }

  /** 0 to 16. Of a call that ended without a status it is what its client makes of the rest. */
  status(httpStatus: number, reason: Reason): number {
    return this.#status >= 0 ? this.#status : grpcStatusFor(httpStatus, reason);
  }

  /** The HTTP status that its end stands for: 5xx where it speaks against the endpoint. */
  outcome(httpStatus: number, reason: Reason): number {
    return httpStatus === 200 ? failureOf(this.status(httpStatus, reason)) : httpStatus;
  }
}
