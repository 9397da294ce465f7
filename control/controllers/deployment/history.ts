import type { Deployment } from '../../../api/kinds/deployment.ts';
import type { ReplicaSet } from '../../../api/kinds/replica-set.ts';
import { byAge } from './counts.ts';
import { revisionOf } from './revision.ts';

/**
 * Old ReplicaSets beyond revisionHistoryLimit, those with the lowest revisions first; never one that has pods or that
 * its controller has not seen yet (cleanupDeployment in sync.go).
 */
export function beyondHistory({ spec }: Deployment, old: readonly ReplicaSet[]): readonly ReplicaSet[] {
  const alive = old.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const surplus = Math.max(0, alive.length - spec.revisionHistoryLimit);
  return [...alive]
    .sort((left, right) => revisionOf(left) - revisionOf(right) || byAge(left, right))
    .slice(0, surplus)
    .filter(isEmpty);
}

function isEmpty({ metadata, spec, status }: ReplicaSet): boolean {
  return spec.replicas === 0 && status.replicas === 0 && (status.observedGeneration ?? 0) >= (metadata.generation ?? 0);
}
