import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findCaller, type ProcessLineage } from './caller.ts';

const leaders = new Map([
  [100, 'web'],
  [200, 'cart'],
]);
const processes = new Map<number, ProcessLineage>([
  [50, { parent: 1, session: 50 }],
  [100, { parent: 50, session: 100 }],
  [101, { parent: 100, session: 100 }],
  [102, { parent: 1, session: 100 }],
  [103, { parent: 101, session: 103 }],
  [104, { parent: 103, session: 103 }],
  [105, { parent: 1, session: 105 }],
  [201, { parent: 200, session: 200 }],
  [300, { parent: 50, session: 50 }],
  [400, { parent: 401, session: 400 }],
  [401, { parent: 400, session: 401 }],
]);

const CASES: readonly (readonly [what: string, pid: number, owner: string | undefined])[] = [
  ['a first process', 100, 'web'],
  ['its child', 101, 'web'],
  ['an orphan that stayed in the session', 102, 'web'],
  ['a child that began a session of its own', 103, 'web'],
  ['a child of that', 104, 'web'],
  ['an orphan that left the session', 105, undefined],
  ['a process of another pod', 201, 'cart'],
  ['a sibling of the pods, child of the agent', 300, undefined],
  ['a process that has ended', 999, undefined],
  ['a loop in what was read', 400, undefined],
];

for (const [what, pid, owner] of CASES) {
  test(`${what} is ${owner === undefined ? "nobody's" : `of ${owner}`}`, () => {
    const caller = findCaller(pid, leaders, (at) => processes.get(at));
    assert.equal(caller.ok ? caller.owner : undefined, owner);
  });
}

test('whatever the process table says, an owner is found only by a session or an ancestor that is a leader', () => {
  const table = fc.array(
    fc.tuple(fc.integer({ min: 2, max: 30 }), fc.integer({ min: 0, max: 30 }), fc.integer({ min: 2, max: 30 })),
  );
  fc.assert(
    fc.property(table, fc.integer({ min: 2, max: 30 }), (rows, pid) => {
      const read = new Map(rows.map(([at, parent, session]) => [at, { parent, session }]));
      const caller = findCaller(pid, new Map([[7, 'seven']]), (at) => read.get(at));
      if (!caller.ok) return;
      const line = new Set<number>();
      for (let at = pid; !line.has(at); at = read.get(at)?.parent ?? at) line.add(at);
      assert.ok([...line].some((at) => at === 7 || read.get(at)?.session === 7));
    }),
  );
});
