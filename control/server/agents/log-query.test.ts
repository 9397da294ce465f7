import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../../api/kinds/pod.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { logContainer, logQuery } from './log-query.ts';

function pod(containers: readonly string[], defaultContainer?: string): Pod {
  const annotations =
    defaultContainer === undefined ? {} : { 'kubectl.kubernetes.io/default-container': defaultContainer };
  const spec = { containers: containers.map((name) => ({ name })), initContainers: [{ name: 'prepare' }] };
  return { metadata: { name: 'web', annotations }, spec } as unknown as Pod;
}

const refused = (words: RegExp) => (error: unknown) =>
  error instanceof ApiError && error.code === 400 && words.test(error.message);

test('the container is the one asked for, the only one, or the default of the pod', () => {
  assert.equal(logContainer(pod(['a', 'b']), 'b'), 'b');
  assert.equal(logContainer(pod(['a', 'b']), 'prepare'), 'prepare');
  assert.equal(logContainer(pod(['a']), null), 'a');
  assert.equal(logContainer(pod(['a', 'b'], 'b'), null), 'b');
  assert.throws(
    () => logContainer(pod(['a', 'b']), null),
    refused(/choose one of: \[a b\] or one of the init containers: \[prepare\]/),
  );
  assert.throws(() => logContainer(pod(['a']), 'x'), refused(/container x is not valid for pod web/));
});

test('only what the agent knows is passed on, and only when it makes sense', () => {
  const passed = logQuery(
    new URLSearchParams('follow=true&tailLines=0&timestamps=false&previous=&pretty=true&stream=All'),
  );
  assert.equal(passed.toString(), 'follow=true&previous=true&tailLines=0');
  assert.throws(() => logQuery(new URLSearchParams('tailLines=-1')), refused(/tailLines/));
  assert.throws(() => logQuery(new URLSearchParams('limitBytes=0')), refused(/limitBytes/));
  assert.throws(() => logQuery(new URLSearchParams('sinceTime=yesterday')), refused(/sinceTime/));
  assert.throws(
    () => logQuery(new URLSearchParams('sinceSeconds=5&sinceTime=2030-01-01T00:00:00Z')),
    refused(/at most one/),
  );
});
