import type { Condition } from '../../../api/meta/condition.ts';
import { CONVERGED } from '../../../api/meta/well-known.ts';
import type { Convergence } from '../convergence.ts';
import { RECONNECT_GRACE_MS } from '../proxy-view.ts';

/** When status is decided. */
export interface StatusMoment {
  readonly nowMs: number;
  /** The same as Kubernetes writes it. */
  readonly now: string;
  /** When this control plane began to serve: proxies of the time before may not be back yet. */
  readonly startedMs: number;
}

export function isStarting({ nowMs, startedMs }: StatusMoment): boolean {
  return nowMs - startedMs < RECONNECT_GRACE_MS;
}

/** `N of M proxies`; true when they are equal, but not while proxies may still be coming back. */
export function convergedCondition(
  convergence: Convergence,
  moment: StatusMoment,
): Omit<Condition, 'lastTransitionTime'> {
  const { acked, proxies, refused } = convergence;
  const count = `${acked} of ${proxies} proxies`;
  const [first] = refused;
  if (first !== undefined) {
    return {
      type: CONVERGED,
      status: 'False',
      reason: 'Refused',
      message: `${count}; ${first.nodeId}: ${first.error}`,
    };
  }
  if (acked < proxies) return { type: CONVERGED, status: 'False', reason: 'Converging', message: count };
  if (proxies === 0 && isStarting(moment)) {
    return { type: CONVERGED, status: 'False', reason: 'Converging', message: 'waiting for proxies to connect' };
  }
  return { type: CONVERGED, status: 'True', reason: 'Converged', message: count };
}
