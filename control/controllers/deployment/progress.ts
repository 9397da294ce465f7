import type { Deployment, DeploymentCondition } from '../../../api/kinds/deployment.ts';
import type { ReplicaSet } from '../../../api/kinds/replica-set.ts';
import { findCondition } from '../../../api/meta/condition.ts';
import { hasDeadline, replaceCondition, type Verdict, withCondition, withoutCondition } from './conditions.ts';
import { everyone, type Generations } from './generations.ts';
import { type DeploymentStatus, isComplete, measuredStatus, type StatusInput } from './status.ts';

/** The status during a rollout: counts, Available, Progressing and ReplicaFailure (progress.go). */
export function rolloutStatus(input: StatusInput, nowMs: number): DeploymentStatus {
  const measured = measuredStatus(input);
  const progressing = withProgress(input, measured, nowMs);
  const failure = replicaFailure(input.generations);
  const conditions =
    failure === undefined
      ? withoutCondition(progressing, 'ReplicaFailure')
      : withCondition(progressing, failure, input.now);
  return { ...measured, conditions: [...conditions] };
}

/**
 * Milliseconds until the progress deadline must be looked at again; undefined when there is nothing to wait for
 * (requeueStuckDeployment).
 */
export function deadlineInMs(deployment: Deployment, status: DeploymentStatus, nowMs: number): number | undefined {
  const condition = findCondition(status.conditions, 'Progressing');
  if (!hasDeadline(deployment) || deployment.spec.paused === true || condition === undefined) return undefined;
  if (isComplete(deployment, status) || condition.reason === 'ProgressDeadlineExceeded') return undefined;
  // A second more, because the condition's time has whole seconds.
  return Math.max(0, deadlineOf(deployment, condition) - nowMs) + 1000;
}

function withProgress(
  { deployment, generations, conditions, now }: StatusInput,
  measured: DeploymentStatus,
  nowMs: number,
): readonly DeploymentCondition[] {
  const present = measured.conditions ?? [];
  if (!hasDeadline(deployment)) return withoutCondition(present, 'Progressing');
  const current = findCondition(conditions, 'Progressing');
  const isSettled = measured.replicas === measured.updatedReplicas && current?.reason === 'NewReplicaSetAvailable';
  if (isSettled) return present;
  const subject =
    generations.present === undefined
      ? `Deployment "${deployment.metadata.name}"`
      : `ReplicaSet "${generations.present.metadata.name}"`;
  if (isComplete(deployment, measured)) {
    const message = `${subject} has successfully progressed.`;
    return withCondition(present, progressing('True', 'NewReplicaSetAvailable', message), now);
  }
  if (hasProgressed(deployment.status, measured)) {
    return replaceCondition(present, progressing('True', 'ReplicaSetUpdated', `${subject} is progressing.`), now);
  }
  if (current !== undefined && hasTimedOut(deployment, current, nowMs)) {
    const message = `${subject} has timed out progressing.`;
    return withCondition(present, progressing('False', 'ProgressDeadlineExceeded', message), now);
  }
  return present;
}

/** deploymentutil.DeploymentProgressing. */
function hasProgressed(before: DeploymentStatus, after: DeploymentStatus): boolean {
  const olds = ({ replicas = 0, updatedReplicas = 0 }: DeploymentStatus): number => replicas - updatedReplicas;
  return (
    (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    olds(after) < olds(before) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

/** deploymentutil.DeploymentTimedOut: a rollout that was complete cannot time out. */
function hasTimedOut(deployment: Deployment, condition: DeploymentCondition, nowMs: number): boolean {
  if (condition.reason === 'NewReplicaSetAvailable') return false;
  return condition.reason === 'ProgressDeadlineExceeded' || deadlineOf(deployment, condition) < nowMs;
}

function deadlineOf({ spec }: Deployment, { lastUpdateTime }: DeploymentCondition): number {
  const from = lastUpdateTime === undefined ? 0 : Date.parse(lastUpdateTime);
  return from + spec.progressDeadlineSeconds * 1000;
}

/** A failure of the present ReplicaSet to make pods tells more than one of an old one (getReplicaFailures). */
function replicaFailure(generations: Generations): Verdict | undefined {
  const failures = [generations.present, ...everyone(generations)].flatMap((each) => failureOf(each) ?? []);
  return failures[0];
}

function failureOf(replicaSet: ReplicaSet | undefined): Verdict | undefined {
  const failure = findCondition(replicaSet?.status.conditions, 'ReplicaFailure');
  if (failure === undefined) return undefined;
  const { status, reason = '', message = '' } = failure;
  return { type: 'ReplicaFailure', status, reason, message };
}

function progressing(status: 'True' | 'False' | 'Unknown', reason: string, message: string): Verdict {
  return { type: 'Progressing', status, reason, message };
}
