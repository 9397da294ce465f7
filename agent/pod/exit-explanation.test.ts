import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ExitFacts, explainExit, lastLines, oneLine } from './exit-explanation.ts';

function exit(exitCode: number, more: Partial<ExitFacts['state']> = {}): ExitFacts['state'] {
  return { type: 'exited', startedAtMs: 0, finishedAtMs: 1, exitCode, ...more };
}

const NOTHING = { signalName: undefined, memoryLimit: undefined, failedProbe: undefined };

const EXITS: readonly (readonly [facts: ExitFacts, text: string])[] = [
  [{ ...NOTHING, state: exit(3) }, 'exited with code 3'],
  [{ ...NOTHING, state: exit(137, { signal: 9 }), signalName: 'SIGKILL' }, 'was ended by SIGKILL (exit code 137)'],
  [
    { ...NOTHING, state: exit(137, { signal: 9, isOutOfMemory: true }), signalName: 'SIGKILL', memoryLimit: '64Mi' },
    'used more than its memory limit of 64Mi and was killed (OOMKilled, exit code 137)',
  ],
  [
    { ...NOTHING, state: exit(137, { signal: 9, isOutOfMemory: true }), signalName: 'SIGKILL' },
    'was killed when memory ran out (OOMKilled, exit code 137)',
  ],
  [
    { ...NOTHING, state: exit(137, { signal: 9, message: 'its supervisor was killed' }), signalName: 'SIGKILL' },
    'was ended by SIGKILL (exit code 137): its supervisor was killed',
  ],
  [
    { ...NOTHING, state: exit(0), failedProbe: 'liveness probe failed: HTTP probe failed with statuscode: 500\n' },
    'exited with code 0, stopped because its liveness probe failed: HTTP probe failed with statuscode: 500',
  ],
];

for (const [facts, text] of EXITS) {
  test(`an exit is explained: ${text}`, () => assert.equal(explainExit(facts), text));
}

test('of a log the last lines are repeated, each cut to a bound, empty ones left out', () => {
  assert.equal(lastLines(''), '');
  assert.equal(lastLines('\n \n'), '');
  assert.equal(lastLines('one\ntwo\n'), '; the last of its log:\n  one\n  two');
  assert.equal(oneLine('\n one\n\n two\n'), '; its last words: one / two');
  assert.equal(oneLine(''), '');
  const long = lastLines(Array.from({ length: 50 }, (_, line) => `${line} ${'x'.repeat(10_000)}`).join('\n'));
  assert.equal(long.split('\n').length, 6);
  assert.ok(long.length < 5 * 210 + 40, String(long.length));
  assert.match(long, /\n {2}49 x+…$/);
});

test('a probe that says very much is cut', () => {
  const text = explainExit({ ...NOTHING, state: exit(1), failedProbe: `liveness probe failed: ${'y'.repeat(10_000)}` });
  assert.ok(text.length < 600, String(text.length));
});
