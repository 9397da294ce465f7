import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Engine } from '../engine.ts';
import { Family } from './exposition.ts';
import { METRICS } from './metric-list.ts';
import { DURATION_BUCKETS_MS } from './request-stats.ts';

const DURATION = {
  name: 'tutti_request_duration_seconds',
  help: 'Time from the end of a request head to the end of its answer',
} as const;

const EVENT_LOOP_LAG = {
  name: 'tutti_event_loop_lag_seconds',
  help: 'How late the event loop was since the last scrape',
} as const;
const LAG_RESOLUTION_MS = 20;

export const METRIC_NAMES: readonly string[] = [
  ...METRICS.map(({ name }) => name),
  DURATION.name,
  EVENT_LOOP_LAG.name,
].sort();

export interface Metrics {
  /** One scrape's answer. */
  scrape(): string;
  close(): void;
}

/** Publishes an engine's numbers. One per process: it also watches the event loop, which `close` ends. */
export function createMetrics(engine: Engine): Metrics {
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  lag.enable();
  return {
    scrape: () => {
      const families = METRICS.map(({ name, type, help, collect }) => {
        const family = new Family(name, type, help);
        collect(engine, (labels, value) => family.add(labels, value));
        return family;
      });
      return [...families, durations(engine), lateness(lag)].join('');
    },
    close: () => void lag.disable(),
  };
}

function lateness(lag: ReturnType<typeof monitorEventLoopDelay>): Family {
  const family = new Family(EVENT_LOOP_LAG.name, 'gauge', EVENT_LOOP_LAG.help);
  for (const percentile of [50, 99]) {
    // The monitor's samples are intervals of its own timer: what is above the resolution is lateness.
    const late = Math.max(0, lag.percentile(percentile) / 1e9 - LAG_RESOLUTION_MS / 1000);
    family.add({ percentile: String(percentile) }, lag.count === 0 ? 0 : late);
  }
  lag.reset();
  return family;
}

function durations(engine: Engine): Family {
  const family = new Family(DURATION.name, 'histogram', DURATION.help);
  for (const { direction, service, buckets, count, sumMs } of engine.telemetry.requests.values()) {
    const labels = { direction, service };
    let sum = 0;
    buckets.forEach((inBucket, index) => {
      sum += inBucket;
      const bound = DURATION_BUCKETS_MS[index];
      family.add({ ...labels, le: bound === undefined ? '+Inf' : String(bound / 1000) }, sum, '_bucket');
    });
    family.add(labels, sumMs / 1000, '_sum');
    family.add(labels, count, '_count');
  }
  return family;
}
