import { type Random, randomInt } from '../../kit/random.ts';
import type { Balancer, Candidate } from './balancer.ts';

/** Up to here looking at all is as cheap as drawing two, and exact. */
const FULL_SCAN = 4;

/**
 * The endpoint with the fewest requests in flight for its weight: of all when there are few, else of two drawn at random
 * (Mitzenmacher, "The Power of Two Choices"; Envoy's choice_count default). Ties go to chance, so that idle endpoints
 * share evenly.
 */
export class LeastRequest implements Balancer {
  pick<T extends Candidate>(candidates: readonly T[], random: Random): T {
    const count = candidates.length;
    if (count <= FULL_SCAN) return leastOfAll(candidates, randomInt(random, count));
    const first = randomInt(random, count);
    // The second is drawn from the others: shifting past the first keeps the draw even.
    let second = randomInt(random, count - 1);
    if (second >= first) second++;
    const one = candidates[first] as T;
    const other = candidates[second] as T;
    return load(other) < load(one) ? other : one;
  }
}

function leastOfAll<T extends Candidate>(candidates: readonly T[], start: number): T {
  let best = candidates[start] as T;
  for (let step = 1; step < candidates.length; step++) {
    const candidate = candidates[(start + step) % candidates.length] as T;
    if (load(candidate) < load(best)) best = candidate;
  }
  return best;
}

function load(candidate: Candidate): number {
  return (candidate.active + 1) / Math.max(1, candidate.config.weight);
}
