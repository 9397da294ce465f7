import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../api/kinds/pod.ts';
import { decideDrain } from './decide.ts';

interface Draft {
  readonly managed?: boolean;
  readonly emptyDir?: boolean;
  readonly phase?: string;
  readonly going?: boolean;
}

function pod(name: string, { managed = true, emptyDir = false, phase = 'Running', going = false }: Draft = {}): Pod {
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'u', controller: true };
  return {
    metadata: {
      name,
      namespace: 'shop',
      ...(managed ? { ownerReferences: [owner] } : {}),
      ...(going ? { deletionTimestamp: '2030-01-01T00:00:00Z' } : {}),
    },
    spec: { containers: [], ...(emptyDir ? { volumes: [{ name: 'v', emptyDir: {} }] } : {}) },
    status: { phase },
  } as unknown as Pod;
}

const NONE = { force: false, deleteEmptyDirData: false };
const cases: readonly (readonly [string, Draft, typeof NONE, evicted: boolean, refused?: RegExp])[] = [
  ['a managed pod is evicted', {}, NONE, true],
  [
    'a pod that nobody makes anew stands in the way',
    { managed: false },
    NONE,
    false,
    /shop\/web: nobody makes it anew; --force/,
  ],
  ['with --force it goes', { managed: false }, { ...NONE, force: true }, true],
  [
    'a pod with an emptyDir stands in the way',
    { emptyDir: true },
    NONE,
    false,
    /emptyDir volumes; --delete-emptydir-data/,
  ],
  ['with --delete-emptydir-data it goes', { emptyDir: true }, { ...NONE, deleteEmptyDirData: true }, true],
  ['a pod that has ended goes, whoever made it', { managed: false, phase: 'Succeeded' }, NONE, true],
  ['a pod that is going already is left to go', { managed: false, going: true }, NONE, false],
];

for (const [what, draft, flags, evicted, refused] of cases) {
  test(`drain: ${what}`, () => {
    const plan = decideDrain([pod('web', draft)], flags);
    assert.equal(plan.evict.length === 1, evicted);
    if (refused === undefined) assert.deepEqual(plan.refused, []);
    else assert.match(plan.refused.join('\n'), refused);
  });
}

test('drain: one pod in the way keeps all where they are', () => {
  const plan = decideDrain([pod('a'), pod('b', { managed: false })], NONE);
  assert.deepEqual(plan.evict, []);
  assert.equal(plan.refused.length, 1);
});
