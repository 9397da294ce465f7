import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, type Histogram, Registry } from 'prom-client';
import type { Engine } from '../engine.ts';
import { type Labels, METRICS, type MetricSpec } from './metric-list.ts';
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

/** Publishes an engine's numbers. One per process: it also watches the event loop, which `close` ends. */
export function createMetrics(engine: Engine): { readonly registry: Registry; close(): void } {
  const registry = new Registry();
  for (const spec of METRICS) publish(registry, engine, spec);
  publishDurations(registry, engine);
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  lag.enable();
  const lagGauge = new Gauge({
    ...EVENT_LOOP_LAG,
    labelNames: ['percentile'],
    registers: [],
    collect() {
      // The monitor's samples are intervals of its own timer: what is above the resolution is lateness.
      const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - LAG_RESOLUTION_MS / 1000);
      this.set({ percentile: '50' }, lag.count === 0 ? 0 : late(lag.percentile(50)));
      this.set({ percentile: '99' }, lag.count === 0 ? 0 : late(lag.percentile(99)));
      lag.reset();
    },
  });
  registry.registerMetric(lagGauge);
  return { registry, close: () => void lag.disable() };
}

function publish(registry: Registry, engine: Engine, { name, help, labels, type, collect }: MetricSpec): void {
  const options = { name, help, labelNames: labels, registers: [] };
  if (type === 'counter') {
    const counter = new Counter({
      ...options,
      collect() {
        this.reset();
        collect(engine, (series, value) => this.inc(series, value));
      },
    });
    registry.registerMetric(counter);
  } else {
    const gauge = new Gauge({
      ...options,
      collect() {
        this.reset();
        collect(engine, (series, value) => this.set(series, value));
      },
    });
    registry.registerMetric(gauge);
  }
}

interface SeriesValue {
  readonly metricName: string;
  readonly labels: Labels;
  readonly value: number;
}

/**
 * The durations are counted in buckets of our own, and prom-client's Histogram can only observe. A registry asks its metrics
 * for nothing but `name` and `get`, so this one has just these.
 */
function publishDurations(registry: Registry, engine: Engine): void {
  const metric = {
    ...DURATION,
    get: async () => ({ ...DURATION, type: 'histogram', aggregator: 'sum', values: durationSeries(engine) }),
  };
  registry.registerMetric(metric as unknown as Histogram);
}

function durationSeries(engine: Engine): SeriesValue[] {
  const series: SeriesValue[] = [];
  for (const { direction, service, buckets, count, sumMs } of engine.telemetry.requests.values()) {
    const labels = { direction, service };
    let sum = 0;
    buckets.forEach((inBucket, index) => {
      sum += inBucket;
      const bound = DURATION_BUCKETS_MS[index];
      const le = bound === undefined ? '+Inf' : String(bound / 1000);
      series.push({ metricName: `${DURATION.name}_bucket`, labels: { ...labels, le }, value: sum });
    });
    series.push({ metricName: `${DURATION.name}_sum`, labels, value: sumMs / 1000 });
    series.push({ metricName: `${DURATION.name}_count`, labels, value: count });
  }
  return series;
}
