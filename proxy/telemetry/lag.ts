import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Lateness } from '../engine.ts';

// Each sample wakes a thread that has nothing else to do: every 20 ms that were 1.9 ms of CPU a second, for each idle proxy and worker.
// What a percentile says does not hang on it, only how many samples it is of.
const RESOLUTION_MS = 100;

export interface LagMonitor {
  /** Since it was last asked. */
  take(): Lateness;
  close(): void;
}

/** Watches the event loop of this thread until it is closed. */
export function watchLag(): LagMonitor {
  const lag = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  lag.enable();
  // The monitor's samples are intervals of its own timer: what is above the resolution is lateness.
  const late = (percentile: number): number =>
    lag.count === 0 ? 0 : Math.max(0, lag.percentile(percentile) / 1e9 - RESOLUTION_MS / 1000);
  return {
    take: () => {
      const taken = { p50: late(50), p99: late(99) };
      lag.reset();
      return taken;
    },
    close: () => void lag.disable(),
  };
}
