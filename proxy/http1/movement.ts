import type { Clock } from '../../kit/clock.ts';
import { BodyRate } from './body-rate.ts';

/** What of an exchange tells that it goes on: bytes. */
export interface Moving {
  /** Of the request's body. */
  readonly bytesIn: number;
  /** Either way. */
  readonly progress: number;
}

export type Movement =
  /** To be looked at again at that time. */
  | { readonly kind: 'moves'; readonly dueMs: number }
  /** Nothing has moved for too long. */
  | { readonly kind: 'stands-still' }
  /** The body is slower than it may be. */
  | { readonly kind: 'trickles' };

/** The watch has not looked at this exchange yet. */
const NOT_LOOKED = -1;
const STANDS_STILL: Movement = { kind: 'stands-still' };
const TRICKLES: Movement = { kind: 'trickles' };

/** Whether the exchange at hand on a connection goes on: some byte within the idle time, and its body, where it is watched, at its least rate. */
export class MovementWatch {
  readonly #clock: Clock;
  readonly #idleTimeoutMs: number;
  #seenProgress = NOT_LOOKED;
  /** When a look saw that the exchange had gone on. */
  #movedAtMs = 0;
  #body: BodyRate | undefined = undefined;

  constructor(clock: Clock, idleTimeoutMs: number) {
    this.#clock = clock;
    this.#idleTimeoutMs = idleTimeoutMs;
  }

  /** Another exchange. */
  begin(): void {
    this.#seenProgress = NOT_LOOKED;
    this.#body = undefined;
  }

  get isOnBody(): boolean {
    return this.#body !== undefined;
  }

  /** Its body did not come with its head. Gives the time of the next look. */
  watchBody(nowMs: number, client: 'may-send' | 'is-held'): number {
    const body = new BodyRate(nowMs);
    if (client === 'is-held') body.hold(nowMs);
    this.#body = body;
    this.#movedAtMs = nowMs;
    return this.#nextLookMs(body.dueMs(0, nowMs));
  }

  /** We do not read from the client, or do again. */
  hold(): void {
    this.#body?.hold(this.#clock.monotonic());
  }

  release(): void {
    this.#body?.release(this.#clock.monotonic());
  }

  look({ bytesIn, progress }: Moving, body: 'coming' | 'come', nowMs: number): Movement {
    const bodyDueMs = (body === 'coming' ? this.#body : undefined)?.dueMs(bytesIn, nowMs) ?? Number.POSITIVE_INFINITY;
    if (bodyDueMs <= nowMs) return TRICKLES;
    if (progress !== this.#seenProgress) {
      this.#seenProgress = progress;
      this.#movedAtMs = nowMs;
    }
    if (nowMs - this.#movedAtMs >= this.#idleTimeoutMs) return STANDS_STILL;
    return { kind: 'moves', dueMs: this.#nextLookMs(bodyDueMs) };
  }

  #nextLookMs(bodyDueMs: number): number {
    return Math.min(bodyDueMs, this.#movedAtMs + this.#idleTimeoutMs);
  }
}
