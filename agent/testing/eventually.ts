import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

// Generous: a slow machine must not fail a test, and a test that passes does not wait for it.
const WITHIN_MS = 20_000;

/** Polls until `probe` gives a value; fails with `what` when it never does. For tests with real processes. */
export async function eventually<T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
): Promise<NonNullable<T>> {
  const until = performance.now() + WITHIN_MS;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== null && value !== false) return value;
    if (performance.now() > until) assert.fail(`never came true: ${what}`);
    await sleep(10);
  }
}
