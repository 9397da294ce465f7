import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { seededRandom } from '../../kit/random.ts';
import { checkHistory, checkKey } from './checker.ts';
import type { Action, Answer, Operation } from './history.ts';
import { apply, EMPTY } from './register.ts';
import { checkRevisions, checkWatch } from './revisions.ts';

const put = (value: string): Action => ({ type: 'put', value });
const swap = (revision: number, value: string): Action => ({ type: 'swap', revision, value });
const READ: Action = { type: 'read' };
const DELETE: Action = { type: 'delete' };
const wrote = (revision: number): Answer => ({ type: 'written', revision });
const saw = (value: string, revision: number): Answer => ({ type: 'read', present: { value, revision } });
const SAW_NOTHING: Answer = { type: 'read', present: undefined };
const conflict = (revision: number): Answer => ({ type: 'conflict', revision });
const UNKNOWN: Answer = { type: 'unknown' };

function op(calledAt: number, answeredAt: number, action: Action, answer: Answer, key = '/a'): Operation {
  return { client: `c${calledAt}`, key, action, answer, calledAt, answeredAt };
}

const GOOD: Record<string, Operation[]> = {
  'nothing at all': [],
  'one after the other': [
    op(0, 1, put('x'), wrote(1)),
    op(2, 3, READ, saw('x', 1)),
    op(4, 5, DELETE, wrote(2)),
    op(6, 7, READ, SAW_NOTHING),
  ],
  'a read beside a write sees either': [
    op(0, 10, put('x'), wrote(1)),
    op(1, 2, READ, SAW_NOTHING),
    op(3, 4, READ, saw('x', 1)),
  ],
  'writes beside each other in the order of their revisions': [
    op(0, 10, put('x'), wrote(2)),
    op(0, 10, put('y'), wrote(1)),
    op(11, 12, READ, saw('x', 2)),
  ],
  'a lost write that took effect': [
    op(0, 1, put('x'), UNKNOWN),
    op(5, 6, READ, saw('x', 3)),
    op(7, 8, swap(3, 'y'), wrote(4)),
  ],
  'a lost write that did not': [op(0, 1, put('x'), UNKNOWN), op(5, 6, READ, SAW_NOTHING)],
  'a lost write that took effect late': [
    op(0, 1, put('x'), UNKNOWN),
    op(5, 6, READ, SAW_NOTHING),
    op(7, 8, READ, saw('x', 1)),
  ],
  'of two swaps one wins': [op(0, 5, swap(0, 'x'), wrote(1)), op(0, 5, swap(0, 'y'), conflict(1))],
  'a lost swap that was refused': [
    op(0, 1, put('x'), wrote(1)),
    op(2, 3, swap(7, 'y'), UNKNOWN),
    op(4, 5, READ, saw('x', 1)),
  ],
  'a delete of nothing': [op(0, 1, DELETE, wrote(0)), op(2, 3, READ, SAW_NOTHING)],
};

const BAD: Record<string, Operation[]> = {
  'a stale read': [op(0, 1, put('x'), wrote(1)), op(2, 3, put('y'), wrote(2)), op(4, 5, READ, saw('x', 1))],
  'a lost acknowledged write': [op(0, 1, put('x'), wrote(1)), op(2, 3, READ, SAW_NOTHING)],
  'a read of what nobody wrote': [op(0, 1, put('x'), wrote(1)), op(2, 3, READ, saw('z', 1))],
  'a read that goes back while a write is under way': [
    op(0, 20, put('x'), wrote(1)),
    op(1, 2, READ, saw('x', 1)),
    op(3, 4, READ, SAW_NOTHING),
  ],
  'two swaps of one revision': [op(0, 5, swap(0, 'x'), wrote(1)), op(0, 5, swap(0, 'y'), wrote(2))],
  'a conflict with the very revision': [op(0, 1, put('x'), wrote(1)), op(2, 3, swap(1, 'y'), conflict(1))],
  'a conflict with what was not there': [op(0, 1, put('x'), wrote(1)), op(2, 3, swap(0, 'y'), conflict(5))],
  'a write carried out twice': [
    op(0, 1, put('x'), wrote(1)),
    op(2, 3, put('y'), wrote(2)),
    op(4, 5, READ, saw('x', 3)),
  ],
  'a lost write that took effect before it was called': [op(0, 1, READ, saw('x', 1)), op(2, 3, put('x'), UNKNOWN)],
  'a lost write that came and went': [
    op(0, 1, put('x'), UNKNOWN),
    op(2, 3, READ, saw('x', 1)),
    op(4, 5, READ, SAW_NOTHING),
  ],
  'a revision that goes back': [op(0, 1, put('x'), wrote(5)), op(2, 3, put('y'), wrote(4))],
  'another revision at each read': [
    op(0, 1, put('x'), UNKNOWN),
    op(2, 3, READ, saw('x', 1)),
    op(4, 5, READ, saw('x', 2)),
  ],
  'a deleted key that is there': [
    op(0, 1, put('x'), wrote(1)),
    op(2, 3, DELETE, wrote(2)),
    op(4, 5, READ, saw('x', 1)),
  ],
};

