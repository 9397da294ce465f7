import type { Filter, Score } from './candidate.ts';
import { nodeAffinity } from './filters/node-affinity.ts';
import { nodeName } from './filters/node-name.ts';
import { resourcesFit } from './filters/resources-fit.ts';
import { taints } from './filters/taints.ts';
import { unschedulable } from './filters/unschedulable.ts';
import { balancedAllocation } from './scores/balanced-allocation.ts';
import { leastAllocated } from './scores/least-allocated.ts';
import { spread } from './scores/spread.ts';

/** In this order; a node's first refusal is the one that is told (apis/config/v1/default_plugins.go has the same). */
export const FILTERS: readonly Filter[] = [unschedulable, nodeName, taints, nodeAffinity, resourcesFit];

/** Kubernetes' weights: 1 for both scores of resources, 2 for spreading over topology. */
export const SCORES: readonly { readonly score: Score; readonly weight: number }[] = [
  { score: leastAllocated, weight: 1 },
  { score: balancedAllocation, weight: 1 },
  { score: spread, weight: 2 },
];
