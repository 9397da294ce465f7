import { type Random, randomInt } from '../../kit/random.ts';
import type { NodeCandidate, PodToPlace } from './candidate.ts';
import { FILTERS, SCORES } from './order.ts';
import { refusalMessage } from './refusal-message.ts';

/** Why a node may not have the pod. */
export interface Refusal {
  readonly node: string;
  readonly filter: string;
  readonly reasons: readonly string[];
}

export type Placement =
  | {
      readonly type: 'bind';
      readonly node: string;
      /** The weighted sum, and how many other nodes would have done. */
      readonly score: number;
      readonly alternatives: number;
      readonly refusals: readonly Refusal[];
    }
  | { readonly type: 'unschedulable'; readonly message: string; readonly refusals: readonly Refusal[] };

/**
 * Where a pod goes: filters refuse, scores rank, chance decides between equals (schedulePod in
 * pkg/scheduler/schedule_one.go). The same candidates and the same chance give the same node.
 */
export function decidePlacement(pod: PodToPlace, nodes: readonly NodeCandidate[], random: Random): Placement {
  const refusals: Refusal[] = [];
  const fitting: NodeCandidate[] = [];
  for (const candidate of nodes) {
    const refusal = refusalOf(pod, candidate);
    if (refusal === undefined) fitting.push(candidate);
    else refusals.push(refusal);
  }
  const sums = weightedSums(pod, fitting);
  const best = Math.max(...sums);
  const winners = fitting.filter((_, index) => sums[index] === best);
  const winner = winners[randomInt(random, winners.length)];
  if (winner === undefined) return { type: 'unschedulable', message: refusalMessage(nodes.length, refusals), refusals };
  return {
    type: 'bind',
    node: winner.node.metadata.name,
    score: best,
    alternatives: fitting.length - 1,
    refusals,
  };
}

/** The first filter that refuses, with all its reasons. */
function refusalOf(pod: PodToPlace, candidate: NodeCandidate): Refusal | undefined {
  for (const { name, check } of FILTERS) {
    const reasons = check(pod, candidate);
    if (reasons.length > 0) return { node: candidate.node.metadata.name, filter: name, reasons };
  }
  return undefined;
}

function weightedSums(pod: PodToPlace, fitting: readonly NodeCandidate[]): readonly number[] {
  const sums = fitting.map(() => 0);
  for (const { score, weight } of SCORES) {
    for (const [index, rate] of score.rate(pod, fitting).entries()) sums[index] = (sums[index] ?? 0) + weight * rate;
  }
  return sums;
}
