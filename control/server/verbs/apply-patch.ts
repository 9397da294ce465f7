import type { z } from 'zod';
import type { PatchType } from '../../../api/client/client.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { isObject, type JsonObject } from '../../../api/patch/json.ts';
import { applyJsonPatch } from '../../../api/patch/json-patch.ts';
import { applyMergePatch } from '../../../api/patch/merge-patch.ts';
import { type PatchSchema, patchSchemaOf } from '../../../api/patch/patch-schema.ts';
import { applyStrategicMergePatch } from '../../../api/patch/strategic-merge-patch.ts';

/** Patches that are carried out on a document alone; an apply needs to know who owns what. */
export type PlainPatchType = Exclude<PatchType, 'apply'>;

const schemas = new WeakMap<z.ZodType, PatchSchema>();

/** The document after the patch. Throws ApiError 400 or 422 for a patch that cannot be applied. */
export function applyPatch(type: PlainPatchType, document: object, patch: unknown, schema: z.ZodType): JsonObject {
  const before = document as JsonObject;
  const after = patched(type, before, patch, schema);
  if (!isObject(after)) throw ApiError.badRequest('patch: leaves something that is not an object');
  return after;
}

function patched(type: PlainPatchType, document: JsonObject, patch: unknown, schema: z.ZodType) {
  switch (type) {
    case 'json':
      return applyJsonPatch(document, patch);
    case 'merge':
      if (!isObject(patch)) throw ApiError.badRequest('merge patch: must be an object');
      return applyMergePatch(document, patch);
    case 'strategic':
      return applyStrategicMergePatch(document, patch, patchSchema(schema));
    default:
      return type satisfies never;
  }
}

function patchSchema(schema: z.ZodType): PatchSchema {
  const known = schemas.get(schema);
  if (known !== undefined) return known;
  const made = patchSchemaOf(schema);
  schemas.set(schema, made);
  return made;
}
