import { refuseHostileKeys } from './hostile-keys.ts';
import { isObject, type Json, type JsonObject, ownField } from './json.ts';

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
