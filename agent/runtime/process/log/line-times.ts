import type { Growth } from './log-files.ts';

/**
 * When the byte at `offset` was written, as far as is known: the first growth that reached beyond it. What no growth has
 * reached yet was written just now.
 */
export function timeOfOffset(growth: readonly Growth[], offset: number, nowMs: number): number {
  return growth[firstBeyond(growth, ({ sizeBytes }) => sizeBytes > offset)]?.atMs ?? nowMs;
}

/** Where the bytes of `sinceMs` and later begin: the size that the file had before. */
export function offsetOfTime(growth: readonly Growth[], sinceMs: number): number {
  const first = firstBeyond(growth, ({ atMs }) => atMs >= sinceMs);
  return growth[first - 1]?.sizeBytes ?? 0;
}

/** Binary search: both columns only rise. */
function firstBeyond(growth: readonly Growth[], isBeyond: (entry: Growth) => boolean): number {
  let [low, high] = [0, growth.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = growth[middle];
    if (entry !== undefined && isBeyond(entry)) high = middle;
    else low = middle + 1;
  }
  return low;
}
