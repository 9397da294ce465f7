import type { RetryCondition, RetryPolicy } from '../route/route-table.ts';
import { nothingReachedTheApp, type Reason } from '../telemetry/reason.ts';

/** How a try went wrong. */
export type TryFailure =
  /** No connection, or none that showed the right identity. */
  | { readonly kind: 'connect' }
  /** The connection ended before a final head. `reused`: it had served a request before, so the server may just have tired of it. */
  | { readonly kind: 'reset'; readonly written: boolean; readonly reused: boolean }
  | { readonly kind: 'try-timeout' }
  | AnswerFailure;

/** An answer that may be worth another try; `meshReason` when a mesh proxy on the way, not the application, gave it. */
export interface AnswerFailure {
  readonly kind: 'answer';
  readonly status: number;
  readonly meshReason: Reason | undefined;
}

export interface RetrySituation {
  readonly failure: TryFailure;
  readonly method: string;
  /** What was sent so far is still at hand. */
  readonly replayable: boolean;
  /** By the policy; those of our own doing are not counted. */
  readonly retriesDone: number;
  readonly policy: RetryPolicy | undefined;
}

export type RetryDecision =
  | {
      readonly retry: true /** Our own doing (a stale pooled connection): at once, on a new connection, unbudgeted. */;
      readonly own: boolean;
    }
  /** `spent`: it would have been repeated, but every retry has been used. */
  | { readonly retry: false; readonly spent: boolean };

const NO: RetryDecision = { retry: false, spent: false };
const SPENT: RetryDecision = { retry: false, spent: true };
const YES: RetryDecision = { retry: true, own: false };
const OWN: RetryDecision = { retry: true, own: true };

/** RFC 9110 section 9.2.2. */
export function isIdempotent(method: string): boolean {
  return ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'].includes(method);
}

/**
 * Whether to repeat a try. Safety first: a method that is not idempotent is repeated only when it is certain that no
 * application saw the request. A stale pooled connection is our own fault and is made good with or without a policy; the
 * new connection is not a reused one, so that happens once.
 */
export function decideRetry(situation: RetrySituation): RetryDecision {
  const { failure, policy } = situation;
  if (!situation.replayable) return NO;
  const untouched = nothingReached(failure);
  if (!untouched && !isIdempotent(situation.method)) return NO;
  if (failure.kind === 'reset' && failure.reused) return OWN;
  if (policy === undefined || !wanted(failure, untouched, policy)) return NO;
  return situation.retriesDone < policy.retries ? YES : SPENT;
}

function nothingReached(failure: TryFailure): boolean {
  switch (failure.kind) {
    case 'connect':
      return true;
    case 'reset':
      return !failure.written;
    case 'try-timeout':
      return false;
    case 'answer':
      return failure.meshReason !== undefined && nothingReachedTheApp(failure.meshReason);
    default:
      return failure satisfies never;
  }
}

function wanted(failure: TryFailure, untouched: boolean, policy: RetryPolicy): boolean {
  const on = (condition: RetryCondition): boolean => policy.on.includes(condition);
  switch (failure.kind) {
    case 'connect':
      return on('connect-failure');
    case 'reset':
      return untouched ? on('reset-before-request') || on('reset') : on('reset');
    case 'try-timeout':
      return on('reset') || on('gateway-error');
    case 'answer':
      if (untouched) return on('connect-failure');
      if (failure.meshReason === 'UC') return on('reset') || on('gateway-error');
      return (on('gateway-error') && isGatewayError(failure.status)) || policy.statuses.includes(failure.status);
    default:
      return failure satisfies never;
  }
}

function isGatewayError(status: number): boolean {
  return status >= 502 && status <= 504;
}