test('histories that have an order are accepted', () => {
  for (const [name, history] of Object.entries(GOOD)) assert.deepEqual(checkHistory(history), [], name);
});

test('histories that have none are refused, with the operation that fits nowhere', () => {
  for (const [name, history] of Object.entries(BAD)) {
    const [finding, ...more] = checkHistory(history);
    assert.match(finding ?? '', /^key \/a: c\d+: .* fits no order/, name);
    assert.deepEqual(more, []);
  }
});

test('keys are told apart: what is wrong for one is found beside what is right for others', () => {
  const right = GOOD['one after the other'] ?? [];
  const wrong = (BAD['a stale read'] ?? []).map((operation) => ({ ...operation, key: '/b' }));
  assert.match(checkHistory([...right, ...wrong]).join(), /^key \/b: /);
});

/** A history as a right store would give: each operation takes effect at a moment of its own between call and answer. */
function rightHistory(seed: number, count: number): Operation[] {
  const random = seededRandom(seed);
  const moments = Array.from({ length: count }, (_, index) => index + random() * 0.9);
  let state = EMPTY;
  let revision = 0;
  return moments.map((moment, index) => {
    const draw = random();
    const action =
      draw < 0.4
        ? READ
        : draw < 0.6
          ? put(`v${index}`)
          : draw < 0.9
            ? swap(random() < 0.7 ? (state.revision ?? 0) : 0, `v${index}`)
            : DELETE;
    let answer: Answer;
    const matches = action.type !== 'swap' || action.revision === state.revision;
    if (action.type === 'read')
      answer = state.value === undefined ? SAW_NOTHING : saw(state.value, state.revision ?? 0);
    else if (!matches) answer = conflict(state.revision ?? 0);
    else answer = wrote(action.type === 'delete' && state.value === undefined ? revision : ++revision);
    const operation = op(moment - random() * 6, moment + random() * 6, action, answer);
    state = apply(state, operation) ?? assert.fail('the model refuses its own answer');
    const lost = action.type !== 'read' && answer.type !== 'conflict' && random() < 0.05;
    return lost ? { ...operation, answer: UNKNOWN } : operation;
  });
}

test('every history of a right store is accepted', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 120 }), (seed, count) => {
      assert.equal(checkKey(rightHistory(seed, count)), undefined);
    }),
    { numRuns: 200 },
  );
});

test('a right history in which one read is answered with a value long gone is refused', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const history = rightHistory(seed, 60);
      const first = history.find(({ answer }) => answer.type === 'written');
      if (first?.action.type !== 'put') return;
      const overwritten = history.some(
        ({ calledAt, answer, action }) =>
          answer.type === 'written' && action.type === 'put' && calledAt > first.answeredAt,
      );
      const last = Math.max(...history.map(({ answeredAt }) => answeredAt));
      const { revision } = first.answer as { revision: number };
      if (!overwritten) return;
      assert.notEqual(
        checkKey([...history, op(last + 1, last + 2, READ, saw(first.action.value, revision))]),
        undefined,
      );
    }),
    { numRuns: 200 },
  );
});

test('revisions that come twice, go against time, or are missing from a watch are found across keys', () => {
  const one = op(0, 1, put('x'), wrote(1), '/a');
  const two = op(2, 3, put('y'), wrote(2), '/b');
  assert.deepEqual(checkRevisions([one, two]), []);
  assert.match(checkRevisions([one, { ...two, answer: wrote(1) }]).join(), /revision 1: given to \/a and \/b/);
  assert.match(checkRevisions([{ ...one, answer: wrote(3) }, two]).join(), /revision 3 of \/a: was answered before/);
  const change = (revision: number, key: string, value: string) => ({
    type: 'put' as const,
    key,
    value,
    revision,
    previous: undefined,
  });
  assert.deepEqual(checkWatch([one, two], [change(1, '/a', 'x'), change(2, '/b', 'y')]), []);
  assert.match(checkWatch([one, two], [change(1, '/a', 'x')]).join(), /revision 2 is missing/);
  assert.match(checkWatch([one], [change(1, '/a', 'z')]).join(), /revision 1 is \/a=z/);
  assert.match(checkWatch([], [change(2, '/a', 'x'), change(1, '/a', 'y')]).join(), /revision 1 after 2/);
});
