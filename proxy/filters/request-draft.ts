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
 * add. Made for each request: what is added to something that lives longer has to be told to the collector each time.
 */
export class RequestDraft {
  readonly head: RequestHead;
  readonly from: Downstream;
  /** The host to ask for, when it is not the client's. */
  readonly hostRewrite: string | undefined;
  /** Undefined where no spans are sent. */
  readonly tracer: Tracer | undefined;
  drop = HOP_BY_HOP;
  added = '';
  requestId = '';
  /** Of a request that is sampled. */
  trace: RequestTrace | undefined = undefined;

  constructor(head: RequestHead, from: Downstream, hostRewrite?: string, tracer?: Tracer) {
    this.head = head;
    this.from = from;
    this.hostRewrite = hostRewrite;
    this.tracer = tracer;
  }
}

/** One thing that is done to every forwarded request. */
export type RequestFilter = (draft: RequestDraft) => void;
