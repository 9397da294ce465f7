import type { Deployment } from '../../../api/kinds/deployment.ts';
import type { ReplicaSet } from '../../../api/kinds/replica-set.ts';
import { active, byAge, lastingAvailable, wanted } from './counts.ts';
import { fenceposts } from './fenceposts.ts';
import type { Generations } from './generations.ts';

/** How many pods a ReplicaSet is to have from now on. */
export interface Scale {
  readonly replicaSet: ReplicaSet;
  readonly to: number;
}

/**
 * How many pods the present ReplicaSet may have at once, with all others as they are (deploymentutil.NewRSNewReplicas).
 * `all` holds it too.
 */
export function newReplicaSetSize(deployment: Deployment, all: readonly ReplicaSet[], present: number): number {
  const { replicas, strategy } = deployment.spec;
  if (strategy.type === 'Recreate') return replicas;
  const room = replicas + fenceposts(deployment).maxSurge - wanted(all);
  return room <= 0 ? present : present + Math.min(room, replicas - present);
}

/**
 * The next step of a rolling update (rolling.go): first the new ReplicaSet grows as far as maxSurge allows; when it
 * cannot, old ones shrink as far as the pods that are available allow. An old pod goes only when, without it, at least
 * `replicas - maxUnavailable` pods are still available, or when it is not available itself.
 */
export function rollingStep(deployment: Deployment, { present, old }: Generations<ReplicaSet>): readonly Scale[] {
  const { replicas } = deployment.spec;
  const size = present.spec.replicas;
  const to = size > replicas ? replicas : newReplicaSetSize(deployment, [...old, present], size);
  return to === size ? shrinkOld(deployment, present, active(old)) : [{ replicaSet: present, to }];
}

function shrinkOld(deployment: Deployment, present: ReplicaSet, old: readonly ReplicaSet[]): readonly Scale[] {
  const minAvailable = deployment.spec.replicas - fenceposts(deployment).maxUnavailable;
  const newUnavailable = present.spec.replicas - (present.status.availableReplicas ?? 0);
  const removable = wanted([...old, present]) - minAvailable - newUnavailable;
  if (removable <= 0) return [];
  const oldest = [...old].sort(byAge);
  const sizes = new Map(oldest.map((replicaSet) => [replicaSet, replicaSet.spec.replicas]));
  // Pods that never became available would block the update for ever (kubernetes#16737): they go first.
  takeFrom(sizes, removable, ({ spec, status }) => spec.replicas - (status.availableReplicas ?? 0));
  takeFrom(sizes, lastingAvailable([...old, present]) - minAvailable, () => Number.POSITIVE_INFINITY);
  return [...sizes].flatMap(([replicaSet, to]) => (to === replicaSet.spec.replicas ? [] : [{ replicaSet, to }]));
}

/** Takes up to `budget` pods in the order of the map, from each at most what `limit` allows and it has. */
function takeFrom(sizes: Map<ReplicaSet, number>, budget: number, limit: (replicaSet: ReplicaSet) => number): void {
  let left = budget;
  for (const [replicaSet, size] of sizes) {
    const taken = Math.max(0, Math.min(left, size, limit(replicaSet)));
    sizes.set(replicaSet, size - taken);
    left -= taken;
  }
}
