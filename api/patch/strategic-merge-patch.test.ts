import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { z } from 'zod';
import { mapList } from '../kinds/list-schema.ts';
import { podKind } from '../kinds/pod.ts';
import { ApiError } from '../meta/api-error.ts';
import type { JsonObject } from './json.ts';
import { patchSchemaOf } from './patch-schema.ts';
import { strategicDiff } from './strategic-diff.ts';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';

/** The shapes of strategicpatch's own tests: a merged list, a list of values, a plain one, and what retains keys. */
const mergeItemSchema = z.object({
  name: z.string().optional(),
  value: z.json().optional(),
  other: z.json().optional(),
  get items() {
    return mapList(mergeItemSchema, 'name').optional();
  },
  values: z.array(z.json()).meta({ 'x-kubernetes-patch-strategy': 'merge' }).optional(),
  plain: z.array(z.json()).optional(),
  map: z.record(z.string(), z.json()).optional(),
  replaced: z.record(z.string(), z.json()).meta({ 'x-kubernetes-patch-strategy': 'replace' }).optional(),
  get retaining() {
    return mergeItemSchema.meta({ 'x-kubernetes-patch-strategy': 'retainKeys' }).optional();
  },
  get retainingItems() {
    return mapList(mergeItemSchema, 'name').meta({ 'x-kubernetes-patch-strategy': 'merge,retainKeys' }).optional();
  },
});

const schema = patchSchemaOf(mergeItemSchema);
const one = { name: '1', value: 1 };
const two = { name: '2', value: 2 };
const three = { name: '3', value: 3 };

const CASES: readonly (readonly [what: string, before: JsonObject, patch: JsonObject, after: JsonObject])[] = [
  ['sets and adds fields', { value: 1 }, { value: 2, other: 3 }, { value: 2, other: 3 }],
  ['deletes with null', { value: 1, other: 2 }, { value: null }, { other: 2 }],
  ['merges maps', { map: { a: 1, b: 2 } }, { map: { b: null, c: 3 } }, { map: { a: 1, c: 3 } }],
  ['replaces lists without a key', { plain: [1, 2] }, { plain: [3] }, { plain: [3] }],
  ['replaces maps that say so', { replaced: { a: 1 } }, { replaced: { b: 2 } }, { replaced: { b: 2 } }],
  ['replaces a map that it tells to', { map: { a: 1 } }, { map: { b: 2, $patch: 'replace' } }, { map: { b: 2 } }],
  ['empties a map that it tells to', { map: { a: 1 } }, { map: { $patch: 'delete' } }, { map: {} }],
  [
    'merges items by key',
    { items: [one, two] },
    { items: [{ name: '2', other: 5 }] },
    { items: [one, { ...two, other: 5 }] },
  ],
  [
    'puts new items before those it does not name, as Kubernetes does',
    { items: [one] },
    { items: [two] },
    { items: [two, one] },
  ],
  ['deletes items', { items: [one, two] }, { items: [{ name: '1', $patch: 'delete' }] }, { items: [two] }],
  [
    'deletes items that are not there',
    { items: [one] },
    { items: [{ name: '9', $patch: 'delete' }] },
    { items: [one] },
  ],
  ['replaces a merged list', { items: [one, two] }, { items: [three, { $patch: 'replace' }] }, { items: [three] }],
  [
    'orders items',
    { items: [one, two, three] },
    {
      '$setElementOrder/items': [{ name: '3' }, { name: '1' }, { name: '2' }],
    },
    { items: [three, one, two] },
  ],
  [
    'orders and merges',
    { items: [one, two] },
    { '$setElementOrder/items': [{ name: '3' }, { name: '1' }], items: [three] },
    { items: [three, one, two] },
  ],
  ['merges values as a set', { values: [1, 2] }, { values: [2, 3] }, { values: [1, 2, 3] }],
  ['deletes values', { values: [1, 2, 3] }, { '$deleteFromPrimitiveList/values': [2] }, { values: [1, 3] }],
  [
    'deletes and adds values in order',
    { values: [1, 2, 3] },
    { values: [4], '$deleteFromPrimitiveList/values': [2], '$setElementOrder/values': [4, 3, 1] },
    { values: [4, 3, 1] },
  ],
  [
    'retains keys',
    { retaining: { name: 'a', value: 1, other: 2 } },
    { retaining: { $retainKeys: ['name', 'other'], other: 3 } },
    { retaining: { name: 'a', other: 3 } },
  ],
  [
    'makes items without the directives',
    {},
    {
      items: [
        { name: '1', $patch: 'delete' },
        { ...two, map: { a: 1, b: null } },
      ],
    },
    { items: [{ ...two, map: { a: 1 } }] },
  ],
  [
    'goes deep',
    { items: [{ name: '1', items: [one, two] }] },
    { items: [{ name: '1', items: [{ name: '2', $patch: 'delete' }] }] },
    { items: [{ name: '1', items: [one] }] },
  ],
  [
    'merges what the schema does not know as plain JSON',
    { unknown: { a: [1], b: 2 } },
    { unknown: { a: [2], c: 3 } },
    { unknown: { a: [2], b: 2, c: 3 } },
  ],
];

