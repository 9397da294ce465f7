import { fieldInvalid } from '../meta/field-error.ts';
import type { FieldError } from '../meta/status.ts';

/**
 * What the rules of a CustomResourceDefinition say of the object or list at `field`: each that is broken by its message, and of the
 * value no more than what it is (the words of apiextensions-apiserver for x-kubernetes-validations).
 */
export function brokenRules(
  field: string,
  what: 'object' | 'array',
  rules: readonly (readonly [broken: boolean, message: string])[],
): readonly FieldError[] {
  return rules.filter(([broken]) => broken).map(([, message]) => fieldInvalid(field, what, message));
}
