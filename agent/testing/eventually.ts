import { setTimeout as sleep } from 'node:timers/promises';

// Generous: a slow machine must not fail a test, and a test that passes does not wait for it.
const WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 10;

/**
 * Looks until `look` gives something, and gives it; what it throws counts as not yet. Fails after a bounded time with what
 * was awaited and the last thing that went wrong. For tests with real processes; test/support/ has one for other folders.
 */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
): Promise<NonNullable<T>> {
  const until = performance.now() + WITHIN_MS;
  let last: unknown;
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined && found !== null && found !== false) return found;
    } catch (error) {
      last = error;
    }
    if (performance.now() > until) throw new Error(`never came true: ${what}`, { cause: last });
    await sleep(LOOK_EVERY_MS);
  }
}
