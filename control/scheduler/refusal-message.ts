import type { Refusal } from './decide.ts';

/**
 * `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.`: how often each reason was given, sorted
 * as text (FitError.Error in pkg/scheduler/framework/types.go).
 */
export function refusalMessage(nodeCount: number, refusals: readonly Refusal[]): string {
  if (nodeCount === 0) return 'no nodes available to schedule pods';
  const counts = new Map<string, number>();
  for (const reason of refusals.flatMap(({ reasons }) => reasons)) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const parts = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${nodeCount} nodes are available: ${parts.join(', ')}.`;
}
