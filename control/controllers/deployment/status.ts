import type { Deployment, DeploymentCondition } from '../../../api/kinds/deployment.ts';
import { withCondition } from './conditions.ts';
import { actual, available, ready, wanted } from './counts.ts';
import { fenceposts } from './fenceposts.ts';
import { everyone, type Generations } from './generations.ts';

export type DeploymentStatus = Deployment['status'];

export interface StatusInput {
  readonly deployment: Deployment;
  readonly generations: Generations;
  readonly conditions: readonly DeploymentCondition[];
  readonly now: string;
}

/** The counts and the Available condition (calculateStatus in sync.go). Zeroes are left out, as Go's omitempty does. */
export function measuredStatus({ deployment, generations, conditions, now }: StatusInput): DeploymentStatus {
  const all = everyone(generations);
  const availableReplicas = available(all);
  const isAvailable = availableReplicas >= deployment.spec.replicas - fenceposts(deployment).maxUnavailable;
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    ...nonZero({
      replicas: actual(all),
      updatedReplicas: generations.present?.status.replicas ?? 0,
      readyReplicas: ready(all),
      availableReplicas,
      unavailableReplicas: Math.max(0, wanted(all) - availableReplicas),
    }),
    ...(deployment.status.collisionCount === undefined ? {} : { collisionCount: deployment.status.collisionCount }),
    conditions: [
      ...withCondition(
        conditions,
        isAvailable
          ? {
              type: 'Available',
              status: 'True',
              reason: 'MinimumReplicasAvailable',
              message: 'Deployment has minimum availability.',
            }
          : {
              type: 'Available',
              status: 'False',
              reason: 'MinimumReplicasUnavailable',
              message: 'Deployment does not have minimum availability.',
            },
        now,
      ),
    ],
  };
}

/** Every pod is of the present template and available, and no other is left (deploymentutil.DeploymentComplete). */
export function isComplete({ metadata, spec }: Deployment, status: DeploymentStatus): boolean {
  return (
    (status.updatedReplicas ?? 0) === spec.replicas &&
    (status.replicas ?? 0) === spec.replicas &&
    (status.availableReplicas ?? 0) === spec.replicas &&
    (status.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  );
}

function nonZero<Field extends string>(counts: Readonly<Record<Field, number>>): Partial<Record<Field, number>> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0)) as Partial<
    Record<Field, number>
  >;
}
