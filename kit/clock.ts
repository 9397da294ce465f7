import { performance } from 'node:perf_hooks';

/**
 * The door to time. Everything that waits or asks what time it is takes a {@link Clock}, so that a test can hold the
 * only hand that moves it.
 */

/** A started timer. `stop` is idempotent and safe after the timer has fired. */
export interface Timer {
  stop(): void;
}

export interface Clock {
  /** Wall time in milliseconds since the Unix epoch. May jump. For timestamps that people and other machines read. */
  now(): number;
  /** Milliseconds since an arbitrary start. Never goes back. For measuring and for deadlines. */
  monotonic(): number;
  /** Calls `fire` once after `delayMs`. A pending timer keeps the process alive. */
  timer(delayMs: number, fire: () => void): Timer;
  /** Resolves after `delayMs`; rejects with the signal's reason when it aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** `clock.sleep` over `clock.timer`: shared by every clock so that abort behaves alike in tests and in production. */
export function sleepOn(clock: Pick<Clock, 'timer'>, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      timer.stop();
      reject(signal?.reason as Error);
    };
    const timer = clock.timer(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** The machine's clock. Built once, in a process's composition root. */
export function systemClock(): Clock {
  const clock: Clock = {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    timer: (delayMs, fire) => {
      const handle = setTimeout(fire, delayMs);
      return { stop: () => clearTimeout(handle) };
    },
    sleep: (delayMs, signal) => sleepOn(clock, delayMs, signal),
  };
  return clock;
}

/** RFC 3339 with whole seconds, the form of Kubernetes' `metav1.Time`. */
export function timestamp(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
}

/** RFC 3339 with microseconds, the form of Kubernetes' `metav1.MicroTime`. */
export function microTimestamp(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, -1)}000Z`;
}
