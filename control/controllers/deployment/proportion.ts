import type { Deployment } from '../../../api/kinds/deployment.ts';
import type { ReplicaSet } from '../../../api/kinds/replica-set.ts';
import { active, byAge, wanted } from './counts.ts';
import { fenceposts } from './fenceposts.ts';
import { everyone, type Generations } from './generations.ts';
import { annotatedReplicas, DESIRED_REPLICAS, MAX_REPLICAS } from './revision.ts';
import type { Scale } from './rolling.ts';

/** Whether the Deployment's size was changed since its ReplicaSets were last scaled (isScalingEvent in sync.go). */
export function sizeChanged(deployment: Deployment, generations: Generations): boolean {
  return active(everyone(generations)).some((replicaSet) => {
    const desired = annotatedReplicas(replicaSet, DESIRED_REPLICAS);
    return desired !== undefined && desired !== deployment.spec.replicas;
  });
}

/**
 * A Deployment that is resized or paused (scale in sync.go). One ReplicaSet with pods gets the whole size. When the
 * present one has it all, or the strategy is Recreate, the old ones go to 0. In the middle of a rolling update the difference is shared out in
 * proportion, so that one bad version does not get all the new pods.
 */
export function resize(deployment: Deployment, generations: Generations): readonly Scale[] {
  const { replicas } = deployment.spec;
  const only = onlyActiveOrNewest(generations);
  if (only !== undefined) return [{ replicaSet: only, to: replicas }];
  const isRecreate = deployment.spec.strategy.type === 'Recreate';
  if (isRecreate || isSaturated(deployment, generations.present)) {
    return active(generations.old).map((replicaSet) => ({ replicaSet, to: 0 }));
  }
  return proportional(deployment, generations);
}

function onlyActiveOrNewest(generations: Generations): ReplicaSet | undefined {
  const running = active(everyone(generations));
  if (running.length === 0) return generations.present ?? [...generations.old].sort(byAge).at(-1);
  return running.length === 1 ? running[0] : undefined;
}

function isSaturated({ spec: { replicas } }: Deployment, present: ReplicaSet | undefined): boolean {
  return (
    present?.spec.replicas === replicas &&
    annotatedReplicas(present, DESIRED_REPLICAS) === replicas &&
    present.status.availableReplicas === replicas
  );
}

function proportional(deployment: Deployment, generations: Generations): readonly Scale[] {
  const { replicas } = deployment.spec;
  const running = active(everyone(generations));
  const allowed = replicas > 0 ? replicas + fenceposts(deployment).maxSurge : 0;
  const toAdd = allowed - wanted(running);
  // The largest first; of equals the newest gains and the oldest loses.
  const sorted = [...running].sort(
    (left, right) => right.spec.replicas - left.spec.replicas || (toAdd > 0 ? byAge(right, left) : byAge(left, right)),
  );
  let added = 0;
  const scales = sorted.map((replicaSet) => {
    const share = shareOf(replicaSet, { deployment, toAdd, added });
    added += share;
    return { replicaSet, to: replicaSet.spec.replicas + share };
  });
  // What rounding left over goes to the largest.
  return scales.map(({ replicaSet, to }, index) => ({
    replicaSet,
    to: index === 0 ? Math.max(0, to + toAdd - added) : to,
  }));
}

interface Sharing {
  readonly deployment: Deployment;
  /** Pods to add to all together; negative to remove. */
  readonly toAdd: number;
  /** Given out so far. */
  readonly added: number;
}

/** deploymentutil.GetReplicaSetProportion. */
function shareOf(replicaSet: ReplicaSet, { deployment, toAdd, added }: Sharing): number {
  if (toAdd === 0 || toAdd === added) return 0;
  const fraction = fractionOf(replicaSet, deployment);
  return toAdd > 0 ? Math.min(fraction, toAdd - added) : Math.max(fraction, toAdd - added);
}

function fractionOf(replicaSet: ReplicaSet, deployment: Deployment): number {
  const size = replicaSet.spec.replicas;
  if (deployment.spec.replicas === 0) return -size;
  const max = deployment.spec.replicas + fenceposts(deployment).maxSurge;
  // Where the annotation is gone, the pods that there are stand for what the size was a share of.
  const base = annotatedReplicas(replicaSet, MAX_REPLICAS) || (deployment.status.replicas ?? 0);
  return base === 0 ? 0 : Math.round((size * max) / base) - size;
}
