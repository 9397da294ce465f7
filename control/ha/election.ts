import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import { LEADER_LEASE } from '../store/lease.ts';
import type { Leases } from '../store/store.ts';

/** As client-go's leader election names them. */
export interface ElectionTimings {
  /** Whoever stands by takes over when the leader has not renewed for so long. */
  readonly leaseMs: number;
  /** A leader that could not renew for so long leads no more. Less than the lease, so that it has ended before another begins. */
  readonly renewDeadlineMs: number;
  /** How often the leader renews and others try. */
  readonly retryMs: number;
}

/**
 * Kubernetes' control plane has 15 s, 10 s and 2 s (client-go, tools/leaderelection). A third of that: another leads within
 * `leaseMs + retryMs` of a leader's death, and the start of a control plane fits into 10 s with it.
 */
export const ELECTION: ElectionTimings = { leaseMs: 5000, renewDeadlineMs: 3500, retryMs: 500 };

export interface ElectionOptions {
  readonly leases: Leases;
  readonly holder: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly timings?: ElectionTimings;
  readonly signal: AbortSignal;
}

/** Stands by until the lease is ours; its epoch. Undefined when the signal aborts first. A store that is away is tried again. */
export async function standBy(options: ElectionOptions): Promise<number | undefined> {
  const { leases, holder, clock, log, timings = ELECTION, signal } = options;
  while (!signal.aborted) {
    try {
      const held = await leases.acquire(LEADER_LEASE, holder, timings.leaseMs);
      if (held !== undefined) return held.epoch;
    } catch (error) {
      if (!signal.aborted) log.warn(`cannot ask for the leader's lease: ${(error as Error).message}`);
    }
    await clock.sleep(timings.retryMs, signal).catch(() => undefined);
  }
  return undefined;
}

/**
 * Renews the lease of this epoch. Resolves with why it leads no more, or undefined when the signal aborts. Time counts from before a
 * renewal was asked for, on a clock that goes on while the process is stopped.
 */
export async function keepLeading(options: ElectionOptions, epoch: number): Promise<string | undefined> {
  const { leases, holder, clock, timings = ELECTION, signal } = options;
  let renewedAt = clock.monotonic();
  while (!signal.aborted) {
    await clock.sleep(timings.retryMs, signal).catch(() => undefined);
    if (signal.aborted) return undefined;
    const asked = clock.monotonic();
    const remainingMs = Math.max(0, renewedAt + timings.renewDeadlineMs - asked);
    const answer = await within(
      clock,
      remainingMs,
      leases.acquire(LEADER_LEASE, holder, timings.leaseMs).then(
        (held) => (held?.epoch === epoch ? 'renewed' : 'taken'),
        () => 'failed' as const,
      ),
    );
    if (answer === 'taken') return 'another control plane has taken over';
    if (answer === 'renewed') renewedAt = asked;
    else if (clock.monotonic() - renewedAt >= timings.renewDeadlineMs) {
      return `the store did not answer for ${timings.renewDeadlineMs / 1000} s`;
    }
  }
  return undefined;
}

async function within<T>(clock: Clock, limitMs: number, work: Promise<T>): Promise<T | 'late'> {
  const late = Promise.withResolvers<'late'>();
  const timer = clock.timer(limitMs, () => late.resolve('late'));
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    timer.stop();
  }
}
