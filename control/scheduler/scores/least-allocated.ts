import type { Score } from '../candidate.ts';
import { usedShares } from '../used-shares.ts';

/** The more is free, the better: mean of the free shares of CPU and memory (noderesources/least_allocated.go). */
export const leastAllocated: Score = {
  name: 'LeastAllocated',
  rate: (pod, candidates) =>
    candidates.map((candidate) => {
      const { cpu, memory } = usedShares(pod, candidate);
      return 100 * (1 - (cpu + memory) / 2);
    }),
};
