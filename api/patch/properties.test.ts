import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { mapList } from '../kinds/list-schema.ts';
import { type Json, type JsonObject, sameJson } from './json.ts';
import { applyJsonPatch } from './json-patch.ts';
import { applyConfiguration } from './managed-fields/apply-configuration.ts';
import { allFields } from './managed-fields/field-filter.ts';
import { hasPath, intersection, isEmptySet, pathsOf } from './managed-fields/field-set.ts';
import { NO_OWNERS, type Owners } from './managed-fields/managers.ts';
import { trackUpdate } from './managed-fields/track-update.ts';
import { compareFields } from './managed-fields/typed-compare.ts';
import { typedSchemaOf } from './managed-fields/typed-schema.ts';
import { applyMergePatch } from './merge-patch.ts';
import { patchSchemaOf } from './patch-schema.ts';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';

/*
 * Any sequence of patches of all types, beside a naive reading of what each type means. The document is small: two fields, a
 * map, and a list of named items with maps of their own.
 */

const schema = z.object({
  one: z.string().optional(),
  two: z.string().optional(),
  map: z.record(z.string(), z.string()).optional(),
  items: mapList(z.object({ name: z.string(), value: z.string().optional() }), 'name').optional(),
});
const patchSchema = patchSchemaOf(schema);
const typedSchema = typedSchemaOf(schema);

interface Item {
  readonly name: string;
  readonly value?: string;
}

interface Document {
  readonly one?: string;
  readonly two?: string;
  readonly map?: Readonly<Record<string, string>>;
  readonly items?: readonly Item[];
}

const word = fc.constantFrom('a', 'b', 'c');
const items = fc.uniqueArray(fc.record({ name: word, value: word }, { requiredKeys: ['name'] }), {
  selector: ({ name }) => name,
  minLength: 1,
  maxLength: 3,
});
const map = fc.dictionary(word, word, { minKeys: 1, maxKeys: 3 });
const document: fc.Arbitrary<Document> = fc
  .record({ one: word, two: word, map, items }, { requiredKeys: [] })
  .map((made) => JSON.parse(JSON.stringify(made)) as Document);

const orNull = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(of, { freq: 3 });
const mapPatch = fc.dictionary(word, orNull(word), { minKeys: 1, maxKeys: 3 });

type Patch =
  | { readonly type: 'merge'; readonly patch: JsonObject }
  | { readonly type: 'strategic'; readonly patch: JsonObject }
  | { readonly type: 'json'; readonly field: 'one' | 'two'; readonly value: string | null }
  | { readonly type: 'apply'; readonly config: Document; readonly manager: string };

const asJson = (value: unknown): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject;

const patch: fc.Arbitrary<Patch> = fc.oneof(
  fc
    .record({ one: orNull(word), map: orNull(mapPatch), items: orNull(items) }, { requiredKeys: [] })
    .map((made) => ({ type: 'merge' as const, patch: asJson(made) })),
  fc
    .record({ two: orNull(word), map: mapPatch, items }, { requiredKeys: [] })
    .map((made) => ({ type: 'strategic' as const, patch: asJson(made) })),
  fc.record({
    type: fc.constant('json' as const),
    field: fc.constantFrom('one' as const, 'two' as const),
    value: orNull(word),
  }),
  fc.record({ type: fc.constant('apply' as const), config: document, manager: fc.constantFrom('x', 'y') }),
);

interface State {
  readonly live: JsonObject;
  readonly owners: Owners;
}

const NOW = '2030-01-01T00:00:00Z';
const name = (manager: string, operation: 'Apply' | 'Update') =>
  ({ manager, operation, apiVersion: 'v1', subresource: '' }) as const;

function applied({ live, owners }: State, config: JsonObject, manager: string): State {
  const by = name(manager, 'Apply');
  const place = { schema: typedSchema, filter: allFields, now: NOW, conflicts: 'take' } as const;
  const after = applyConfiguration({ ...place, live, config, owners, by });
  assert.ok(after.type === 'applied');
  return { live: after.object, owners: after.owners };
}

