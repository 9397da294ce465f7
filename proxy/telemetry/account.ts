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
  /** 0 to 16; -1 when the request was no call of gRPC's. */
  readonly grpcStatus: number;
}

/** Of a request that was refused nothing is known that could be trusted. */
const REFUSED = {
  method: '',
  authority: '',
  target: '',
  bytesIn: 0,
  bytesOut: 0,
  tries: 0,
  service: '',
  cluster: '',
  upstream: '',
  requestId: '',
  grpcStatus: -1,
} as const;

/** Counts a request that was no sound HTTP. Status 0: it was not answered, its stream was reset. */
export function accountRefused(runtime: Runtime, from: Downstream, status: number, logged: boolean): void {
  const outcome = { ...REFUSED, status, reason: status === 408 ? 'DT' : 'DPE' } as const;
  account(runtime, from, outcome, runtime.clock.monotonic(), 0, logged);
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
  const stats = runtime.telemetry.requestStats(from.direction, outcome.service);
  stats.record(outcome.status, reasonIndex(outcome.reason), durationMs, outcome.bytesIn, outcome.bytesOut);
  if (outcome.grpcStatus >= 0) stats.recordCall(outcome.grpcStatus);
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
