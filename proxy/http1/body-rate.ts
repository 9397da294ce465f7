/**
 * Apache's mod_reqtimeout as it is by default, `body=20,MinRate=500`: a body has 20 s, and one more for each 500 bytes that have come. So a
 * body that trickles ends, and one of any size that comes at a modem's rate does not.
 */
const GRACE_MS = 20_000;
const MIN_BYTES_PER_SECOND = 500;

/** How a body is coming in. Times are monotonic milliseconds. */
export class BodyRate {
  readonly #sinceMs: number;
  #heldBackMs = 0;
  /** Undefined while the client may send. */
  #heldSinceMs: number | undefined = undefined;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
  }

  /** We do not read: what comes behind us is slower. That is not the client's time. */
  hold(nowMs: number): void {
    this.#heldSinceMs ??= nowMs;
  }

  release(nowMs: number): void {
    if (this.#heldSinceMs === undefined) return;
    this.#heldBackMs += nowMs - this.#heldSinceMs;
    this.#heldSinceMs = undefined;
  }

  /** When a body of which so many bytes have come is to be whole, if nothing more comes. */
  dueMs(bytes: number, nowMs: number): number {
    const heldMs = this.#heldBackMs + (this.#heldSinceMs === undefined ? 0 : nowMs - this.#heldSinceMs);
    return this.#sinceMs + GRACE_MS + (bytes / MIN_BYTES_PER_SECOND) * 1000 + heldMs;
  }
}
