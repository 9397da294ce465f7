import type { Deployment, DeploymentCondition } from '../../../api/kinds/deployment.ts';
import { findCondition } from '../../../api/meta/condition.ts';

type Conditions = readonly DeploymentCondition[];

/** What is said of one aspect; the times are filled when it is set. */
export type Verdict = Required<Pick<DeploymentCondition, 'type' | 'status' | 'reason' | 'message'>>;

/**
 * Sets a condition unless status and reason are what they were; lastTransitionTime moves with the status alone
 * (deploymentutil.SetDeploymentCondition).
 */
export function withCondition(conditions: Conditions, verdict: Verdict, now: string): Conditions {
  const old = findCondition(conditions, verdict.type);
  if (old?.status === verdict.status && old.reason === verdict.reason) return conditions;
  return replaceCondition(conditions, verdict, now);
}

/** As {@link withCondition}, and lastUpdateTime moves even when nothing else does: there was progress. */
export function replaceCondition(conditions: Conditions, verdict: Verdict, now: string): Conditions {
  const old = findCondition(conditions, verdict.type);
  const lastTransitionTime = old?.status === verdict.status ? (old.lastTransitionTime ?? now) : now;
  return [...withoutCondition(conditions, verdict.type), { ...verdict, lastUpdateTime: now, lastTransitionTime }];
}

export function withoutCondition(conditions: Conditions, type: string): Conditions {
  return conditions.filter((condition) => condition.type !== type);
}

/** The largest int32 means: no deadline (deploymentutil.HasProgressDeadline). */
const NO_DEADLINE = 2 ** 31 - 1;

export function hasDeadline({ spec }: Deployment): boolean {
  return spec.progressDeadlineSeconds !== NO_DEADLINE;
}

/**
 * Pausing and resuming stop the clock of progressDeadlineSeconds, or a Deployment that was paused for long would fail
 * as soon as it is resumed (checkPausedConditions in sync.go).
 */
export function withPauseNoted(deployment: Deployment, now: string): Conditions {
  const conditions = deployment.status.conditions ?? [];
  if (!hasDeadline(deployment)) return conditions;
  const reason = findCondition(conditions, 'Progressing')?.reason;
  if (reason === 'ProgressDeadlineExceeded') return conditions;
  const isPaused = deployment.spec.paused === true;
  if (isPaused === (reason === 'DeploymentPaused')) return conditions;
  const verdict: Verdict = isPaused
    ? { type: 'Progressing', status: 'Unknown', reason: 'DeploymentPaused', message: 'Deployment is paused' }
    : { type: 'Progressing', status: 'Unknown', reason: 'DeploymentResumed', message: 'Deployment is resumed' };
  return withCondition(conditions, verdict, now);
}
