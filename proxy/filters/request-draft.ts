import { HOP_BY_HOP } from '../http1/field-kind.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { Direction } from '../telemetry/request-stats.ts';
import type { RequestTrace } from '../tracing/request-trace.ts';
import type { Tracer } from '../tracing/tracer.ts';

/** Who sent the request, and by which door it came. One per connection. */
export interface Downstream {
  readonly direction: Direction;
  readonly scheme: 'http' | 'https';
  readonly peerAddress: string;
  /** The caller's SPIFFE id, verified; '' on a connection without mTLS. */
  readonly peerId: string;
  /** Our own SPIFFE id as the caller saw it; '' without mTLS. */
  readonly ownId: string;
  readonly trustForwarded: boolean;
  readonly listenerPort: number;
  /** The caller's own client speaks HTTP/1.1, whatever the two proxies speak to each other. */
  readonly carries?: 'http1' | undefined;
}

/**
 * The request that will be forwarded, while the filters work on it: which kinds of fields to leave out, and the lines to
 * add. Used again for each request.
 */
export class RequestDraft {
  head: RequestHead;
  from: Downstream;
  drop = 0;
  added = '';
  requestId = '';
  /** The host to ask for, when it is not the client's. */
  hostRewrite: string | undefined = undefined;
  /** Undefined where no spans are sent. */
  tracer: Tracer | undefined = undefined;
  /** Of a request that is sampled. */
  trace: RequestTrace | undefined = undefined;

  constructor(head: RequestHead, from: Downstream) {
    this.head = head;
    this.from = from;
  }

  start(head: RequestHead, from: Downstream, hostRewrite: string | undefined): void {
    this.head = head;
    this.from = from;
    this.drop = HOP_BY_HOP;
    this.added = '';
    this.requestId = '';
    this.trace = undefined;
    this.hostRewrite = hostRewrite;
  }
}

/** One thing that is done to every forwarded request. */
export type RequestFilter = (draft: RequestDraft) => void;
