/** How a batch ended: those that were not tried because an earlier one failed are skipped. */
export interface Batch<T> {
  readonly failure: unknown;
  readonly skipped: readonly T[];
}

/**
 * Does `work` for all items in growing groups of 1, 2, 4, …; stops after the first group with a failure. When every call
 * would be refused for one reason, one call tells so (slowStartBatch in replica_set.go).
 */
export async function slowStart<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<Batch<T>> {
  let done = 0;
  for (let size = 1; done < items.length; size *= 2) {
    const group = items.slice(done, done + size);
    done += group.length;
    const results = await Promise.allSettled(group.map(work));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) return { failure: failed.reason, skipped: items.slice(done) };
  }
  return { failure: undefined, skipped: [] };
}
