import { type Clock, systemClock } from '../../kit/clock.ts';
import { type RunningEngine, startEngine } from '../../proxy/test-support/harness.ts';
import {
  cluster,
  forward,
  listener,
  outlierDetection,
  route,
  routeTable,
  tables,
} from '../../proxy/test-support/tables.ts';
import { ROUTE_TIMEOUT_MS } from './faulty.ts';
import { BASE_EJECTION_MS, type Detection, INTERVAL_MS } from './scenarios.ts';

/** Our engine before those upstreams; without retries, so that each request is one judgement. */
export function oursBefore(
  ports: readonly number[],
  detection: Detection,
  clock: Clock = systemClock(),
): Promise<RunningEngine> {
  const outliers = outlierDetection({ intervalMs: INTERVAL_MS, baseEjectionMs: BASE_EJECTION_MS, ...detection });
  return startEngine({
    clock,
    tables: tables(
      [listener('in', 't')],
      [routeTable('t', [route(forward('app', { timeoutMs: ROUTE_TIMEOUT_MS }))])],
      [cluster('app', ports, { outliers })],
    ),
  });
}

/** Places of the endpoints that are ejected now. */
export function ejectedIn({ engine }: RunningEngine): readonly number[] {
  const endpoints = engine.clusters()[0]?.endpoints ?? [];
  return endpoints.flatMap(({ ejected }, at) => (ejected ? [at] : []));
}
