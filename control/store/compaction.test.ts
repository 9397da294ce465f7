import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FakeClock } from '../../kit/fake-clock.ts';
import { silentLog } from '../../kit/log.ts';
import { type CompactionPolicy, planCompaction, type RevisionMark, runCompaction } from './compaction.ts';
import { openMemoryStore } from './memory/memory-store.ts';
import { CompactedError } from './store.ts';

const policy: CompactionPolicy = { minRevisions: 10, maxRevisions: 100, keepMs: 1000, intervalMs: 100 };

const cases: readonly {
  readonly name: string;
  readonly marks: readonly RevisionMark[];
  readonly present: RevisionMark;
  readonly compactTo: number | undefined;
}[] = [
  { name: 'a new store keeps all', marks: [], present: { revision: 50, atMs: 0 }, compactTo: undefined },
  {
    name: 'what is older than the time kept goes',
    marks: [{ revision: 20, atMs: 0 }],
    present: { revision: 60, atMs: 1000 },
    compactTo: 20,
  },
  {
    name: 'what is younger stays',
    marks: [{ revision: 20, atMs: 1 }],
    present: { revision: 60, atMs: 1000 },
    compactTo: undefined,
  },
  {
    name: 'a quiet store keeps its last revisions, however old',
    marks: [{ revision: 20, atMs: 0 }],
    present: { revision: 22, atMs: 99_000 },
    compactTo: 12,
  },
  {
    name: 'a busy store keeps no more than its bound, however young',
    marks: [{ revision: 20, atMs: 0 }],
    present: { revision: 500, atMs: 10 },
    compactTo: 400,
  },
];
for (const { name, marks, present, compactTo } of cases) {
  test(`compaction: ${name}`, () => assert.equal(planCompaction(marks, present, policy).compactTo, compactTo));
}

test('compaction never forgets the last revisions, never leaves more than the bound, and its memory stays small', () => {
  const look = fc.record({ writes: fc.nat(60), passedMs: fc.integer({ min: 1, max: 400 }) });
  fc.assert(
    fc.property(fc.array(look, { maxLength: 60 }), (looks) => {
      let marks: readonly RevisionMark[] = [];
      const present = { revision: 0, atMs: 0 };
      for (const { writes, passedMs } of looks) {
        present.revision += writes;
        present.atMs += passedMs;
        const plan = planCompaction(marks, { ...present }, policy);
        marks = plan.marks;
        const kept = present.revision - (plan.compactTo ?? 0);
        assert.ok(kept >= Math.min(present.revision, policy.minRevisions));
        assert.ok(kept <= policy.maxRevisions);
        const young = marks.filter(({ atMs }) => atMs > present.atMs - policy.keepMs);
        assert.ok(marks.length <= young.length + 1);
      }
    }),
  );
});

test('a store in use is compacted by and by, and stopping leaves no timer behind', async () => {
  const clock = new FakeClock();
  const store = openMemoryStore({ clock });
  const abort = new AbortController();
  const done = runCompaction({ store, clock, log: silentLog(), policy, signal: abort.signal });
  for (let write = 0; write < 40; write++) {
    await store.transact({ compare: [], put: [{ key: '/a', value: `${write}` }], delete: [] });
    await clock.advance(100);
  }
  await assert.rejects(store.list('/', { revision: 25 }), CompactedError);
  assert.equal((await store.list('/', { revision: 35 })).entries[0]?.value, '34');
  abort.abort();
  await done;
  assert.equal(clock.pendingTimers, 0);
});

test('compaction ends by itself when the store closes', async () => {
  const clock = new FakeClock();
  const store = openMemoryStore({ clock });
  const done = runCompaction({ store, clock, log: silentLog(), policy, signal: new AbortController().signal });
  await store.close();
  await clock.advance(200);
  await done;
});
