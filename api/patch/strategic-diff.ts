import { DELETE_FROM, PATCH, RETAIN_KEYS, SET_ORDER } from './directives.ts';
import { isList, isObject, type Json, type JsonObject, ownField, sameJson } from './json.ts';
import type { PatchSchema } from './patch-schema.ts';

/** Which differences a patch is to carry. kubectl's three-way patch takes additions from one pair, deletions from another. */
export type DiffScope = 'all' | 'changes' | 'deletions';

/**
 * The strategic merge patch that makes `after` of `before` (strategicpatch.CreateTwoWayMergePatch, with
 * `$setElementOrder`), as far as `scope` goes. Empty when there is nothing to do.
 */
export function strategicDiff(
  before: JsonObject,
  after: JsonObject,
  schema: PatchSchema,
  scope: DiffScope = 'all',
): JsonObject {
  const patch = new Map<string, Json>();
  for (const [name, value] of Object.entries(after)) {
    const old = ownField(before, name);
    for (const [key, part] of fieldDiff(old, value, { name, schema: schema.field(name), scope })) patch.set(key, part);
  }
  if (scope !== 'changes') {
    for (const name of Object.keys(before)) if (!Object.hasOwn(after, name)) patch.set(name, null);
  }
  const clears = Object.keys(before).some((name) => !Object.hasOwn(after, name));
  if (schema.strategies.has('retainKeys') && (patch.size > 0 || clears)) {
    const names = Object.keys(after).filter((name) => after[name] !== null);
    if (names.length > 0) patch.set(RETAIN_KEYS, names.sort());
  }
  return Object.fromEntries(patch);
}

interface FieldDiff {
  readonly name: string;
  readonly schema: PatchSchema;
  readonly scope: DiffScope;
}

type Parts = readonly (readonly [name: string, value: Json])[];

function fieldDiff(old: Json | undefined, value: Json, { name, schema, scope }: FieldDiff): Parts {
  const whole: Parts = scope === 'deletions' || (old !== undefined && sameJson(old, value)) ? [] : [[name, value]];
  if (old === undefined) return whole;
  if (isObject(old) && isObject(value) && !schema.strategies.has('replace')) {
    const inner = strategicDiff(old, value, schema, scope);
    return Object.keys(inner).length === 0 ? [] : [[name, inner]];
  }
  if (!isList(old) || !isList(value) || !schema.strategies.has('merge')) return whole;
  if (old.length === 0) return whole;
  return schema.mergeKey === undefined
    ? plainListDiff(old, value, { name, schema, scope })
    : keyedListDiff(old, value, { name, schema, scope }, schema.mergeKey);
}

function plainListDiff(old: readonly Json[], value: readonly Json[], { name, scope }: FieldDiff): Parts {
  const added = scope === 'deletions' ? [] : value.filter((item) => !has(old, item));
  const deleted = scope === 'changes' ? [] : old.filter((item) => !has(value, item));
  const ordered = deleted.length > 0 || (scope !== 'deletions' && !sameJson(old, value));
  return [
    ...(added.length > 0 ? [[name, added] as const] : []),
    ...(deleted.length > 0 ? [[DELETE_FROM + name, deleted] as const] : []),
    ...(ordered && value.length > 0 ? [[SET_ORDER + name, value] as const] : []),
  ];
}

function keyedListDiff(
  old: readonly Json[],
  value: readonly Json[],
  { name, schema, scope }: FieldDiff,
  mergeKey: string,
): Parts {
  const keyOf = (item: Json): Json | undefined => (isObject(item) ? ownField(item, mergeKey) : undefined);
  const keyed = [...old, ...value].every((item) => keyOf(item) !== undefined);
  // Items that cannot be told apart: the list is replaced through the directive that needs no key.
  if (!keyed) return scope === 'deletions' || sameJson(old, value) ? [] : [[name, [...value, { [PATCH]: 'replace' }]]];
  const changed = value.flatMap((item): Json[] => {
    const key = keyOf(item);
    const present = old.find((other) => sameJson(keyOf(other), key));
    if (present === undefined) return scope === 'deletions' ? [] : [item];
    const inner = strategicDiff(present as JsonObject, item as JsonObject, schema.item(), scope);
    return Object.keys(inner).length === 0 ? [] : [{ ...inner, [mergeKey]: key ?? null }];
  });
  const gone = old.filter((item) => !value.some((other) => sameJson(keyOf(other), keyOf(item))));
  const deleted =
    scope === 'changes' ? [] : gone.map((item) => ({ [PATCH]: 'delete', [mergeKey]: keyOf(item) ?? null }));
  const list = [...changed, ...deleted];
  const sameOrder = sameJson(keysInBoth(old, value, keyOf), keysInBoth(value, old, keyOf));
  const ordered = list.length > 0 || (scope !== 'deletions' && !sameOrder);
  return [
    ...(list.length > 0 ? [[name, list] as const] : []),
    ...(ordered && value.length > 0
      ? [[SET_ORDER + name, value.map((item) => ({ [mergeKey]: keyOf(item) ?? null }))] as const]
      : []),
  ];
}

function keysInBoth(
  list: readonly Json[],
  other: readonly Json[],
  keyOf: (item: Json) => Json | undefined,
): readonly Json[] {
  const keys = other.map((item) => keyOf(item) ?? null);
  return list.map((item) => keyOf(item) ?? null).filter((key) => has(keys, key));
}

function has(list: readonly Json[], item: Json): boolean {
  return list.some((other) => sameJson(other, item));
}
