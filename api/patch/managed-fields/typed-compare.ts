import { isList, isObject, type Json, type JsonObject, ownField, sameJson } from '../json.ts';
import { type FieldSet, NO_FIELDS, nodeOf } from './field-set.ts';
import { type ListItem, listItemsIfKeyed } from './list-items.ts';
import { fieldElement, type PathElement } from './path-element.ts';
import type { TypedSchema } from './typed-schema.ts';

/** How one object differs from another, as sets of fields (typed/compare.go). */
export interface Comparison {
  readonly removed: FieldSet;
  readonly modified: FieldSet;
  readonly added: FieldSet;
}

export function compareFields(before: JsonObject, after: JsonObject, schema: TypedSchema): Comparison {
  const difference = compareValues(before, after, schema);
  return {
    removed: difference?.removed ?? NO_FIELDS,
    modified: difference?.modified ?? NO_FIELDS,
    added: difference?.added ?? NO_FIELDS,
  };
}

type Change = keyof Comparison;

/** The nodes of one place in each of the three sets; undefined parts have nothing to say. */
type Difference = Readonly<Partial<Record<Change, FieldSet>>>;

/** Undefined when there is no difference. Either side is undefined where it is absent. */
function compareValues(before: Json | undefined, after: Json | undefined, schema: TypedSchema): Difference | undefined {
  if (before === after) return undefined;
  if (before === undefined) return { added: whole(after ?? null, schema) };
  if (after === undefined) return { removed: whole(before, schema) };
  if (areObjects(before, after, schema)) {
    if (!isEmpty(before) || !isEmpty(after)) return compareObjects(before, after, schema);
  } else if (areLists(before, after, schema) && (!isEmpty(before) || !isEmpty(after))) {
    const items = compareLists(before, after, schema);
    if (items !== 'unkeyed') return items;
  }
  return sameJson(before, after) ? undefined : { modified: NO_FIELDS };
}

type Side<T> = T | null | undefined;

function areObjects(before: Side<Json>, after: Side<Json>, { shape }: TypedSchema): boolean {
  if (shape !== 'object' && shape !== 'untyped') return false;
  return isSide(before, isObject) && isSide(after, isObject) && (isObject(before) || isObject(after));
}

function areLists(before: Side<Json>, after: Side<Json>, { shape }: TypedSchema): boolean {
  return shape === 'list' && isSide(before, isList) && isSide(after, isList) && (isList(before) || isList(after));
}

function isSide(value: Side<Json>, is: (value: Json) => boolean): boolean {
  return value === undefined || value === null || is(value);
}

function isEmpty(value: Side<Json>): boolean {
  return typeof value !== 'object' || value === null || Object.keys(value).length === 0;
}

/** The node of a value that comes or goes as a whole: itself, and all that is in it. */
function whole(value: Json, schema: TypedSchema): FieldSet {
  const inside: Record<PathElement, FieldSet> = {};
  if (isObject(value) && (schema.shape === 'object' || schema.shape === 'untyped')) {
    for (const [name, field] of Object.entries(value)) inside[fieldElement(name)] = whole(field, schema.field(name));
  } else if (isList(value) && schema.shape === 'list') {
    const items = listItemsIfKeyed(value, schema) ?? [];
    // Items that cannot be told apart are one.
    for (const { element, value: item } of items) {
      inside[element] = element in inside ? NO_FIELDS : whole(item, schema.item());
    }
  }
  return member(inside);
}

function member(below: FieldSet = NO_FIELDS): FieldSet {
  return nodeOf({ member: true, below }) ?? NO_FIELDS;
}

function compareObjects(before: Side<Json>, after: Side<Json>, schema: TypedSchema): Difference | undefined {
  const [old, next] = [asObject(before), asObject(after)];
  const sum = new Sum();
  for (const name of Object.keys(old)) {
    sum.add(fieldElement(name), compareValues(ownField(old, name), ownField(next, name), schema.field(name)));
  }
  for (const name of Object.keys(next)) {
    if (Object.hasOwn(old, name)) continue;
    sum.add(fieldElement(name), compareValues(undefined, ownField(next, name), schema.field(name)));
  }
  return sum.difference;
}

function compareLists(before: Side<Json>, after: Side<Json>, schema: TypedSchema): Difference | undefined | 'unkeyed' {
  const old = listItemsIfKeyed(isList(before) ? before : [], schema);
  const next = listItemsIfKeyed(isList(after) ? after : [], schema);
  if (old === undefined || next === undefined) return 'unkeyed';
  const [olds, nexts] = [byElement(old), byElement(next)];
  const sum = new Sum();
  for (const element of new Set([...olds.keys(), ...nexts.keys()])) {
    sum.add(element, compareItems(olds.get(element) ?? [], nexts.get(element) ?? [], schema.item()));
  }
  return sum.difference;
}

/** Items with one element: one on each side as a rule; several are compared as one value. */
function compareItems(old: readonly Json[], next: readonly Json[], schema: TypedSchema): Difference | undefined {
  if (old.length <= 1 && next.length <= 1) return compareValues(old[0], next[0], schema);
  if (old.length > 1 && next.length > 1) return sameJson(old, next) ? undefined : { modified: NO_FIELDS };
  if (old.length > 1) {
    const inside = next.length === 0 ? undefined : compareValues(undefined, next[0], schema);
    return { ...inside, removed: member(inside?.removed) };
  }
  const inside = old.length === 0 ? undefined : compareValues(old[0], undefined, schema);
  return { ...inside, added: member(inside?.added) };
}

function byElement(items: readonly ListItem[]): ReadonlyMap<PathElement, readonly Json[]> {
  const grouped = new Map<PathElement, Json[]>();
  for (const { element, value } of items) {
    const same = grouped.get(element);
    if (same === undefined) grouped.set(element, [value]);
    else same.push(value);
  }
  return grouped;
}

function asObject(value: Side<Json>): JsonObject {
  return isObject(value) ? value : {};
}

const CHANGES = ['removed', 'modified', 'added'] as const;

/** Gathers the differences below one place. */
class Sum {
  #sum: { [change in Change]?: Record<PathElement, FieldSet> } | undefined;

  add(element: PathElement, difference: Difference | undefined): void {
    if (difference === undefined) return;
    this.#sum ??= {};
    for (const change of CHANGES) {
      const node = difference[change];
      if (node === undefined) continue;
      const nodes = this.#sum[change] ?? {};
      nodes[element] = node;
      this.#sum[change] = nodes;
    }
  }

  get difference(): Difference | undefined {
    return this.#sum;
  }
}
