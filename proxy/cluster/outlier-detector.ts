import type { Random } from '../../kit/random.ts';
import {
  type EjectionCause,
  eject,
  forget,
  hasRoom,
  noteFailure,
  type OutlierDetection,
  type OutlierRecord,
  settle,
  worseThanOthers,
} from './outlier-detection.ts';

export interface WatchedHost {
  readonly outlier: OutlierRecord;
}

/**
 * One cluster's outlier detection at work. It has no timer: who asks says what time it is, and what a timer would have done at each
 * turn of the interval is made up for then, so that a cluster that nobody calls costs nothing.
 */
export class OutlierDetector {
  config: OutlierDetection;
  /** Ejections that were made, and those that the share of ejected endpoints did not allow. */
  readonly enforced: Record<EjectionCause, number> = {
    consecutive_gateway_failure: 0,
    consecutive_5xx: 0,
    success_rate: 0,
    failure_percentage: 0,
  };
  overflow = 0;
  #nextTurnMs: number | undefined = undefined;

  constructor(config: OutlierDetection) {
    this.config = config;
  }

  /** 5xx, or no answer: `status` is what the client would get. True when the endpoint was ejected for it. */
  failed(host: WatchedHost, status: number, hosts: readonly WatchedHost[], nowMs: number, random: Random): boolean {
    for (const cause of noteFailure(host.outlier, status, this.config)) {
      if (host.outlier.ejected) break;
      this.#consider(host, cause, hosts, nowMs, random);
      forget(host.outlier, cause);
    }
    return host.outlier.ejected;
  }

  /** Makes up for the turns that have come. True when some endpoint's standing may be other than before. */
  sweep(hosts: readonly WatchedHost[], nowMs: number, random: Random): boolean {
    const { intervalMs } = this.config;
    const dueMs = (this.#nextTurnMs ??= nowMs + intervalMs);
    if (nowMs < dueMs) return false;
    const count = Math.floor((nowMs - dueMs) / intervalMs) + 1;
    const turns = { count, atMs: dueMs + (count - 1) * intervalMs };
    this.#nextTurnMs = turns.atMs + intervalMs;
    for (const { outlier } of hosts) settle(outlier, turns, this.config);
    for (const { host, cause } of worseThanOthers(hosts, this.config)) {
      if (!host.outlier.ejected) this.#consider(host, cause, hosts, turns.atMs, random);
    }
    return true;
  }

  #consider(
    host: WatchedHost,
    cause: EjectionCause,
    hosts: readonly WatchedHost[],
    nowMs: number,
    random: Random,
  ): void {
    const percent = this.config.enforcing[cause];
    if (percent === 0) return;
    const ejected = hosts.filter(({ outlier }) => outlier.ejected).length;
    if (!hasRoom(ejected, hosts.length, this.config)) this.overflow++;
    else if (random() * 100 < percent) {
      eject(host.outlier, cause, nowMs, random(), this.config);
      this.enforced[cause]++;
    }
  }
}
