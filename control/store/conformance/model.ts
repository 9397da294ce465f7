import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { CompactedError, type Entry, type Store, type Transaction } from '../store.ts';
import { take, told } from './subject.ts';

export type Step =
  | {
      readonly do: 'transact';
      readonly guess: number;
      readonly put: readonly string[];
      readonly delete: readonly string[];
    }
  | { readonly do: 'compact'; readonly share: number };

const MODEL_KEYS = ['/a/1', '/a/2', '/a/3', '/b/1', '/b/2'];
const PREFIXES = ['', '/a/', '/b/', '/a/2'];

export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc
      .record({
        // 0 compares with what is there, 1 with nothing, 2 with an older revision, 3 compares nothing.
        guess: fc.nat(3),
        put: fc.subarray(MODEL_KEYS, { maxLength: 3 }),
        delete: fc.subarray(MODEL_KEYS, { maxLength: 2 }),
      })
      .map((drawn) => ({
        do: 'transact' as const,
        ...drawn,
        delete: drawn.delete.filter((key) => !drawn.put.includes(key)),
      })),
  },
  {
    weight: 1,
    arbitrary: fc.double({ min: 0, max: 1, noNaN: true }).map((share) => ({ do: 'compact' as const, share })),
  },
);

/** Every state the store has been in, as plain maps: what the engine must show. */
class Model {
  readonly states: ReadonlyMap<string, Entry>[] = [new Map()];
  readonly changes: string[] = [];
  compacted = 0;

  get revision(): number {
    return this.states.length - 1;
  }

  get present(): ReadonlyMap<string, Entry> {
    return this.states.at(-1) as ReadonlyMap<string, Entry>;
  }

  transact(transaction: Transaction): boolean {
    if (transaction.compare.some(({ key, revision }) => (this.present.get(key)?.revision ?? 0) !== revision))
      return false;
    const next = new Map(this.present);
    const revision = this.revision + 1;
    const told: string[] = [];
    for (const { key, value } of transaction.put) {
      next.set(key, { key, value, revision, created: next.get(key)?.created ?? revision });
      told.push(`${revision} put ${key}=${value}`);
    }
    for (const key of transaction.delete) {
      const before = next.get(key);
      if (before === undefined) continue;
      next.delete(key);
      told.push(`${revision} delete ${key}=${before.value}`);
    }
    if (told.length > 0) this.states.push(next);
    this.changes.push(...told);
    return true;
  }
}

/** Does the steps on the store and on the model, then compares all that can be read. */
export async function followsModel(store: Store, steps: readonly Step[], from: number): Promise<void> {
  const model = new Model();
  for (const [index, step] of steps.entries()) {
    if (step.do === 'compact') {
      const revision = Math.floor(step.share * model.revision);
      await store.compact(revision);
      model.compacted = Math.max(model.compacted, revision);
      continue;
    }
    const transaction = transactionOf(step, model, `${index}`);
    const expected = model.transact(transaction);
    const result = await store.transact(transaction);
    assert.equal(result.ok, expected);
    if (result.ok) assert.equal(result.revision, model.revision);
  }
  await showsEveryState(store, model);
  const after = model.compacted + (from % (model.revision - model.compacted + 1));
  const expected = model.changes.filter((change) => Number.parseInt(change, 10) > after);
  const watch = store.watch('', { after, signal: new AbortController().signal });
  assert.deepEqual(told(await take(watch, expected.length)), expected);
}

function transactionOf(step: Step & { do: 'transact' }, model: Model, value: string): Transaction {
  const key = step.put[0] ?? step.delete[0] ?? '/a/1';
  const there = model.present.get(key)?.revision ?? 0;
  const guesses = [there, 0, Math.max(0, there - 1)];
  const revision = guesses[step.guess];
  return {
    compare: revision === undefined ? [] : [{ key, revision }],
    put: step.put.map((key) => ({ key, value })),
    delete: step.delete,
  };
}

async function showsEveryState(store: Store, model: Model): Promise<void> {
  for (let revision = model.compacted; revision <= model.revision; revision++) {
    const state = [...(model.states[revision] as ReadonlyMap<string, Entry>).values()];
    for (const prefix of PREFIXES) {
      const entries = state
        .filter(({ key }) => key.startsWith(prefix))
        .sort((one, other) => (one.key < other.key ? -1 : 1));
      assert.deepEqual(await pages(store, prefix, revision), entries);
    }
  }
  for (const key of MODEL_KEYS) assert.deepEqual(await store.get(key), model.present.get(key));
  if (model.compacted > 0) await assert.rejects(store.list('', { revision: model.compacted - 1 }), CompactedError);
}

async function pages(store: Store, prefix: string, revision: number): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (;;) {
    const after = entries.at(-1)?.key;
    const page = await store.list(prefix, { revision, limit: 2, ...(after !== undefined && { after }) });
    entries.push(...page.entries);
    assert.equal(page.more, page.remaining > 0);
    if (!page.more) return entries;
  }
}
