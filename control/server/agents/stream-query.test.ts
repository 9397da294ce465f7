import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../../api/kinds/pod.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { OpenWatches } from '../http/open-watches.ts';
import { MAX_STREAMS_PER_USER, OpenStreams } from './open-streams.ts';
import { agentStreamPath, type StreamKind } from './stream-query.ts';

function pod(phase = 'Running'): Pod {
  const spec = { containers: [{ name: 'app' }, { name: 'helper' }], initContainers: [{ name: 'prepare' }] };
  return { metadata: { name: 'web', namespace: 'shop' }, spec, status: { phase } } as unknown as Pod;
}

const path = (kind: StreamKind, query: string, of = pod()): string =>
  agentStreamPath(kind, of, new URLSearchParams(query));

test('what is asked of a pod goes to the agent by the kubelet’s names, and nothing else does', () => {
  assert.equal(
    path('exec', 'container=app&command=sh&command=-c&command=a%26output%3D1&stdin=true&stdout=1&tty=false&x=y'),
    '/exec/shop/web/app?input=1&output=1&command=sh&command=-c&command=a%26output%3D1',
  );
  assert.equal(path('attach', 'container=helper&stdout=true&command=x'), '/attach/shop/web/helper?output=1');
  assert.equal(path('portforward', 'ports=80,443&ports=8080'), '/portForward/shop/web?port=80&port=443&port=8080');
  assert.equal(path('portforward', ''), '/portForward/shop/web?');
});

const refusals: readonly (readonly [kind: StreamKind, query: string, words: RegExp, phase?: string])[] = [
  ['exec', 'container=x&command=true&stdout=1', /container x is not valid for pod web.*\[app helper prepare\]/],
  ['exec', 'command=true&stdout=1', /a container name must be specified/],
  ['exec', 'container=app&stdout=1', /must specify a command/],
  ['exec', 'container=app&command=true', /at least 1 of stdin, stdout, stderr/],
  ['exec', 'container=app&command=true&stdout=1', /completed pod; current phase is Failed/, 'Failed'],
  ['portforward', 'ports=80', /pod is not running. Current status=Pending/, 'Pending'],
  ['portforward', 'ports=http', /"http" is not a port/],
  ['portforward', 'ports=65536', /"65536" is not a port/],
  ['portforward', `ports=${Array.from({ length: 33 }, () => 80).join(',')}`, /33 are too many/],
];

for (const [kind, query, words, phase] of refusals) {
  test(`${kind}?${query.slice(0, 60)} of a pod that is ${phase ?? 'Running'} is refused`, () => {
    assert.throws(
      () => path(kind, query, pod(phase)),
      (error) => error instanceof ApiError && error.code === 400 && words.test(error.message),
    );
  });
}

test('a user has so many streams at a time, whatever others have', () => {
  const streams = new OpenStreams(new OpenWatches());
  const open = Array.from({ length: MAX_STREAMS_PER_USER }, () => streams.begin('jane'));
  const tooMany = (error: unknown): boolean => error instanceof ApiError && error.code === 429;
  assert.throws(() => streams.begin('jane'), tooMany);
  streams.begin('joe').end();
  open[0]?.end();
  open[0]?.end();
  assert.ok(open[0]?.signal.aborted);
  streams.begin('jane');
  assert.throws(() => streams.begin('jane'), tooMany);
});
