/** One side of a tunnel: a socket, or a stream of HTTP/2 that is used like one. Shaped as Node's sockets are. */
export interface TunnelEnd {
  /** `written`: the memory may be used again. False: wait until the tunnel is told that it has drained. */
  write(bytes: Buffer, written?: () => void): boolean;
  pause(): unknown;
  resume(): unknown;
  /** Nothing more will be written; the other direction stays open. */
  end(): unknown;
  /** Closes once what was written has left. */
  destroySoon(): void;
}
