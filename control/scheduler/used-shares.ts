import type { NodeCandidate, PodToPlace } from './candidate.ts';

/** What part of a node's CPU and memory would be used with the pod on it: 0 to 1. */
export function usedShares(
  pod: PodToPlace,
  { allocatable, assumedCost }: NodeCandidate,
): { readonly cpu: number; readonly memory: number } {
  return {
    cpu: share(assumedCost.milliCpu + pod.assumedCost.milliCpu, allocatable.get('cpu')),
    memory: share(assumedCost.memoryBytes + pod.assumedCost.memoryBytes, allocatable.get('memory')),
  };
}

/** A node that has none of it counts as full. */
function share(used: number, all: number | undefined): number {
  return all === undefined || all === 0 ? 1 : Math.min(1, used / all);
}
