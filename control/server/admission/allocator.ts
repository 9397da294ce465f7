import { ApiError } from '../../../api/meta/api-error.ts';
import type { Random } from '../../../kit/random.ts';
import { claimedItem, claimsPrefix } from './claims.ts';
import { type Pool, pickFree } from './pool.ts';

export interface ClaimedKeys {
  keys(prefix: string): Promise<readonly string[]>;
}

/**
 * Finds what is free now. Whether it still is when the object is written, the transaction decides: the verb comes back
 * for another when it was not.
 */
export class Allocator {
  readonly #claimed: ClaimedKeys;
  readonly #random: Random;

  constructor(claimed: ClaimedKeys, random: Random) {
    this.#claimed = claimed;
    this.#random = random;
  }

  /** So many items that nobody has, all different. Throws ApiError 503 when the pool has no more. */
  async free(pool: Pool, count: number): Promise<readonly string[]> {
    if (count === 0) return [];
    const keys = await this.#claimed.keys(claimsPrefix(pool));
    const taken = new Set(keys.map((key) => claimedItem(pool, key)));
    return Array.from({ length: count }, () => {
      const item = pickFree(pool, taken, this.#random);
      if (item === undefined) throw ApiError.unavailable(`${pool.name}: all ${pool.size} are taken`);
      taken.add(item);
      return item;
    });
  }
}
