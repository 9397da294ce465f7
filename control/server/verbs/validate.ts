import type { Kind, KubeObject } from '../../../api/kinds/kind.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { fieldForbidden } from '../../../api/meta/field-error.ts';
import { withUnchecked } from '../../../api/meta/openapi-issues.ts';
import type { FieldError } from '../../../api/meta/status.ts';

/** Throws ApiError 422 with every rule of the kind that the object breaks. */
export function requireValid<T extends KubeObject>(kind: Kind<T>, object: T, old: T | undefined): void {
  const errors = [...kind.validate(object, old), ...(old === undefined ? [] : lateFinalizers(object, old))];
  if (errors.length > 0)
    throw ApiError.invalid(kind, object.metadata.name, kind.custom ? withUnchecked(errors) : errors);
}

/** ValidateObjectMetaUpdate: what is on its way out takes no new holds. */
function lateFinalizers({ metadata }: KubeObject, { metadata: old }: KubeObject): readonly FieldError[] {
  if (old.deletionTimestamp === undefined) return [];
  const added = (metadata.finalizers ?? []).filter((name) => old.finalizers?.includes(name) !== true);
  if (added.length === 0) return [];
  const detail = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((name) => JSON.stringify(name)).join(', ')}}`;
  return [fieldForbidden('metadata.finalizers', detail)];
}
