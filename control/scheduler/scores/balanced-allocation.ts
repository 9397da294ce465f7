import type { Score } from '../candidate.ts';
import { usedShares } from '../used-shares.ts';

/**
 * CPU and memory are best used alike, so that neither is left over without the other: 100 less the standard deviation of
 * their shares (noderesources/balanced_allocation.go).
 */
export const balancedAllocation: Score = {
  name: 'BalancedAllocation',
  rate: (pod, candidates) =>
    candidates.map((candidate) => {
      const { cpu, memory } = usedShares(pod, candidate);
      return 100 * (1 - Math.abs(cpu - memory) / 2);
    }),
};
