import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLogRequest } from './log-request.ts';

const NOW = Date.UTC(2030, 0, 1);

function read(path: string): ReturnType<typeof readLogRequest> {
  return readLogRequest(new URL(path, 'https://agent'), NOW);
}

test('the path names the container, the query what is wanted of its log', () => {
  assert.deepEqual(
    read('/containerLogs/shop/web-1/app?follow=true&tailLines=5&timestamps=true&limitBytes=9&sinceSeconds=60'),
    {
      ok: true,
      request: {
        namespace: 'shop',
        pod: 'web-1',
        container: 'app',
        previous: false,
        options: { follow: true, timestamps: true, tailLines: 5, sinceMs: NOW - 60_000, limitBytes: 9 },
      },
    },
  );
  const previous = read('/containerLogs/shop/web-1/app?previous=true&follow=false&sinceTime=2029-12-31T23:00:00Z');
  assert.ok(previous?.ok === true);
  assert.deepEqual([previous.request.previous, previous.request.options], [true, { sinceMs: NOW - 3_600_000 }]);
});

test('another path is none, a wrong number or time is refused', () => {
  assert.equal(read('/containerLogs/shop/web-1'), undefined);
  assert.equal(read('/stats/summary'), undefined);
  for (const query of ['tailLines=-1', 'tailLines=x', 'limitBytes=1.5', 'sinceTime=yesterday']) {
    assert.equal(read(`/containerLogs/a/b/c?${query}`)?.ok, false);
  }
});
