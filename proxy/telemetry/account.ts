import type { Downstream } from '../filters/request-draft.ts';
import type { Runtime } from '../runtime.ts';
import { type Reason, reasonIndex } from './reason.ts';

/** What a finished exchange is remembered by. */
export interface Outcome {
  readonly method: string;
  readonly authority: string;
  readonly target: string;
  readonly status: number;
  readonly reason: Reason;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly tries: number;
  readonly service: string;
  readonly cluster: string;
  readonly upstream: string;
  readonly requestId: string;
}

/** Counts a finished request and, when `logged`, writes its line. */
export function account(
  runtime: Runtime,
  from: Downstream,
  outcome: Outcome,
  nowMs: number,
  durationMs: number,
  logged: boolean,
): void {
  runtime.telemetry
    .requestStats(from.direction, outcome.service)
    .record(outcome.status, reasonIndex(outcome.reason), durationMs, outcome.bytesIn, outcome.bytesOut);
  if (!logged || runtime.accessLog === undefined) return;
  runtime.accessLog.write(
    {
      ...outcome,
      startedAtMs: runtime.clock.now() - durationMs,
      direction: from.direction,
      durationMs,
      peer: from.peerId,
      peerAddress: from.peerAddress,
    },
    nowMs,
  );
}
