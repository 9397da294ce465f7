import type { FieldError } from './status.ts';

/*
 * Kubernetes' field.Error, by kind of mistake (k8s.io/apimachinery/pkg/util/validation/field/errors.go): the message is
 * what the API server would put into the Status' causes.
 */

export function fieldInvalid(field: string, value: unknown, detail: string): FieldError {
  return { type: 'FieldValueInvalid', field, message: `Invalid value: ${shown(value)}: ${detail}` };
}

export function fieldRequired(field: string, detail = ''): FieldError {
  return { type: 'FieldValueRequired', field, message: detail === '' ? 'Required value' : `Required value: ${detail}` };
}

export function fieldDuplicate(field: string, value: unknown): FieldError {
  return { type: 'FieldValueDuplicate', field, message: `Duplicate value: ${shown(value)}` };
}

export function fieldNotSupported(field: string, value: unknown, supported: readonly string[]): FieldError {
  const values = supported.map((option) => JSON.stringify(option)).join(', ');
  const message = `Unsupported value: ${shown(value)}: supported values: ${values}`;
  return { type: 'FieldValueNotSupported', field, message };
}

export function fieldNotFound(field: string, value: unknown): FieldError {
  return { type: 'FieldValueNotFound', field, message: `Not found: ${shown(value)}` };
}

export function fieldForbidden(field: string, detail: string): FieldError {
  return { type: 'FieldValueForbidden', field, message: `Forbidden: ${detail}` };
}

export function fieldTooLong(field: string, maxLength: number): FieldError {
  return { type: 'FieldValueTooLong', field, message: `Too long: may not be more than ${maxLength} bytes` };
}

export function fieldTooMany(field: string, count: number, max: number): FieldError {
  return { type: 'FieldValueTooMany', field, message: `Too many: ${count}: must have at most ${max} items` };
}

/** What cannot even be read: another type than the field has. */
export function fieldUnreadable(field: string, value: unknown, detail: string): FieldError {
  return { ...fieldInvalid(field, value, detail), type: 'FieldValueTypeInvalid' };
}

const IMMUTABLE = 'field is immutable';

/** An error for `field` unless the value is what it was: fields that are set once. */
export function fieldImmutable(field: string, value: unknown, old: unknown): readonly FieldError[] {
  return JSON.stringify(value) === JSON.stringify(old) ? [] : [fieldInvalid(field, value, IMMUTABLE)];
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? 'null';
}
