/** 1/φ: its multiples fill the unit interval more evenly than those of any other number (Knuth, TAOCP 6.4, theorem S). */
const GOLDEN = 0.6180339887498949;

/**
 * Divides requests among weights. Each request takes the next point of a golden-ratio sequence, so that after n requests a
 * share is off by about log(n)/n, not by 1/√n as with dice, and no period can fall in step with a client's. All of its
 * state is that point: it outlives any change of weights.
 */
export class Split {
  #point: number;

  constructor(start: number) {
    this.#point = start;
  }

  /** Index into `weights`; -1 when their sum is 0. */
  next(weights: readonly number[], sum: number): number {
    if (sum <= 0) return -1;
    this.#point = (this.#point + GOLDEN) % 1;
    let left = this.#point * sum;
    let last = -1;
    for (let index = 0; index < weights.length; index++) {
      const weight = weights[index] ?? 0;
      if (weight <= 0) continue;
      last = index;
      left -= weight;
      if (left < 0) return index;
    }
    // Rounding has left a crumb: it belongs to the last that takes anything.
    return last;
  }
}
