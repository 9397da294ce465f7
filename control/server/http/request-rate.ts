import { ApiError } from '../../../api/meta/api-error.ts';
import type { Clock } from '../../../kit/clock.ts';
import type { User } from '../authn/user.ts';

/** Requests a second that one client may make for long; a busy controller makes some ten. */
const REQUESTS_PER_SECOND = 500;

/** Requests that one client may make at once: a large apply, a tool that starts. */
const BURST = 5000;

/** Clients that are remembered; past it, those that have been quiet longest are forgotten, as if they had never asked. */
const MAX_CLIENTS = 10_000;

export interface RequestRateOptions {
  readonly clock: Clock;
  readonly perSecond?: number | undefined;
  readonly burst?: number | undefined;
}

interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

/**
 * How many requests each client may make: a bucket of tokens that fills at a steady rate. The cluster's own parts (agents
 * and the control plane) are not counted: slowing them down makes nothing better.
 */
export class RequestRate {
  readonly #buckets = new Map<string, Bucket>();
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #burst: number;

  constructor({ clock, perSecond = REQUESTS_PER_SECOND, burst = BURST }: RequestRateOptions) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#burst = burst;
  }

  /** Counts a request of this user, who is told apart by `address` when nobody is known. Throws ApiError 429. */
  take(user: User, address: string): void {
    if (user.groups.includes('system:nodes') || user.name.startsWith('system:tutti:')) return;
    const client = user.groups.includes('system:unauthenticated') ? address : user.name;
    const now = this.#clock.monotonic();
    const { tokens, atMs } = this.#buckets.get(client) ?? { tokens: this.#burst, atMs: now };
    const filled = Math.min(this.#burst, tokens + ((now - atMs) / 1000) * this.#perSecond);
    // Put in anew, so that the map is in the order of last use.
    this.#buckets.delete(client);
    this.#buckets.set(client, { tokens: Math.max(filled - 1, 0), atMs: now });
    this.#forgetQuiet();
    if (filled >= 1) return;
    const seconds = Math.max(1, Math.ceil((1 - filled) / this.#perSecond));
    throw ApiError.tooManyRequests(
      `too many requests of ${JSON.stringify(client)}: at most ${this.#perSecond} a second, ${this.#burst} at once; try again in ${seconds} s`,
      seconds,
    );
  }

  #forgetQuiet(): void {
    if (this.#buckets.size <= MAX_CLIENTS) return;
    const [quietest] = this.#buckets.keys();
    if (quietest !== undefined) this.#buckets.delete(quietest);
  }
}
