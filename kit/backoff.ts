import type { Random } from './random.ts';

export interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
  /** Growth per attempt; 2 unless told. */
  readonly factor?: number;
  /** 0 = none, 1 = anywhere between 0 and the computed delay ("full jitter"). */
  readonly jitter?: number;
}

/** Delay before attempt `attempt` (0 is the first retry): min(max, base × factor^attempt), less up to `jitter` of it. */
export function backoffMs(attempt: number, backoff: Backoff, random: Random): number {
  const grown = backoff.baseMs * (backoff.factor ?? 2) ** Math.min(attempt, 64);
  const capped = Math.min(backoff.maxMs, grown);
  return capped * (1 - (backoff.jitter ?? 0) * random());
}