function patched({ live }: State, given: Exclude<Patch, { type: 'apply' }>): JsonObject {
  switch (given.type) {
    case 'merge':
      return applyMergePatch(live, given.patch) as JsonObject;
    case 'strategic':
      return applyStrategicMergePatch(live, given.patch, patchSchema);
    case 'json': {
      const path = `/${given.field}`;
      if (given.value !== null) return applyJsonPatch(live, [{ op: 'add', path, value: given.value }]) as JsonObject;
      return given.field in live ? (applyJsonPatch(live, [{ op: 'remove', path }]) as JsonObject) : live;
    }
    default:
      return given satisfies never;
  }
}

/** As it was created, by one who owns it all. */
function created(start: Document): State {
  return updated({ live: {}, owners: NO_OWNERS }, asJson(start));
}

function step(state: State, given: Patch): State {
  if (given.type === 'apply') return applied(state, asJson(given.config), given.manager);
  return updated(state, patched(state, given));
}

function updated(state: State, after: JsonObject): State {
  const by = name('patcher', 'Update');
  const tracked = {
    before: state.live,
    after,
    schema: typedSchema,
    owners: state.owners,
    by,
    filter: allFields,
    now: NOW,
  };
  return { live: after, owners: trackUpdate(tracked) };
}

/** The document as a flat map of leaves, such as `items/a/value`: what each patch means is easy to say of it. */
type Leaves = Map<string, string>;

function leavesOf({ one, two, map: labels, items: list }: Document): Leaves {
  const leaves: Leaves = new Map();
  if (one !== undefined) leaves.set('one', one);
  if (two !== undefined) leaves.set('two', two);
  for (const [key, value] of Object.entries(labels ?? {})) leaves.set(`map/${key}`, value);
  for (const item of list ?? []) {
    leaves.set(`items/${item.name}`, item.name);
    if (item.value !== undefined) leaves.set(`items/${item.name}/value`, item.value);
  }
  return leaves;
}

function without(leaves: Leaves, prefix: string): Leaves {
  return new Map([...leaves].filter(([path]) => path !== prefix && !path.startsWith(`${prefix}/`)));
}

/** What a merge or strategic patch means, leaf by leaf. */
function naively(before: Leaves, given: Exclude<Patch, { type: 'apply' }>): Leaves {
  if (given.type === 'json') {
    return given.value === null ? without(before, given.field) : new Map(before).set(given.field, given.value);
  }
  let leaves = new Map(before);
  for (const [field, value] of Object.entries(given.patch)) {
    if (field === 'items' && given.type === 'merge') leaves = without(leaves, 'items');
    if (value === null) leaves = without(leaves, field);
    else if (typeof value === 'string') leaves.set(field, value);
    else if (field === 'map') {
      for (const [key, text] of Object.entries(value as Record<string, string | null>)) {
        if (text === null) leaves.delete(`map/${key}`);
        else leaves.set(`map/${key}`, text);
      }
    } else for (const [path, text] of leavesOf({ items: value as unknown as readonly Item[] })) leaves.set(path, text);
  }
  return leaves;
}

/** What each applier applied last: all that a naive reading of server-side apply needs to know, when it is forced. */
function naivelyApplied(
  before: Leaves,
  config: Leaves,
  owned: ReadonlyMap<string, ReadonlySet<string>>,
  manager: string,
) {
  const leaves = new Map(before);
  const others = [...owned].filter(([other]) => other !== manager).flatMap(([, paths]) => [...paths]);
  for (const path of owned.get(manager) ?? []) {
    if (config.has(path)) continue;
    // An item goes with all that is in it, unless somebody else has the item as such.
    if (others.includes(path)) continue;
    for (const gone of leaves.keys()) if (gone === path || gone.startsWith(`${path}/`)) leaves.delete(gone);
  }
  for (const [path, value] of config) leaves.set(path, value);
  return leaves;
}

