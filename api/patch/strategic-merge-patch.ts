import { ApiError } from '../meta/api-error.ts';
import { DELETE_FROM, PATCH, RETAIN_KEYS, SET_ORDER } from './directives.ts';
import { refuseHostileKeys } from './hostile-keys.ts';
import { isList, isObject, type Json, type JsonObject, ownField, sameJson } from './json.ts';
import { orderedLikePatch } from './list-order.ts';
import type { PatchSchema } from './patch-schema.ts';

/**
 * The document after a strategic merge patch (k8s.io/apimachinery/pkg/util/strategicpatch/patch.go): a merge patch whose
 * lists merge by key where the kind's schema says so, with the directives `$patch`, `$retainKeys`,
 * `$deleteFromPrimitiveList/…` and `$setElementOrder/…`. Throws ApiError 400 on a malformed patch. Inputs are not changed.
 */
export function applyStrategicMergePatch(document: JsonObject, patch: unknown, schema: PatchSchema): JsonObject {
  if (!isObject(patch)) throw ApiError.badRequest('strategic merge patch: must be an object');
  refuseHostileKeys(patch);
  return mergeObject(document, patch, schema);
}

function mergeObject(document: JsonObject, patch: JsonObject, schema: PatchSchema): JsonObject {
  const directive = ownField(patch, PATCH);
  if (directive === 'replace') return withoutDirectives(patch, schema);
  if (directive === 'delete') return {};
  if (directive !== undefined && directive !== 'merge') {
    throw ApiError.badRequest(`strategic merge patch: unknown patch type ${JSON.stringify(directive)} in ${PATCH}`);
  }
  const fields = new Map(Object.entries(retained(document, patch)));
  for (const [name, value] of Object.entries(patch)) {
    if (isDirective(name)) continue;
    const merged = mergeField(fields.get(name), value, patch, { name, schema: schema.field(name) });
    if (merged === undefined) fields.delete(name);
    else fields.set(name, merged);
  }
  applyListDirectives(fields, patch, schema);
  return Object.fromEntries(fields);
}

interface Field {
  readonly name: string;
  readonly schema: PatchSchema;
}

function mergeField(old: Json | undefined, value: Json, patch: JsonObject, { name, schema }: Field): Json | undefined {
  if (value === null) return undefined;
  if (isObject(value)) {
    if (schema.strategies.has('replace')) return withoutDirectives(value, schema);
    return mergeObject(isObject(old) ? old : {}, value, schema);
  }
  if (!isList(value)) return value;
  if (!schema.strategies.has('merge')) return value;
  const order = ownField(patch, SET_ORDER + name);
  return mergeList(isList(old) ? old : [], value, { schema, order: isList(order) ? order : undefined });
}

interface ListMerge {
  readonly schema: PatchSchema;
  /** What `$setElementOrder` says; undefined without one. */
  readonly order: readonly Json[] | undefined;
}

function mergeList(old: readonly Json[], patch: readonly Json[], { schema, order }: ListMerge): readonly Json[] {
  const { mergeKey } = schema;
  if (mergeKey === undefined) {
    const merged = unique([...old, ...patch]);
    return orderedLikePatch(merged, { server: old, patch: order ?? patch, key: (item) => item });
  }
  const items = patch.map((item) => keyedItem(item, mergeKey));
  if (items.some((item) => ownField(item, PATCH) === 'replace')) {
    return items
      .filter((item) => ownField(item, PATCH) === undefined)
      .map((item) => withoutDirectives(item, schema.item()));
  }
  const deleted = items.filter((item) => ownField(item, PATCH) === 'delete').map((item) => keyOf(item, mergeKey));
  const wanted = items.filter((item) => ownField(item, PATCH) !== 'delete');
  const merged: Json[] = old.filter((item) => !deleted.some((key) => sameJson(keyIn(item, mergeKey), key)));
  for (const item of wanted) {
    const key = keyOf(item, mergeKey);
    const at = merged.findIndex((present) => sameJson(keyIn(present, mergeKey), key));
    const present = merged[at];
    if (at < 0) merged.push(mergeObject({}, item, schema.item()));
    else merged[at] = mergeObject(isObject(present) ? present : {}, item, schema.item());
  }
  return orderedLikePatch(merged, { server: old, patch: order ?? wanted, key: (item) => keyIn(item, mergeKey) });
}

/** `$retainKeys`: of the document, only the named fields stay. The patch may not set others. */
function retained(document: JsonObject, patch: JsonObject): JsonObject {
  const names = ownField(patch, RETAIN_KEYS);
  if (names === undefined) return document;
  if (!isList(names)) throw ApiError.badRequest(`strategic merge patch: ${RETAIN_KEYS} must be a list`);
  const stray = Object.entries(patch).find(
    ([name, value]) => !isDirective(name) && value !== null && !names.includes(name),
  );
  if (stray !== undefined) {
    throw ApiError.badRequest(
      `strategic merge patch: ${RETAIN_KEYS} does not name ${JSON.stringify(stray[0])}, which the patch sets`,
    );
  }
  return Object.fromEntries(Object.entries(document).filter(([name]) => names.includes(name)));
}

/** Deletions from lists of plain values, and orders of lists that the patch does not touch otherwise. */
function applyListDirectives(fields: Map<string, Json>, patch: JsonObject, schema: PatchSchema): void {
  for (const [name, value] of Object.entries(patch)) {
    if (!name.startsWith(DELETE_FROM) && !name.startsWith(SET_ORDER)) continue;
    if (!isList(value)) throw ApiError.badRequest(`strategic merge patch: ${name} must be a list`);
    const field = name.slice(name.indexOf('/') + 1);
    const list = fields.get(field);
    if (!isList(list)) continue;
    if (name.startsWith(DELETE_FROM)) {
      fields.set(
        field,
        list.filter((item) => !value.some((gone) => sameJson(gone, item))),
      );
    } else {
      const { mergeKey } = schema.field(field);
      const key = (item: Json): Json | undefined => (mergeKey === undefined ? item : keyIn(item, mergeKey));
      fields.set(field, orderedLikePatch(list, { server: list, patch: value, key }));
    }
  }
}

/** What a patch says when there is nothing to merge it into. */
function withoutDirectives(patch: JsonObject, schema: PatchSchema): JsonObject {
  const { [PATCH]: _directive, ...rest } = patch;
  return mergeObject({}, rest, schema);
}

function isDirective(name: string): boolean {
  return name === PATCH || name === RETAIN_KEYS || name.startsWith(DELETE_FROM) || name.startsWith(SET_ORDER);
}

function keyedItem(item: Json, mergeKey: string): JsonObject {
  if (!isObject(item)) throw ApiError.badRequest('strategic merge patch: items of this list must be objects');
  if (ownField(item, PATCH) !== 'replace') keyOf(item, mergeKey);
  return item;
}

function keyOf(item: JsonObject, mergeKey: string): Json {
  const key = ownField(item, mergeKey);
  if (key === undefined || key === null) {
    throw ApiError.badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`);
  }
  return key;
}

function keyIn(item: Json, mergeKey: string): Json | undefined {
  return isObject(item) ? ownField(item, mergeKey) : undefined;
}

function unique(items: readonly Json[]): readonly Json[] {
  return items.filter((item, index) => items.findIndex((other) => sameJson(other, item)) === index);
}
