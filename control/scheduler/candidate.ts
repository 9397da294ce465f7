import type { Node } from '../../api/kinds/node.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { Amounts } from './resources.ts';

/** A pod that looks for a node, with what filters and scores ask about it worked out once. */
export interface PodToPlace {
  readonly pod: Pod;
  readonly requests: Amounts;
  /** The requests that scores reckon with: one that asks for nothing still uses something. */
  readonly assumedCost: Cost;
  /** The uid of what manages it; '' for a pod of its own. */
  readonly owner: string;
}

/** A node with what is placed on it, pods that were only just bound included. */
export interface NodeCandidate {
  readonly node: Node;
  readonly allocatable: Amounts;
  readonly requested: Amounts;
  readonly assumedCost: Cost;
  readonly podCount: number;
  /** How many pods of each owner it has. */
  readonly podsOfOwner: ReadonlyMap<string, number>;
}

export interface Cost {
  readonly milliCpu: number;
  readonly memoryBytes: number;
}

/** DefaultMilliCPURequest and DefaultMemoryRequest in pkg/scheduler/util/pod_resources.go. */
export const LEAST_COST: Cost = { milliCpu: 100, memoryBytes: 200 * 1024 * 1024 };

/** Whether a node may have the pod. Gives what speaks against it, in Kubernetes' words; nothing when it fits. */
export interface Filter {
  readonly name: string;
  readonly check: (pod: PodToPlace, candidate: NodeCandidate) => readonly string[];
}

/** How good a node that may have the pod would be: 0 to 100 for each candidate, in their order. */
export interface Score {
  readonly name: string;
  readonly rate: (pod: PodToPlace, candidates: readonly NodeCandidate[]) => readonly number[];
}
