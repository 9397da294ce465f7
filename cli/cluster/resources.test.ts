import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podKind } from '../../api/kinds/pod.ts';
import type { CommandError } from '../output/exit-codes.ts';
import { parseResources } from './resources.ts';
import { tableLines } from './server-table.ts';

for (const [given, wanted] of [
  [['pods'], [['pods', []]]],
  [['po', 'a', 'b'], [['pods', ['a', 'b']]]],
  [['pod/a'], [['pods', ['a']]]],
  [
    ['deploy,svc'],
    [
      ['deployments', []],
      ['services', []],
    ],
  ],
  [
    ['deploy/web', 'svc/web'],
    [
      ['deployments', ['web']],
      ['services', ['web']],
    ],
  ],
  [['all'], ['pods', 'services', 'deployments', 'replicasets'].map((plural) => [plural, []])],
] as const) {
  test(`"${given.join(' ')}" is read as kubectl reads it`, () => {
    assert.deepEqual(
      parseResources(given).map(({ kind, names }) => [kind.plural, names]),
      wanted,
    );
  });
}

test('a kind that is not known is refused with the one that was probably meant', () => {
  assert.throws(
    () => parseResources(['podz']),
    (error: CommandError) =>
      error.exit === 'usage' && error.message === 'kind "podz": not known (did you mean "pods"?)',
  );
  assert.throws(() => parseResources(['quux']), /kind "quux": not known$/);
});

const table = {
  columnDefinitions: [
    { name: 'Last Seen', format: '', priority: 0 },
    { name: 'Name', format: 'name', priority: 0 },
    { name: 'Node', format: '', priority: 1 },
  ],
  rows: [{ cells: ['5s', 'web', 'one'], object: { metadata: { namespace: 'shop' } } }],
};

test('the kind stands before the name, whichever column that is', () => {
  assert.deepEqual(tableLines(table, { wide: false, withNamespace: false, prefix: podKind as never }), {
    header: ['LAST SEEN', 'NAME'],
    rows: [['5s', 'pod/web']],
  });
});

test('a wide table has all columns, and one of every namespace says which', () => {
  assert.deepEqual(tableLines(table, { wide: true, withNamespace: true, prefix: undefined }), {
    header: ['NAMESPACE', 'LAST SEEN', 'NAME', 'NODE'],
    rows: [['shop', '5s', 'web', 'one']],
  });
});
