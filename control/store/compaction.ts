import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import { type Store, StoreClosedError } from './store.ts';

/** How much history a store keeps for watches that fell behind and for pages of an older revision. */
export interface CompactionPolicy {
  /** Kept whatever their age. */
  readonly minRevisions: number;
  /** Never more than this, whatever their age: the bound on the file. */
  readonly maxRevisions: number;
  /** Younger ones are kept, up to the maximum. */
  readonly keepMs: number;
  /** How often to look. */
  readonly intervalMs: number;
}

/** Five minutes of history, as kube-apiserver keeps (`--etcd-compaction-interval`, 5m). */
const DEFAULT_COMPACTION: CompactionPolicy = {
  minRevisions: 1000,
  maxRevisions: 50_000,
  keepMs: 5 * 60_000,
  intervalMs: 30_000,
};

/** The store was at `revision` at a time of the monotonic clock. */
export interface RevisionMark {
  readonly revision: number;
  readonly atMs: number;
}

interface CompactionPlan {
  /** Forget up to here; undefined when there is nothing to forget. */
  readonly compactTo: number | undefined;
  /** What to remember for the next look. */
  readonly marks: readonly RevisionMark[];
}

/** Decides from what was seen before (oldest first) and the present revision. */
export function planCompaction(
  marks: readonly RevisionMark[],
  present: RevisionMark,
  policy: CompactionPolicy,
): CompactionPlan {
  const seen = [...marks, present];
  const oldEnough = seen.findLastIndex(({ atMs }) => atMs <= present.atMs - policy.keepMs);
  const byAge = Math.min(seen[oldEnough]?.revision ?? 0, present.revision - policy.minRevisions);
  const compactTo = Math.max(byAge, present.revision - policy.maxRevisions);
  return { compactTo: compactTo > 0 ? compactTo : undefined, marks: seen.slice(Math.max(0, oldEnough)) };
}

export interface CompactionOptions {
  readonly store: Pick<Store, 'revision' | 'compact'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Five minutes of history unless told. */
  readonly policy?: CompactionPolicy;
  readonly signal: AbortSignal;
}

/** Compacts now and then until the signal aborts or the store closes. A failed attempt is logged; the next look tries again. */
export async function runCompaction({ store, clock, log, policy, signal }: CompactionOptions): Promise<void> {
  const kept = policy ?? DEFAULT_COMPACTION;
  let marks: readonly RevisionMark[] = [];
  while (!signal.aborted) {
    try {
      const plan = planCompaction(marks, { revision: await store.revision(), atMs: clock.monotonic() }, kept);
      marks = plan.marks;
      if (plan.compactTo !== undefined) await store.compact(plan.compactTo);
    } catch (error) {
      if (error instanceof StoreClosedError) return;
      log.error({ error }, 'store: cannot compact');
    }
    await clock.sleep(kept.intervalMs, signal).catch(() => undefined);
  }
}
