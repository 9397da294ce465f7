import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { RetryCondition, RetryPolicy } from '../route/route-table.ts';
import type { Reason } from '../telemetry/reason.ts';
import { decideRetry, isIdempotent, type RetrySituation, type TryFailure } from './retry.ts';

function policy(on: readonly RetryCondition[], statuses: readonly number[] = [], retries = 2): RetryPolicy {
  return { retries, on, statuses, backoffBaseMs: 25, backoffMaxMs: 250 };
}

const ALL = policy(['connect-failure', 'reset-before-request', 'reset', 'gateway-error'], [429, 503]);
const connect: TryFailure = { kind: 'connect' };
const reset = (written: boolean, reused = false): TryFailure => ({ kind: 'reset', written, reused });
const answer = (status: number, meshReason?: Reason): TryFailure => ({ kind: 'answer', status, meshReason });

const CASES: readonly (readonly [name: string, situation: Partial<RetrySituation>, wanted: string])[] = [
  ['a refused connection, GET', { failure: connect }, 'retry'],
  ['a refused connection, POST: nothing was sent', { failure: connect, method: 'POST' }, 'retry'],
  ['a refused connection, not in the policy', { failure: connect, policy: policy(['reset']) }, 'no'],
  ['a refused connection, no policy', { failure: connect, policy: undefined }, 'no'],
  ['a reset after sending, GET', { failure: reset(true) }, 'retry'],
  ['a reset after sending, POST: it may have been done', { failure: reset(true), method: 'POST' }, 'no'],
  ['a reset before sending, POST', { failure: reset(false), method: 'POST' }, 'retry'],
  ['a stale connection, GET, no policy', { failure: reset(true, true), policy: undefined }, 'own'],
  ['a stale connection, POST, bytes were sent', { failure: reset(true, true), method: 'POST' }, 'no'],
  ['a stale connection, POST, nothing was sent', { failure: reset(false, true), method: 'POST' }, 'own'],
  ['a body that is no longer at hand', { failure: connect, replayable: false }, 'no'],
  ['every retry used', { failure: connect, retriesDone: 2 }, 'spent'],
  ['503 of the app, listed', { failure: answer(503) }, 'retry'],
  ['503 of the app, POST', { failure: answer(503), method: 'POST' }, 'no'],
  ['500 of the app', { failure: answer(500) }, 'no'],
  ['429, listed', { failure: answer(429) }, 'retry'],
  ['502, gateway-error', { failure: answer(502), policy: policy(['gateway-error']) }, 'retry'],
  ['UF of a mesh proxy, POST: the app saw nothing', { failure: answer(503, 'UF'), method: 'POST' }, 'retry'],
  ['UC of a mesh proxy, GET', { failure: answer(503, 'UC'), policy: policy(['reset']) }, 'retry'],
  ['UC of a mesh proxy, POST', { failure: answer(503, 'UC'), method: 'POST' }, 'no'],
  ['a try that took too long, GET', { failure: { kind: 'try-timeout' } }, 'retry'],
  ['a try that took too long, POST', { failure: { kind: 'try-timeout' }, method: 'POST' }, 'no'],
];

for (const [name, situation, wanted] of CASES) {
  test(`${name}: ${wanted}`, () => {
    const whole = { failure: connect, method: 'GET', replayable: true, retriesDone: 0, policy: ALL, ...situation };
    const decision = decideRetry(whole);
    const verdict = decision.retry ? (decision.own ? 'own' : 'retry') : decision.spent ? 'spent' : 'no';
    assert.equal(verdict, wanted);
  });
}

test('a method that is not idempotent is never repeated once its bytes may have reached an application', () => {
  const failure: fc.Arbitrary<TryFailure> = fc.oneof(
    fc.boolean().map((reused) => reset(true, reused)),
    fc.constant<TryFailure>({ kind: 'try-timeout' }),
    fc
      .tuple(
        fc.integer({ min: 200, max: 599 }),
        fc.constantFrom<Reason | undefined>(undefined, 'UC', 'UT', 'UPE', 'DC', 'NR'),
      )
      .map(([status, reason]) => answer(status, reason)),
  );
  fc.assert(
    fc.property(
      failure,
      fc.constantFrom('POST', 'PATCH', 'CONNECT', 'X'),
      fc.boolean(),
      (failed, method, replayable) => {
        assert.equal(isIdempotent(method), false);
        assert.equal(decideRetry({ failure: failed, method, replayable, retriesDone: 0, policy: ALL }).retry, false);
      },
    ),
  );
});
