import type { TunnelEnd } from '../socket/tunnel-end.ts';
import { CANCEL, NO_ERROR } from './frame.ts';
import type { Session } from './session.ts';
import type { Stream } from './stream.ts';

/** A stream as one end of a tunnel (RFC 8441 section 5, RFC 9113 section 8.5): DATA are its bytes, END_STREAM is TCP's FIN. */
export class StreamEnd implements TunnelEnd {
  readonly #session: Session;
  readonly #stream: Stream;
  /** In one piece that grows: a peer may send its bytes one by one. */
  #early = Buffer.alloc(0);
  #earlyBytes = 0;

  constructor(session: Session, stream: Stream) {
    this.#session = session;
    this.#stream = stream;
    stream.isTunnel = true;
  }

  /** Keeps what came before the tunnel was there: while the stream is paused, no more than its window. */
  keep(from: Buffer, start: number, end: number): void {
    const wanted = this.#earlyBytes + end - start;
    if (wanted > this.#early.length) {
      const larger = Buffer.allocUnsafe(Math.max(wanted, 2 * this.#early.length));
      this.#early.copy(larger, 0, 0, this.#earlyBytes);
      this.#early = larger;
    }
    from.copy(this.#early, this.#earlyBytes, start, end);
    this.#earlyBytes = wanted;
  }

  /** What was kept; nothing is left here. */
  take(): Buffer {
    const kept = this.#early.subarray(0, this.#earlyBytes);
    this.#early = Buffer.alloc(0);
    this.#earlyBytes = 0;
    return kept;
  }

  write(bytes: Buffer, written?: () => void): boolean {
    this.#session.sendData(this.#stream, bytes, 0, bytes.length);
    // The session has written or copied it.
    written?.();
    return this.#stream.queuedBytes === 0 && !this.#session.isBlocked;
  }

  pause(): void {
    this.#session.pause(this.#stream);
  }

  resume(): void {
    this.#session.resume(this.#stream);
  }

  end(): void {
    this.#session.sendEnd(this.#stream, '');
  }

  destroySoon(): void {
    this.#stream.isTunnel = false;
    if (this.#session.role === 'client' && !this.#stream.remoteEnded) {
      // RFC 8441 section 5: what a reset is to TCP. The other side may still be sending to nobody.
      this.#session.reset(this.#stream, CANCEL, 'own');
      return;
    }
    // RFC 9113 section 8.1: all has been said, and what comes now is of no use; no reason to throw away what was said.
    if (this.#stream.localEnded) this.#session.reset(this.#stream, NO_ERROR, 'own');
    else this.#session.sendEnd(this.#stream, '');
  }
}
