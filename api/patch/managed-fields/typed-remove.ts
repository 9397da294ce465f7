import { isList, isObject, type Json, type JsonObject } from '../json.ts';
import { type FieldSet, isMember } from './field-set.ts';
import { listItemsIfKeyed } from './list-items.ts';
import { fieldElement } from './path-element.ts';
import type { TypedSchema } from './typed-schema.ts';

/**
 * The object without the fields of a set (typed/remove.go). Of an object or a list that loses all it has, null is left: an
 * owner of the whole still has it.
 */
export function withoutFields(object: JsonObject, gone: FieldSet, schema: TypedSchema): JsonObject {
  return removeFields(object, gone, schema) ?? {};
}

function remove(value: Json, gone: FieldSet, schema: TypedSchema): Json {
  if (isObject(value)) {
    // Of what is owned as a whole, there are no parts to keep.
    return schema.shape === 'object' || schema.shape === 'untyped' ? removeFields(value, gone, schema) : null;
  }
  if (!isList(value)) return value;
  return schema.shape === 'list' ? removeItems(value, gone, schema) : null;
}

function removeFields(object: JsonObject, gone: FieldSet, schema: TypedSchema): JsonObject | null {
  const fields = Object.entries(object).flatMap(([name, value]) => {
    const kept = reduced(value, gone[fieldElement(name)], schema.field(name));
    return kept === undefined ? [] : [[name, kept] as const];
  });
  return fields.length === 0 ? null : Object.fromEntries(fields);
}

function removeItems(list: readonly Json[], gone: FieldSet, schema: TypedSchema): readonly Json[] | null {
  const items = listItemsIfKeyed(list, schema) ?? [];
  const kept = items.flatMap(({ element, value }) => {
    const left = reduced(value, gone[element], schema.item());
    return left === undefined ? [] : [left];
  });
  return kept.length === 0 ? null : kept;
}

/** What is left of a value; undefined when it goes. */
function reduced(value: Json, node: FieldSet | undefined, schema: TypedSchema): Json | undefined {
  if (node === undefined) return value;
  return isMember(node) ? undefined : remove(value, node, schema);
}
