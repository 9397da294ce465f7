import { isList, isObject, type Json, type JsonObject } from '../json.ts';
import { below, type FieldSet, isMember, NO_FIELDS, nodeOf } from './field-set.ts';
import { listItems } from './list-items.ts';
import { fieldElement, fieldNameOf, type PathElement } from './path-element.ts';
import type { TypedSchema } from './typed-schema.ts';

/**
 * The fields that a configuration speaks of (typed/tofieldset.go): what its manager owns after an apply. Throws
 * {@link UnkeyedItemError} for a list whose items cannot be told apart.
 */
export function fieldsOf(object: JsonObject, schema: TypedSchema): FieldSet {
  return fieldsBelow(object, schema) ?? NO_FIELDS;
}

/** What is owned below a value; undefined for a value that is owned as a whole. */
function fieldsBelow(value: Json, schema: TypedSchema): FieldSet | undefined {
  if (value === null) return schema.shape === 'leaf' || schema.shape === 'untyped' ? undefined : NO_FIELDS;
  if (isObject(value) && (schema.shape === 'object' || schema.shape === 'untyped')) return inObject(value, schema);
  return isList(value) && schema.shape === 'list' ? inList(value, schema) : undefined;
}

function inObject(object: JsonObject, schema: TypedSchema): FieldSet {
  const fields: Record<PathElement, FieldSet> = {};
  for (const [name, value] of Object.entries(object)) {
    const inside = fieldsBelow(value, schema.field(name));
    const empty = value === null || (isObject(value) && Object.keys(value).length === 0);
    const member = inside === undefined || empty || !schema.declares(name);
    const node = nodeOf({ member, below: inside ?? NO_FIELDS });
    if (node !== undefined) fields[fieldElement(name)] = node;
  }
  return fields;
}

function inList(list: readonly Json[], schema: TypedSchema): FieldSet {
  const items: Record<PathElement, FieldSet> = {};
  const found = listItems(list, schema);
  const counts = Map.groupBy(found, ({ element }) => element);
  for (const [element, same] of counts) {
    // Of items that cannot be told apart, only that they are there is owned.
    const [only] = same;
    const inside = same.length === 1 && only !== undefined ? fieldsBelow(only.value, schema.item()) : undefined;
    items[element] = nodeOf({ member: true, below: inside ?? NO_FIELDS }) ?? NO_FIELDS;
  }
  return items;
}

/** The set with each declared field that leads to one of its paths as a member too (EnsureNamedFieldsAreMembers). */
export function withNamedFields(set: FieldSet, schema: TypedSchema): FieldSet {
  const fields: Record<PathElement, FieldSet> = {};
  for (const [element, node] of below(set)) {
    const name = fieldNameOf(element);
    const member = isMember(node) || (name !== undefined && schema.declares(name));
    const inside = withNamedFields(node, schemaAt(schema, element));
    fields[element] = nodeOf({ member, below: inside }) ?? NO_FIELDS;
  }
  return fields;
}

/**
 * The set as the schema has it now: where it has become atomic since the set was written, who owned a part owns the
 * whole (typed/reconcile_schema.go).
 */
export function reconciled(set: FieldSet, schema: TypedSchema): FieldSet {
  let changed = false;
  const fields: Record<PathElement, FieldSet> = {};
  for (const [element, node] of below(set)) {
    const inside = schemaAt(schema, element);
    const next = below(node).length === 0 ? node : belowOrWhole(node, inside);
    fields[element] = next;
    changed ||= next !== node;
  }
  return changed ? fields : set;
}

function belowOrWhole(node: FieldSet, schema: TypedSchema): FieldSet {
  if (schema.shape === 'leaf') return NO_FIELDS;
  return nodeOf({ member: isMember(node), below: reconciled(node, schema) }) ?? NO_FIELDS;
}

/** The schema of what an element leads to. */
function schemaAt(schema: TypedSchema, element: PathElement): TypedSchema {
  const name = fieldNameOf(element);
  return name === undefined ? schema.item() : schema.field(name);
}
