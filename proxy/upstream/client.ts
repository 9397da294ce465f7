import type { Framing } from '../http1/body-reader.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { CompiledEdits } from '../route/header-edits.ts';
import type { Tunnel } from '../socket/tunnel.ts';
import type { TunnelEnd } from '../socket/tunnel-end.ts';
import type { Reason } from '../telemetry/reason.ts';

/** A whole answer of the proxy's own. */
export interface OwnReply {
  readonly status: number;
  readonly reason: Reason;
  readonly body: string;
  /** Lines with their CRLF. */
  readonly fields: string;
}

/** The client's side of an exchange, as the exchange needs it. http1/server-connection.ts is one. */
export interface Client {
  readonly protocol: 'http1' | 'http2';
  /** Where a tunnel may begin; undefined where there can be none. */
  readonly tunnelEnd: TunnelEnd | undefined;
  /** Writes a whole answer of our own and ends the response. */
  answer(reply: OwnReply, nowMs: number): void;
  /** A 1xx other than 101. */
  interim(head: ResponseHead): void;
  startResponse(head: ResponseHead, framing: Framing, edits: CompiledEdits | undefined): void;
  body(from: Buffer, start: number, end: number): void;
  /** False when the client reads more slowly than the upstream sends. */
  flush(): boolean;
  /** `trailers`: lines with their CRLF, or ''. */
  endResponse(nowMs: number, trailers: string): void;
  /** The response cannot be completed: only a cut connection, or a reset stream, can say so. */
  abort(): void;
  pauseUpload(): void;
  resumeUpload(): void;
  startRequestTimeout(nowMs: number, timeoutMs: number): void;
  stopRequestTimeout(): void;
  /** The bytes after the head are the tunnel's. `establish`: CONNECT's own 200 is still to be written. */
  joinTunnel(tunnel: Tunnel, establish: 'established' | 'establish'): void;
}
