import type { JsonObject } from '../json.ts';
import { lastAppliedOf } from '../three-way-patch.ts';
import { difference, type FieldSet } from './field-set.ts';
import { compareFields } from './typed-compare.ts';
import { fieldsOf } from './typed-fields.ts';
import type { TypedSchema } from './typed-schema.ts';

/**
 * The fields that `kubectl apply` has applied from the client's side, by its annotation, and that are still as it left
 * them; undefined when it has not, or in another version (lastappliedmanager.go).
 */
export function lastAppliedFields(live: JsonObject, schema: TypedSchema, apiVersion: string): FieldSet | undefined {
  const applied = lastAppliedOf(live);
  if (applied['apiVersion'] !== apiVersion) return undefined;
  const { modified, added, removed } = compareFields(applied, live, schema);
  return [modified, added, removed].reduce(difference, fieldsOf(applied, schema));
}
