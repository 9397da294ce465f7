import { type Backoff, backoffMs } from '../../kit/backoff.ts';
import type { Random } from '../../kit/random.ts';

/** An identity's life as far as rotation cares. Wall time. */
export interface Rotation {
  /** When it was obtained; not when it became valid, which is set back for clocks that differ. */
  readonly obtainedMs: number;
  readonly notAfterMs: number;
  /** Attempts to replace it that have failed since. */
  readonly failures: number;
}

/** A first attempt falls between 45 and 50 % of the life, so that identities given together part. */
const JITTER = 0.05;

const RETRY: Backoff = { baseMs: 1000, maxMs: 5 * 60_000, jitter: 0.2 };

/** The nearer the end, the sooner the next attempt: at least so many fit in the time that is left. */
const ATTEMPTS_LEFT = 10;
const MIN_RETRY_MS = 250;

/** Without a valid identity a process is cut off: then a retry never waits longer. */
const MAX_RETRY_WITHOUT_MS = 5000;

/** How long to wait from `nowMs` before the next attempt to get a new identity. Never negative. */
export function nextRotationMs({ obtainedMs, notAfterMs, failures }: Rotation, nowMs: number, random: Random): number {
  if (failures === 0) {
    const half = obtainedMs + (notAfterMs - obtainedMs) * (0.5 - JITTER * random());
    return Math.max(0, half - nowMs);
  }
  const retry = backoffMs(failures - 1, RETRY, random);
  const left = notAfterMs - nowMs;
  if (left <= 0) return Math.min(retry, MAX_RETRY_WITHOUT_MS);
  return Math.min(retry, Math.max(MIN_RETRY_MS, left / ATTEMPTS_LEFT));
}
