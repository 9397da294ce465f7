import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { TlsRefused } from './telemetry.ts';

/** A stranger who dials without pause is counted each time, and told of so often. */
const TOLD_EVERY_MS = 1000;

/** Writes each refusal of a TLS connection to the log with its reason; of one side and reason at most one a second. */
export function tlsRefusalLog(clock: Clock, log: Logger): (refused: TlsRefused) => void {
  const toldAtMs = new Map<string, number>();
  return ({ side, reason, detail }) => {
    const key = `${side} ${reason}`;
    const nowMs = clock.monotonic();
    if (nowMs - (toldAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < TOLD_EVERY_MS) return;
    toldAtMs.set(key, nowMs);
    log.warn({ side, reason, detail }, 'TLS connection refused');
  };
}
