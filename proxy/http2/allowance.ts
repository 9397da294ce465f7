/**
 * How often something may happen: a burst, and so many a second; what is useful can earn more. (A token bucket, as nghttp2's
 * limits are.)
 */
export class Allowance {
  readonly #burst: number;
  readonly #perMs: number;
  #left: number;
  #atMs = Number.NEGATIVE_INFINITY;

  constructor(burst: number, perSecond: number) {
    this.#burst = burst;
    this.#perMs = perSecond / 1000;
    this.#left = burst;
  }

  /** Takes one; false when there is none. */
  take(nowMs: number): boolean {
    if (nowMs > this.#atMs) {
      if (this.#atMs !== Number.NEGATIVE_INFINITY) {
        this.#left = Math.min(this.#burst, this.#left + (nowMs - this.#atMs) * this.#perMs);
      }
      this.#atMs = nowMs;
    }
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }

  earn(count: number): void {
    this.#left = Math.min(this.#burst, this.#left + count);
  }
}
