// Long enough for a machine that does many other things at once; a condition that holds is seen within a tenth of a second.
const DEFAULT_TIMEOUT_MS = 60_000;
const POLL_MS = 50;

/**
 * Looks until `look` gives something, and gives it; what it throws counts as not yet. Fails after the time-out with what
 * was awaited and the last thing that went wrong. For tests that drive real processes.
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  timeoutMs = DEFAULT_TIMEOUT_MS,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) throw new Error(`not seen within ${timeoutMs} ms: ${what}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
