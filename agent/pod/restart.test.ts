import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ContainerRole,
  crashesAfter,
  type RestartPolicy,
  restartDelayMs,
  restarts,
  STABLE_AFTER_MS,
} from './restart.ts';

const CASES: readonly (readonly [role: ContainerRole, policy: RestartPolicy, exitCode: number, again: boolean])[] = [
  ['app', 'Always', 0, true],
  ['app', 'Always', 1, true],
  ['app', 'OnFailure', 0, false],
  ['app', 'OnFailure', 1, true],
  ['app', 'Never', 0, false],
  ['app', 'Never', 1, false],
  ['init', 'Always', 0, false],
  ['init', 'Always', 1, true],
  ['init', 'OnFailure', 1, true],
  ['init', 'Never', 1, false],
  ['sidecar', 'Never', 0, true],
];

for (const [role, policy, exitCode, again] of CASES) {
  test(`restartPolicy ${policy}: container of role ${role} with exit code ${exitCode} ${again ? 'starts again' : 'stays ended'}`, () => {
    assert.equal(restarts(role, policy, exitCode), again);
  });
}

test('the first restart comes at once, the next after 1 s, doubling to 60 s', () => {
  const delays = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10_000].map(restartDelayMs);
  assert.deepEqual(delays, [0, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test('a run of ten minutes makes the next end the first again', () => {
  assert.equal(crashesAfter(7, STABLE_AFTER_MS - 1), 8);
  assert.equal(crashesAfter(7, STABLE_AFTER_MS), 1);
});
