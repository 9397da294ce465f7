import type { EndpointState } from '../cluster/endpoint-state.ts';
import type { Framing } from '../http1/body-reader.ts';
import type { Rejection } from '../http1/rejection.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { Tunnel } from '../socket/tunnel.ts';
import type { TunnelEnd } from '../socket/tunnel-end.ts';
import type { TryFailure } from './retry.ts';

/** A request's head, ready to be sent by whichever protocol. */
export interface OutgoingHead {
  /** As HTTP/1.1 writes it (http1/render-request.ts). */
  readonly text: string;
  /** -1: nobody knows it yet. */
  readonly bodyBytes: number;
  /** The client reads trailers. */
  readonly acceptsTrailers: boolean;
  /** Of the WebSocket that it asks for, or ''. */
  readonly websocketKey: string;
}

/** What carries one try to an endpoint: an HTTP/1.1 connection, or a stream of an HTTP/2 one. A protocol is added by implementing it. */
export interface Carrier {
  readonly endpoint: EndpointState;
  /** Not yet ready to send: {@link CarrierUser.connected} tells. */
  readonly isConnecting: boolean;
  /** Where a tunnel may begin; undefined where there can be none. */
  readonly tunnelEnd: TunnelEnd | undefined;
  sendHead(head: OutgoingHead): void;
  /** `text`: the same bytes as latin1, where they are at hand. */
  sendBody(from: Buffer, start: number, end: number, text: string | undefined): void;
  /** latin1. */
  sendText(text: string): void;
  /** `trailers`: lines with their CRLF, or ''. */
  sendEnd(trailers: string): void;
  /** What was sent leaves. False when there is more of it than should wait. */
  flush(): boolean;
  /** Per-try time-out: from now to the final head. */
  awaitHead(nowMs: number, timeoutMs: number): void;
  /** The client reads more slowly than the endpoint sends. */
  pause(): void;
  resume(): void;
  /** Gives the try up. Nobody is told. */
  close(): void;
  joinTunnel(tunnel: Tunnel): void;
}

/** Whose request a carrier carries. */
export interface CarrierUser {
  readonly method: string;
  readonly requestDone: boolean;
  connected(carrier: Carrier): void;
  /** The endpoint is there, but another kind of carrier is wanted for it. Nothing was sent. */
  carrierUnfit(): void;
  /** A 1xx that is not 101. */
  interim(head: ResponseHead): void;
  /** The final head. `discard`: the answer is not wanted, another try will be made. */
  answered(head: ResponseHead, framing: Framing): 'forward' | 'discard';
  /** Whether the request asked for the switch that a 101 offers. */
  acceptsSwitch(head: ResponseHead): boolean;
  download(from: Buffer, start: number, end: number): void;
  flushDownload(): void;
  /** `trailers`: lines with their CRLF, or ''; `nowMs`: the time, where it is at hand. */
  responseComplete(trailers: string, nowMs?: number): void;
  tryFailed(failure: TryFailure, message: string): void;
  brokenAnswer(rejection: Rejection): void;
  truncated(message: string): void;
  upstreamDrained(): void;
}
