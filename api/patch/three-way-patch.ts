import { PATCH, SET_ORDER } from './directives.ts';
import { isList, isObject, type Json, type JsonObject, ownField, sameJson } from './json.ts';
import type { PatchSchema } from './patch-schema.ts';
import { strategicDiff } from './strategic-diff.ts';

/** Where `kubectl apply` keeps what was last applied. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

export interface ThreeWay {
  /** What was applied last; empty when the object was never applied. */
  readonly lastApplied: JsonObject;
  /** What is to be applied. */
  readonly wanted: JsonObject;
  /** What the server has. */
  readonly live: JsonObject;
}

/**
 * The patch of `kubectl apply` (strategicpatch.CreateThreeWayMergePatch): sets what is wanted and differs from what is
 * live, deletes what was applied before and is no longer wanted, and leaves alone what others have set. Empty when there
 * is nothing to do.
 */
export function threeWayStrategicPatch({ lastApplied, wanted, live }: ThreeWay, schema: PatchSchema): JsonObject {
  const changes = strategicDiff(live, wanted, schema, 'changes');
  const deletions = strategicDiff(lastApplied, wanted, schema, 'deletions');
  return combine(deletions, changes, schema);
}

/**
 * The object as it is applied: with its own text in the annotation that the next apply compares with
 * (kubectl's GetModifiedConfiguration).
 */
export function withLastApplied(object: JsonObject): JsonObject {
  const metadata = childObject(object, 'metadata');
  const { [LAST_APPLIED]: _old, ...annotations } = childObject(metadata, 'annotations');
  const plain = { ...object, metadata: { ...metadata, annotations } };
  const text = `${JSON.stringify(sortFields(plain))}\n`;
  return { ...object, metadata: { ...metadata, annotations: { ...annotations, [LAST_APPLIED]: text } } };
}

/** What {@link withLastApplied} wrote into a live object; empty when there is nothing, or nothing readable. */
export function lastAppliedOf(live: JsonObject): JsonObject {
  const text = ownField(childObject(childObject(live, 'metadata'), 'annotations'), LAST_APPLIED);
  if (typeof text !== 'string') return {};
  try {
    const parsed = JSON.parse(text) as Json;
    return isObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

/** Both patches in one; where both speak of a plain value, the second wins. */
function combine(first: JsonObject, second: JsonObject, schema: PatchSchema): JsonObject {
  const fields = new Map(Object.entries(first));
  for (const [name, value] of Object.entries(second)) {
    const old = fields.get(name);
    fields.set(name, old === undefined ? value : combineField(old, value, schema.field(name), name));
  }
  return Object.fromEntries(fields);
}

function combineField(old: Json, value: Json, schema: PatchSchema, name: string): Json {
  if (isObject(old) && isObject(value)) return combine(old, value, schema);
  const { mergeKey } = schema;
  if (!isList(old) || !isList(value) || mergeKey === undefined || name.startsWith(SET_ORDER)) return value;
  const key = (item: Json): Json | undefined => (isObject(item) ? ownField(item, mergeKey) : undefined);
  const merged = value.map((item) => {
    const before = old.find((other) => sameJson(key(other), key(item)));
    return isObject(before) && isObject(item) && ownField(before, PATCH) === undefined
      ? combine(before, item, schema.item())
      : item;
  });
  const rest = old.filter((item) => !value.some((other) => sameJson(key(other), key(item))));
  return [...merged, ...rest];
}

function childObject(object: JsonObject, name: string): JsonObject {
  const child = ownField(object, name);
  return isObject(child) ? child : {};
}

/** Go marshals maps with their keys sorted: the same text as kubectl's for the same object. */
function sortFields(value: Json): Json {
  if (isList(value)) return value.map(sortFields);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([name, field]) => [name, sortFields(field)]));
}
