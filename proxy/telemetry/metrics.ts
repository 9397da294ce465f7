import type { Figures, Lateness, Plane } from '../engine.ts';
import { Family } from './exposition.ts';
import { type LagMonitor, watchLag } from './lag.ts';
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

export const METRIC_NAMES: readonly string[] = [
  ...METRICS.map(({ name }) => name),
  DURATION.name,
  EVENT_LOOP_LAG.name,
].sort();

export interface Metrics {
  /** One scrape's answer. */
  scrape(): Promise<string>;
  close(): void;
}

/**
 * Publishes a data plane's numbers. One per process: where the engine runs in this thread it also watches the event loop, from the first scrape on
 * and until `close`. Nobody is to be woken for a number that no one asks for, nor for one that the workers have of their own.
 */
export function createMetrics(plane: Pick<Plane, 'figures'>): Metrics {
  let lag: LagMonitor | undefined;
  const ownLateness = (): Lateness => {
    lag ??= watchLag();
    return lag.take();
  };
  return {
    scrape: async () => {
      const figures = await plane.figures();
      const families = METRICS.map(({ name, type, help, collect }) => {
        const family = new Family(name, type, help);
        collect(figures, (labels, value) => family.add(labels, value));
        return family;
      });
      return [...families, durations(figures), lateness(figures.lateness ?? ownLateness())].join('');
    },
    close: () => lag?.close(),
  };
}

function lateness({ p50, p99 }: Lateness): Family {
  const family = new Family(EVENT_LOOP_LAG.name, 'gauge', EVENT_LOOP_LAG.help);
  family.add({ percentile: '50' }, p50);
  family.add({ percentile: '99' }, p99);
  return family;
}

function durations({ telemetry }: Figures): Family {
  const family = new Family(DURATION.name, 'histogram', DURATION.help);
  for (const { direction, service, buckets, count, sumMs } of telemetry.requests.values()) {
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