for (const [what, before, patch, after] of CASES) {
  test(`a strategic merge patch ${what}`, () => {
    const copy = structuredClone(before);
    const clean = JSON.parse(JSON.stringify(patch)) as JsonObject;
    assert.deepEqual(applyStrategicMergePatch(before, clean, schema), after);
    assert.deepEqual(before, copy);
  });
}

const REFUSED: readonly (readonly [what: string, patch: unknown])[] = [
  ['is no object', [1]],
  ['has an unknown directive', { map: { $patch: 'explode' } }],
  ['has an item without its key', { items: [{ value: 1 }] }],
  ['has an item that is no object', { items: [1] }],
  ['sets what it does not retain', { retaining: { $retainKeys: ['name'], value: 1 } }],
  ['orders with what is no list', { '$setElementOrder/items': 1 }],
  ['has a hostile name', JSON.parse('{"map": {"__proto__": {"a": 1}}}')],
];

for (const [what, patch] of REFUSED) {
  test(`a strategic merge patch that ${what} is refused with 400`, () => {
    assert.throws(
      () => applyStrategicMergePatch({ items: [one] }, patch, schema),
      (error) => error instanceof ApiError && error.code === 400,
    );
  });
}

test("a Pod's own schema drives the patch: containers by name, ports by number, environment by name", () => {
  const container = {
    name: 'app',
    image: 'a',
    env: [{ name: 'A', value: '1' }],
    ports: [{ containerPort: 80, name: 'http' }],
  };
  const pod = { spec: { containers: [container, { name: 'side', image: 's' }], tolerations: [{ key: 'x' }] } };
  const patch = {
    spec: {
      containers: [
        { name: 'app', image: 'b', env: [{ name: 'B', value: '2' }], ports: [{ containerPort: 80, name: 'web' }] },
      ],
      tolerations: [{ key: 'y' }],
    },
  };
  assert.deepEqual(applyStrategicMergePatch(pod, patch, patchSchemaOf(podKind.schema)), {
    spec: {
      containers: [
        {
          name: 'app',
          image: 'b',
          env: [
            { name: 'B', value: '2' },
            { name: 'A', value: '1' },
          ],
          ports: [{ containerPort: 80, name: 'web' }],
        },
        { name: 'side', image: 's' },
      ],
      tolerations: [{ key: 'y' }],
    },
  });
});

test('the difference of two documents, applied to the first, gives the second', () => {
  const scalar = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom('x', 'y', ''), fc.boolean());
  const set = fc.uniqueArray(fc.constantFrom(1, 2, 3, 4, 5), { maxLength: 4 });
  const map = fc.dictionary(fc.constantFrom('a', 'b', 'c'), scalar, { noNullPrototype: true });
  const item = fc.letrec<{ item: JsonObject; items: readonly JsonObject[] }>((tie) => ({
    items: fc.uniqueArray(tie('item'), { selector: (each) => each['name'], maxLength: 4 }),
    item: fc.record(
      {
        name: fc.constantFrom('1', '2', '3', '4', '5'),
        value: scalar,
        other: scalar,
        map,
        replaced: map,
        plain: fc.array(scalar, { maxLength: 3 }),
        values: set,
        items: fc.oneof({ maxDepth: 2, withCrossShrink: true }, fc.constant([]), tie('items')),
        retaining: fc.record(
          { name: fc.constant('r'), value: scalar, other: scalar, map },
          { requiredKeys: [], noNullPrototype: true },
        ),
        retainingItems: fc.oneof({ maxDepth: 2 }, fc.constant([]), tie('items')),
      },
      { requiredKeys: ['name'], noNullPrototype: true },
    ),
  })).item;
  fc.assert(
    fc.property(item, item, (before, after) => {
      const patch = strategicDiff(before, after, schema);
      assert.deepEqual(applyStrategicMergePatch(before, patch, schema), after);
      assert.deepEqual(strategicDiff(after, after, schema), {});
    }),
    { numRuns: 500 },
  );
});
