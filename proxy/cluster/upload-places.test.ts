import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SharedCounts } from './shared-counts.ts';
import { type Upload, UploadPlaces } from './upload-places.ts';

type State = 'asked' | 'waiting' | 'refused' | 'displaced' | 'gone';

/** An upload that writes down what becomes of it. */
class Watched implements Upload {
  state: State = 'gone';
  readonly #places: UploadPlaces;
  readonly #whenAdmitted: 'stays' | 'leaves-at-once';

  constructor(places: UploadPlaces, whenAdmitted: 'stays' | 'leaves-at-once' = 'stays') {
    this.#places = places;
    this.#whenAdmitted = whenAdmitted;
  }

  enter(limit: number, patience: 'may-wait' | 'cannot-wait' = 'may-wait'): this {
    this.state = this.#places.enter(this, limit, patience);
    return this;
  }

  admitted(): void {
    this.state = 'asked';
    if (this.#whenAdmitted === 'leaves-at-once') this.leave();
  }

  displaced(): void {
    this.state = 'displaced';
    this.#places.leave(this);
  }

  leave(): void {
    this.state = 'gone';
    this.#places.leave(this);
  }
}

test('who finds no place waits, the oldest first let in when one is free, and the oldest is the one who goes when too many wait', () => {
  const places = new UploadPlaces();
  const enter = (): Watched => new Watched(places).enter(2);
  const [a, b, c, d] = [enter(), enter(), enter(), enter()];
  assert.deepEqual([a.state, b.state, c.state, d.state], ['asked', 'asked', 'waiting', 'waiting']);
  const e = enter();
  assert.deepEqual([c.state, d.state, e.state], ['displaced', 'waiting', 'waiting']);
  b.leave();
  assert.deepEqual([d.state, e.state, places.asked, places.waiting], ['asked', 'waiting', 2, 1]);
});

test('one that cannot wait, and one that has shown more than can be kept, takes the place of the oldest that has shown less', () => {
  const places = new UploadPlaces();
  const enter = (patience?: 'cannot-wait'): Watched => new Watched(places).enter(2, patience);
  const [a, b, c] = [enter(), enter(), enter()];
  places.settle(a);
  assert.equal(places.press(c, 2), true);
  assert.deepEqual([a.state, b.state], ['asked', 'displaced']);
  const call = enter('cannot-wait');
  assert.deepEqual([c.state, call.state], ['displaced', 'asked']);
  places.settle(call);
  assert.equal(enter('cannot-wait').state, 'refused');
  const late = enter();
  assert.equal(places.press(late, 2), false);
  assert.deepEqual([places.asked, places.waiting], [2, 0]);
});

test('ten thousand that are over at once when they are let in nest no calls', () => {
  const places = new UploadPlaces();
  const asked = Array.from({ length: 10_000 }, () => new Watched(places).enter(10_000));
  const waiting = Array.from({ length: 10_000 }, () => new Watched(places, 'leaves-at-once').enter(10_000));
  asked[0]?.leave();
  assert.ok(waiting.every(({ state }) => state === 'gone'));
  assert.deepEqual([places.asked, places.waiting], [9999, 0]);
});

test('workers of one process share the places, and one lets in who waits with its next newcomer when another’s place is free', () => {
  const memory = SharedCounts.memory(2);
  const [here, there] = [0, 1].map((worker) => new UploadPlaces(new SharedCounts(memory, worker)));
  if (here === undefined || there === undefined) throw new Error('two');
  const [a, b, c] = [new Watched(here).enter(2), new Watched(there).enter(2), new Watched(here).enter(2)];
  assert.deepEqual([a.state, b.state, c.state], ['asked', 'asked', 'waiting']);
  b.leave();
  const d = new Watched(here).enter(2);
  assert.deepEqual([c.state, d.state, new Watched(there).enter(2).state], ['asked', 'waiting', 'waiting']);
  SharedCounts.clear(memory, 0);
  assert.equal(new Watched(there).enter(2).state, 'asked');
  assert.equal(there.asked, 2);
});

test('property: no more are asked, and no more wait, than there are places; who is asked or waits is counted, and nobody waits beside a free place', () => {
  const step = fc.record({
    does: fc.constantFrom('enter', 'enter-now', 'settle', 'press', 'leave'),
    who: fc.nat(20),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 60 }), (limit, steps) => {
      const places = new UploadPlaces();
      const all: Watched[] = [];
      for (const { does, who } of steps) {
        const one = all[who % Math.max(1, all.length)];
        if (does === 'enter' || does === 'enter-now')
          all.push(new Watched(places).enter(limit, does === 'enter' ? 'may-wait' : 'cannot-wait'));
        else if (does === 'settle' && one !== undefined) places.settle(one);
        else if (does === 'press' && one?.state === 'waiting')
          one.state = places.press(one, limit) ? 'asked' : 'refused';
        else if (does === 'leave' && one !== undefined) one.leave();
        const count = (state: State): number => all.filter((upload) => upload.state === state).length;
        assert.deepEqual([count('asked'), count('waiting')], [places.asked, places.waiting]);
        assert.ok(places.asked <= limit && places.waiting <= limit);
        assert.ok(places.waiting === 0 || places.asked === limit);
      }
    }),
  );
});