test('any sequence of patches leaves what a naive reading of each patch says', () => {
  fc.assert(
    fc.property(document, fc.array(patch, { maxLength: 8 }), (start, patches) => {
      let state = created(start);
      for (const given of patches) {
        const before = leavesOf(state.live);
        const owned = ownedLeaves(state.owners);
        const expected =
          given.type === 'apply'
            ? naivelyApplied(before, leavesOf(given.config), owned, given.manager)
            : naively(before, given);
        state = step(state, given);
        const after = leavesOf(state.live);
        assert.deepEqual(Object.fromEntries(after), Object.fromEntries(expected), JSON.stringify(given));
      }
    }),
    { numRuns: 300 },
  );
});

/** By manager, the leaves that its set has. */
function ownedLeaves(owners: Owners): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(
    [...owners.values()].map(({ manager, fields }) => {
      const paths = pathsOf(fields).map((path) =>
        path.map((element) =>
          element.startsWith('k:') ? (JSON.parse(element.slice(2)) as Item).name : element.slice(2),
        ),
      );
      return [manager, new Set(paths.map((path) => path.join('/')).filter((path) => !path.endsWith('/name')))];
    }),
  );
}

test('an apply that is repeated changes neither the object nor who owns it', () => {
  fc.assert(
    fc.property(document, fc.array(patch, { maxLength: 6 }), document, (start, patches, config) => {
      const state = patches.reduce(step, created(start));
      const once = applied(state, asJson(config), 'x');
      const twice = applied(once, asJson(config), 'x');
      assert.deepEqual(twice, once);
    }),
    { numRuns: 300 },
  );
});

test('what a write changes, nobody but its writer owns; and no owner is left with nothing', () => {
  fc.assert(
    fc.property(document, fc.array(patch, { minLength: 1, maxLength: 6 }), (start, patches) => {
      let state = created(start);
      for (const given of patches) {
        const before = state;
        state = step(state, given);
        const writer = given.type === 'apply' ? given.manager : 'patcher';
        const { modified, added, removed } = compareFields(before.live, state.live, typedSchema);
        for (const { manager, operation, fields } of state.owners.values()) {
          assert.ok(!isEmptySet(fields), 'an owner of nothing');
          if (manager === writer && (operation === 'Apply') === (given.type === 'apply')) continue;
          for (const changed of [modified, added, removed]) {
            assert.ok(isEmptySet(intersection(fields, changed)), `${manager} kept what ${writer} changed`);
          }
        }
        if (given.type !== 'apply') continue;
        const mine = [...state.owners.values()].find(
          (owner) => owner.manager === writer && owner.operation === 'Apply',
        );
        for (const field of ['one', 'two'] as const) {
          assert.equal(hasPath(mine?.fields ?? {}, [`f:${field}`]), given.config[field] !== undefined);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('no patch of any type can change what objects inherit', () => {
  const hostile = fc.constantFrom('__proto__', 'constructor', 'prototype');
  const inside = fc.oneof(fc.constant({ polluted: 'yes' }), fc.constant('yes'));
  fc.assert(
    fc.property(hostile, inside, fc.array(word, { maxLength: 2 }), (key, value, way) => {
      const patchText = way.reduceRight((text, field) => `{"${field}":${text}}`, `{"${key}":${JSON.stringify(value)}}`);
      const body = JSON.parse(patchText) as Json;
      const attempts = [
        () => applyMergePatch({}, body),
        () => applyStrategicMergePatch({}, body, patchSchema),
        () => applyJsonPatch({}, [{ op: 'add', path: `/${key}/polluted`, value: 'yes' }]),
        () => applyJsonPatch({ a: {} }, [{ op: 'add', path: '/a', value: body }]),
      ];
      for (const attempt of attempts) assert.throws(attempt, /not allowed/);
      assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
      assert.ok(sameJson({}, {}));
    }),
  );
});
