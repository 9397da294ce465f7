/** Finagle's RetryBudget defaults: a fifth of the requests, and some for those that have few. */
const PER_REQUEST = 0.2;
const PER_SECOND = 10;
const MOST = 200;

/**
 * How many retries a cluster may still make: each request earns a fifth of one, each second ten, and no more than 200
 * are saved up. A killed replica's requests in flight are all repeated; a cluster that fails as a whole is not asked
 * more than 1.2 times as often. (Envoy's 20 % of what is active at this moment would refuse most of the first.)
 */
export class RetryBudget {
  #tokens = MOST;
  #atMs = Number.NEGATIVE_INFINITY;

  requested(): void {
    if (this.#tokens < MOST) this.#tokens += PER_REQUEST;
  }

  /** Takes one retry's worth, if there is one. */
  take(nowMs: number): boolean {
    if (this.#atMs !== Number.NEGATIVE_INFINITY) {
      this.#tokens = Math.min(MOST, this.#tokens + ((nowMs - this.#atMs) / 1000) * PER_SECOND);
    }
    this.#atMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
