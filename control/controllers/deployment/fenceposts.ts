import type { Deployment } from '../../../api/kinds/deployment.ts';
import { resolveIntOrPercent } from '../../../api/meta/int-or-percent.ts';

/** How far a rolling update may leave the wanted number of pods, in pods. */
export interface Fenceposts {
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

/**
 * maxSurge rounds up, maxUnavailable down; when both come to 0 one pod may be unavailable, or nothing could move
 * (deploymentutil.ResolveFenceposts). Recreate has neither.
 */
export function fenceposts({ spec }: Deployment): Fenceposts {
  const rolling = spec.strategy.rollingUpdate;
  if (spec.strategy.type !== 'RollingUpdate' || rolling === undefined) return { maxSurge: 0, maxUnavailable: 0 };
  const maxSurge = resolveIntOrPercent(rolling.maxSurge, spec.replicas, 'up') ?? 0;
  const unavailable = resolveIntOrPercent(rolling.maxUnavailable, spec.replicas, 'down') ?? 0;
  const atLeast = maxSurge === 0 && unavailable === 0 ? 1 : unavailable;
  return { maxSurge, maxUnavailable: Math.min(atLeast, spec.replicas) };
}
