import { refuseHostileKeys } from './hostile-keys.ts';
import { isObject, type Json, type JsonObject, ownField, sameJson } from './json.ts';

/** The document after a JSON Merge Patch (RFC 7396). Throws ApiError 400 on hostile names. The input is not changed. */
export function applyMergePatch(document: Json | undefined, patch: Json): Json {
  refuseHostileKeys(patch);
  return merge(document, patch);
}

function merge(document: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const base = isObject(document) ? document : {};
  const kept = Object.entries(base).filter(([name]) => !Object.hasOwn(patch, name));
  const merged = Object.entries(patch)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => [name, merge(ownField(base, name), value)] as const);
  return ordered(base, [...kept, ...merged]);
}

/** Fields stay where they were; new ones follow. */
function ordered(base: JsonObject, entries: readonly (readonly [string, Json])[]): JsonObject {
  const fields = new Map(entries);
  const names = [...Object.keys(base).filter((name) => fields.has(name)), ...fields.keys()];
  return Object.fromEntries([...new Set(names)].map((name) => [name, fields.get(name) ?? null]));
}

/**
 * A merge patch that makes `after` of `before`. Undefined when they are the same. RFC 7396 cannot say null: where `after`
 * has one, the field is missing in the result.
 */
export function mergePatchBetween(before: JsonObject, after: JsonObject): JsonObject | undefined {
  const removed = Object.keys(before)
    .filter((name) => !Object.hasOwn(after, name))
    .map((name) => [name, null] as const);
  const changed = Object.entries(after).flatMap(([name, value]) => {
    const old = ownField(before, name);
    if (old !== undefined && sameJson(old, value)) return [];
    const inner = isObject(old) && isObject(value) ? mergePatchBetween(old, value) : value;
    return inner === undefined ? [] : [[name, inner] as const];
  });
  const all = [...removed, ...changed];
  return all.length === 0 ? undefined : Object.fromEntries(all);
}
