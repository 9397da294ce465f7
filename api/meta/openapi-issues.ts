import type { z } from 'zod';
import {
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
  fieldTooLong,
  fieldTooMany,
  fieldUnreadable,
} from './field-error.ts';
import { fieldPath, schemaIssues, valueAt } from './schema-issues.ts';
import type { FieldError } from './status.ts';

/**
 * As {@link schemaIssues}, in the words of a CustomResourceDefinition's schema (kube-openapi/pkg/validation/validate): of what
 * is wrong with one value, the first thing.
 */
export function openApiIssues(issues: readonly z.core.$ZodIssue[], input: unknown): readonly FieldError[] {
  const told = new Set<string>();
  const inOrder = issues.toSorted((left, right) => rank(left) - rank(right));
  const first = inOrder.filter(({ path }) => {
    const field = fieldPath(path);
    if (told.has(field)) return false;
    told.add(field);
    return true;
  });
  return issues.filter((issue) => first.includes(issue)).flatMap((issue) => describe(issue, input));
}

/** Errors after which a CustomResourceDefinition's rules are not tried (hasBlockingErr). */
const BLOCKING: readonly FieldError['type'][] = [
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
];

const UNCHECKED: FieldError = {
  type: 'FieldValueInvalid',
  field: '<nil>',
  message:
    'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
};

/** The errors, and that there may be more where some rules could not be tried. */
export function withUnchecked(errors: readonly FieldError[]): readonly FieldError[] {
  return errors.some(({ type }) => BLOCKING.includes(type)) ? [...errors, UNCHECKED] : errors;
}

/** Too long comes before too short, and both before the form. */
function rank({ code }: z.core.$ZodIssue): number {
  return code === 'too_big' ? 0 : code === 'too_small' ? 1 : 2;
}

/** The numbers of our custom kinds are whole. */
const TYPES: Readonly<Record<string, string>> = { int: 'integer', number: 'integer', record: 'object' };

function describe(issue: z.core.$ZodIssue, input: unknown): readonly FieldError[] {
  const field = fieldPath(issue.path);
  const value = valueAt(input, issue.path);
  // The status is validated by itself.
  const body = `${field.replace(/^status\./, '')} in body`;
  if (issue.code !== 'unrecognized_keys' && value === undefined) return [fieldRequired(field)];
  switch (issue.code) {
    case 'invalid_type': {
      const is = typeName(value);
      return [
        fieldUnreadable(field, is, `${body} must be of type ${TYPES[issue.expected] ?? issue.expected}: "${is}"`),
      ];
    }
    case 'too_small':
      if (issue.origin === 'array')
        return [
          fieldInvalid(
            field,
            (value as readonly unknown[]).length,
            `${body} should have at least ${issue.minimum} items`,
          ),
        ];
      return issue.origin === 'string'
        ? [fieldInvalid(field, value, `${body} should be at least ${issue.minimum} chars long`)]
        : [fieldInvalid(field, value, `${body} should be greater than or equal to ${issue.minimum}`)];
    case 'too_big':
      if (issue.origin === 'array')
        return [fieldTooMany(field, (value as readonly unknown[]).length, Number(issue.maximum))];
      return issue.origin === 'string'
        ? [fieldTooLong(field, Number(issue.maximum))]
        : [fieldInvalid(field, value, `${body} should be less than or equal to ${issue.maximum}`)];
    case 'invalid_format':
      return issue.pattern === undefined
        ? schemaIssues([issue], input)
        : [
            fieldInvalid(
              field,
              value,
              `${body} should match '${issue.pattern.slice(1, issue.pattern.lastIndexOf('/'))}'`,
            ),
          ];
    case 'invalid_union':
      return issue.discriminator === undefined ? schemaIssues([issue], input) : [unknownBranch(issue, input)];
    default:
      return schemaIssues([issue], input);
  }
}

/** A value that chooses among shapes, and none of them. */
function unknownBranch(issue: z.core.$ZodIssueInvalidUnion, input: unknown): FieldError {
  const { options } = issue as { readonly options?: readonly unknown[] };
  return fieldNotSupported(fieldPath(issue.path), valueAt(input, issue.path), (options ?? []).map(String));
}

function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value;
}
