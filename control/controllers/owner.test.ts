import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../api/kinds/pod.ts';
import { claim } from './owner.ts';
import { LONG_AGO, pod, replicaSet } from './testing/objects.ts';

const web = replicaSet('web');
const labels = { app: 'web' };
const leaving = { deletionTimestamp: LONG_AGO };

const cases: readonly [
  name: string,
  candidate: Pod,
  owner: typeof web,
  expected: [owned: number, adopt: number, release: number],
][] = [
  ['its own', pod('p', { owner: web }), web, [1, 0, 0]],
  ['its own that no longer matches', pod('p', { owner: web, metadata: { labels: { app: 'x' } } }), web, [0, 0, 1]],
  ['an orphan that matches', pod('p', { metadata: { labels } }), web, [0, 1, 0]],
  ['an orphan that does not', pod('p', { metadata: { labels: { app: 'x' } } }), web, [0, 0, 0]],
  ["another's that matches", pod('p', { owner: replicaSet('x'), metadata: { labels } }), web, [0, 0, 0]],
  ['an orphan that is leaving', pod('p', { metadata: { labels, ...leaving } }), web, [0, 0, 0]],
  [
    'an orphan, when the owner is leaving',
    pod('p', { metadata: { labels } }),
    replicaSet('web', { metadata: leaving }),
    [0, 0, 0],
  ],
  [
    'its own that no longer matches, when the owner is leaving',
    pod('p', { owner: web, metadata: { labels: {} } }),
    replicaSet('web', { metadata: leaving }),
    [0, 0, 0],
  ],
];
for (const [name, candidate, owner, expected] of cases) {
  test(`claiming ${name}: owned, adopted, released ${expected.join(', ')}`, () => {
    const { owned, adopt, release } = claim(owner, owner.spec.selector, [candidate]);
    assert.deepEqual([owned.length, adopt.length, release.length], expected);
  });
}
