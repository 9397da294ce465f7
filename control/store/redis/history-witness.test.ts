import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Found, judgeHistory, type Mark, type Verdict } from './history-witness.ts';

const MARK: Mark = { storeId: 'a', generation: 1, revision: 100, mutation: 'm100' };
const FOUND: Found = { storeId: 'a', generation: 1, revision: 100, compacted: 10, mutation: 'm100' };

test('a store that has forgotten what was seen of it is told from one that goes on', () => {
  const cases: readonly (readonly [string, Partial<Mark>, Partial<Found>, Verdict])[] = [
    ['nothing happened', {}, {}, 'same'],
    ['it went on', {}, { revision: 120 }, 'same'],
    ['it is behind', {}, { revision: 99, mutation: '' }, 'rewound'],
    ['it went back and wrote on', {}, { revision: 130, mutation: 'other' }, 'rewound'],
    ['the mark is compacted', {}, { revision: 130, compacted: 100, mutation: '' }, 'same'],
    ['the mark has no mutation', { mutation: '' }, { revision: 130, mutation: 'other' }, 'same'],
    [
      'another has renewed it',
      {},
      { generation: 2, revision: 2_000_000, compacted: 2_000_000, mutation: '' },
      'renewed',
    ],
    ['a renewal is forgotten', { generation: 2 }, { revision: 130 }, 'rewound'],
    ['it is empty', {}, { storeId: '', generation: 0, revision: 0, compacted: 0, mutation: '' }, 'another'],
    ['it is another', {}, { storeId: 'b' }, 'another'],
  ];
  for (const [name, mark, found, verdict] of cases) {
    assert.equal(judgeHistory({ ...MARK, ...mark }, { ...FOUND, ...found }), verdict, name);
  }
});
