/** Decides the walk of a canary: pure, so that a test can replay any traffic. */

/** What the proxies counted for one backend since the step began. */
export interface BackendCount {
  readonly service: string;
  readonly requests: number;
  readonly errors: number;
}

/** `1 %` of the new version's requests, or a plain number of them. */
export type ErrorLimit =
  | { readonly kind: 'share'; readonly percent: number }
  | { readonly kind: 'count'; readonly errors: number };

export type WalkDecision =
  | { readonly kind: 'wait' }
  | { readonly kind: 'next'; readonly reason: string }
  | { readonly kind: 'abort'; readonly reason: string };

export interface WalkState {
  /** The new version's counts since the step began. */
  readonly canary: BackendCount;
  readonly elapsedMs: number;
  readonly everyMs: number;
  readonly limit: ErrorLimit;
}

// With fewer requests one error alone would be over any sensible share (Flagger and Argo Rollouts wait for samples too).
const LEAST_REQUESTS_FOR_A_SHARE = 20;

/** Goes back as soon as the limit is passed, goes on when the step's time is over, and waits otherwise. */
export function decideStep(state: WalkState): WalkDecision {
  const { canary, limit } = state;
  const share = canary.requests === 0 ? 0 : (canary.errors / canary.requests) * 100;
  const text = `${canary.errors} of ${canary.requests} requests to ${canary.service} failed (${share.toFixed(1)} %)`;
  const enough = canary.requests >= LEAST_REQUESTS_FOR_A_SHARE || state.elapsedMs >= state.everyMs;
  const over = limit.kind === 'count' ? canary.errors > limit.errors : enough && share > limit.percent;
  if (over) {
    const allowed = limit.kind === 'count' ? `${limit.errors}` : `${limit.percent} %`;
    return { kind: 'abort', reason: `${text}; at most ${allowed} allowed` };
  }
  return state.elapsedMs >= state.everyMs ? { kind: 'next', reason: text } : { kind: 'wait' };
}

export interface MeasuredShare extends BackendCount {
  readonly weight: number;
  /** Percent of all requests to the route's backends; undefined while there were none. */
  readonly share: number | undefined;
}

/** Differences of two readings of the proxies' sums. A sum that fell belongs to a proxy that began anew: it counts from 0. */
export function measureShares(
  weights: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, ReadonlyMap<string, BackendCount>>,
  after: ReadonlyMap<string, ReadonlyMap<string, BackendCount>>,
): MeasuredShare[] {
  const counts = [...weights].map(([service, weight]) => {
    let requests = 0;
    let errors = 0;
    for (const [proxy, now] of after) {
      const present = now.get(service);
      if (present === undefined) continue;
      const past = before.get(proxy)?.get(service);
      const restarted = past === undefined || past.requests > present.requests;
      requests += present.requests - (restarted ? 0 : past.requests);
      errors += present.errors - (restarted ? 0 : past.errors);
    }
    return { service, weight, requests, errors };
  });
  const all = counts.reduce((sum, { requests }) => sum + requests, 0);
  return counts.map((count) => ({ ...count, share: all === 0 ? undefined : (count.requests / all) * 100 }));
}
