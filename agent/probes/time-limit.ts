import type { Clock } from '../../kit/clock.ts';

/** Runs `body` with a signal that aborts when the time is over; the timer goes with the body. */
export async function withTimeLimit<T>(
  clock: Clock,
  timeoutMs: number,
  body: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const timer = clock.timer(timeoutMs, () => abort.abort(new TimeLimitError(timeoutMs)));
  try {
    return await body(abort.signal);
  } finally {
    timer.stop();
  }
}

class TimeLimitError extends Error {
  override readonly name = 'TimeLimitError';
  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs / 1000}s`);
  }
}
