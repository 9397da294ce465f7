import { fieldForbidden, fieldImmutable, fieldTooLong } from '../meta/field-error.ts';
import type { FieldError } from '../meta/status.ts';

/** What a ConfigMap or a Secret may hold in all (MaxSecretSize: 1 MiB). */
const PAYLOAD_MAX_BYTES = 1024 * 1024;

export function sizeErrors(data: Readonly<Record<string, string>>, field: string): readonly FieldError[] {
  const encoder = new TextEncoder();
  const bytes = Object.values(data).reduce((sum, value) => sum + encoder.encode(value).length, 0);
  return bytes > PAYLOAD_MAX_BYTES ? [fieldTooLong(field, PAYLOAD_MAX_BYTES)] : [];
}

/** Once `immutable` is true, it and the data stay as they are (ValidateConfigMapUpdate, ValidateSecretUpdate). */
export function frozenErrors<T extends { immutable?: boolean | undefined }>(
  object: T,
  old: T | undefined,
  fields: readonly (keyof T & string)[],
): readonly FieldError[] {
  if (old?.immutable !== true) return [];
  const detail = 'field is immutable when `immutable` is set';
  const changed = fields.filter((field) => fieldImmutable(field, object[field], old[field]).length > 0);
  return [
    ...(object.immutable === true ? [] : [fieldForbidden('immutable', detail)]),
    ...changed.map((field) => fieldForbidden(field, detail)),
  ];
}
