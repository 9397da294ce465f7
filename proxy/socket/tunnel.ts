import type { TunnelEnd } from './tunnel-end.ts';
import { writeCopy } from './write-copy.ts';

/**
 * Two ends joined: bytes go through untouched, each side's end is passed on, and a slow reader stops the other side's
 * reading. Used after 101 and CONNECT. The owners of the ends hand in what they read.
 */
export class Tunnel {
  readonly #client: TunnelEnd;
  readonly #upstream: TunnelEnd;
  bytesIn = 0;
  bytesOut = 0;

  constructor(client: TunnelEnd, upstream: TunnelEnd) {
    this.#client = client;
    this.#upstream = upstream;
    client.resume();
    upstream.resume();
  }

  fromClient(from: Buffer, start: number, end: number): void {
    if (end <= start) return;
    this.bytesIn += end - start;
    if (!writeCopy(this.#upstream, from, start, end)) this.#client.pause();
  }

  fromUpstream(from: Buffer, start: number, end: number): void {
    if (end <= start) return;
    this.bytesOut += end - start;
    if (!writeCopy(this.#client, from, start, end)) this.#upstream.pause();
  }

  clientEnded(): void {
    this.#upstream.end();
  }

  upstreamEnded(): void {
    this.#client.end();
  }

  clientDrained(): void {
    this.#upstream.resume();
  }

  upstreamDrained(): void {
    this.#client.resume();
  }

  /** A side is gone: the other still gets what is on its way to it. */
  clientClosed(): void {
    this.#upstream.destroySoon();
  }

  upstreamClosed(): void {
    this.#client.destroySoon();
  }
}
