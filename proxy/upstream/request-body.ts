import { Base64Reader } from '../grpc/base64.ts';
import { MAX_REPLAY_BYTES } from '../http1/limits.ts';
import type { Carrier } from './carrier.ts';

/**
 * A request's body as the upstream gets it. What has come of it is kept for another try until it is let go, which it is once more than
 * the limit is on its way: then there is no other try.
 */
export class RequestBody {
  /** As its head announces it. -1: known once it has ended. */
  lengthBytes: number;
  /** All of it has come. */
  isDone = false;
  #trailers = '';
  #kept = '';
  #isKept = true;
  /** It comes as text. */
  #base64: Base64Reader | undefined = undefined;

  constructor(lengthBytes: number) {
    this.lengthBytes = lengthBytes;
  }

  /** What comes is base64, and goes on as the bytes that it stands for. */
  decode(): void {
    this.#base64 = new Base64Reader();
    if (this.lengthBytes > 0) this.lengthBytes = -1;
  }

  /** Everything that came is still here. */
  get isKept(): boolean {
    return this.#isKept;
  }

  /** More is kept than should be. */
  get isFull(): boolean {
    return this.#kept.length > MAX_REPLAY_BYTES;
  }

  /** Keeps it, and passes it on where a try is under way. False when it is not the base64 that it should be. */
  take(from: Buffer, start: number, end: number, carrier: Carrier | undefined): boolean {
    if (this.#base64 === undefined) {
      this.#pass(from, start, end, carrier);
      return true;
    }
    const bytes = this.#base64.read(from, start, end);
    if (bytes === undefined) return false;
    if (bytes.length > 0) this.#pass(bytes, 0, bytes.length, carrier);
    return true;
  }

  #pass(from: Buffer, start: number, end: number, carrier: Carrier | undefined): void {
    if (!this.#isKept) {
      carrier?.sendBody(from, start, end, undefined);
      return;
    }
    const text = from.toString('latin1', start, end);
    this.#kept += text;
    carrier?.sendBody(from, start, end, text);
  }

  /** As take. `trailers`: lines with their CRLF, or ''. */
  end(trailers: string, carrier: Carrier | undefined): boolean {
    if (this.#base64?.isWhole === false) return false;
    this.isDone = true;
    this.#trailers = trailers;
    carrier?.sendEnd(trailers);
    return true;
  }

  /** What has come so far, behind a head. */
  sendTo(carrier: Carrier): void {
    carrier.sendText(this.#kept);
    if (this.isDone) carrier.sendEnd(this.#trailers);
  }

  letGo(): void {
    this.#kept = '';
    this.#isKept = false;
  }
}
