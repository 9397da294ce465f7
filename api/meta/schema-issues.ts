import type { z } from 'zod';
import { fieldInvalid, fieldNotSupported, fieldRequired, fieldUnreadable } from './field-error.ts';
import type { FieldError } from './status.ts';

/**
 * What a schema found wrong, as Kubernetes would tell it: by path (`spec.template.spec.containers[0].image`) and in words
 * for people. `input` is what was parsed; it tells a missing field from one of the wrong type.
 */
export function schemaIssues(issues: readonly z.core.$ZodIssue[], input: unknown): readonly FieldError[] {
  return issues.flatMap((issue) => describe(issue, input));
}

/** `spec.ports[0].name`; keys that are no plain words stand in brackets: `metadata.labels[app.example/x]`. */
export function fieldPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    const name = String(step);
    if (!/^[\w$-]+$/.test(name)) return `${text}[${name}]`;
    return text === '' ? name : `${text}.${name}`;
  }, '');
}

/** What bounds integers whose field has no more room. */
const INT32_MAX = 2 ** 31 - 1;

function describe(issue: z.core.$ZodIssue, input: unknown): readonly FieldError[] {
  const field = fieldPath(issue.path);
  const value = valueAt(input, issue.path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownField(fieldPath([...issue.path, key])));
  }
  if (value === undefined) return [fieldRequired(field)];
  switch (issue.code) {
    case 'invalid_type':
      return [wrongType(field, value, issue.expected)];
    case 'invalid_value':
      return [unsupported(issue, field, value)];
    case 'invalid_union':
      return [describeUnion(issue, field, value)];
    case 'too_small':
      if (issue.minimum === -INT32_MAX - 1) return [fieldUnreadable(field, value, 'must be an integer of 32 bits')];
      return [tooSmall(issue, field, value)];
    case 'too_big':
      if (issue.maximum === INT32_MAX) return [fieldUnreadable(field, value, 'must be an integer of 32 bits')];
      return [fieldInvalid(field, shortened(value), `must ${amount(issue.origin, 'at most', issue.maximum)}`)];
    case 'invalid_format':
      return [formatError(issue, field, value)];
    case 'not_multiple_of':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return [fieldInvalid(field, shortened(value), issue.message)];
    default:
      return issue satisfies never;
  }
}

function unknownField(field: string): FieldError {
  return { type: 'FieldValueUnknown', field, message: `unknown field "${field}"` };
}

/** An empty text among the values says that the field may be left out; Kubernetes does not name it. */
function unsupported(issue: z.core.$ZodIssueInvalidValue, field: string, value: unknown): FieldError {
  const values = issue.values.map(String).filter((option) => option !== '');
  return /\bmatch(?:Expressions|Fields)\[\d+\]\.operator$/.test(field)
    ? fieldInvalid(field, value, 'not a valid selector operator')
    : fieldNotSupported(field, value, values);
}

const ARTICLES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'an integer',
  boolean: 'a boolean',
  object: 'an object',
  record: 'an object',
  array: 'a list',
};

function wrongType(field: string, value: unknown, expected: string): FieldError {
  const detail = `must be ${ARTICLES[expected] ?? expected}, is ${ARTICLES[typeName(value)] ?? typeName(value)}`;
  return fieldUnreadable(field, shortened(value), detail);
}

function describeUnion(issue: z.core.$ZodIssueInvalidUnion, field: string, value: unknown): FieldError {
  if (issue.discriminator !== undefined) {
    return fieldInvalid(field, shortened(value), `unknown ${issue.discriminator}`);
  }
  const literals = issue.errors.flatMap((branch) =>
    branch.flatMap((inner) => (inner.code === 'invalid_value' ? inner.values.map(String) : [])),
  );
  if (literals.length === issue.errors.length && literals.length > 0) return fieldNotSupported(field, value, literals);
  return fieldUnreadable(field, shortened(value), issue.message);
}

/** An empty text where one must be is, to Kubernetes, a missing one. */
function tooSmall(issue: z.core.$ZodIssueTooSmall, field: string, value: unknown): FieldError {
  const empty = value === '' || (Array.isArray(value) && value.length === 0);
  if (empty && issue.minimum === 1) return fieldRequired(field);
  return fieldInvalid(field, shortened(value), `must ${amount(issue.origin, 'at least', issue.minimum)}`);
}

function amount(origin: string, bound: 'at least' | 'at most', limit: number | bigint): string {
  if (origin === 'string') return `have ${bound} ${limit} characters`;
  if (origin === 'array' || origin === 'set') return `have ${bound} ${limit} items`;
  const comparison = bound === 'at least' ? 'greater' : 'less';
  return `be ${comparison} than or equal to ${limit}`;
}

/** Texts that stand for something else than text: bytes, a time, a number. */
const READ_FORMATS = ['base64', 'datetime', 'quantity'];

function formatError(issue: z.core.$ZodIssueInvalidStringFormat, field: string, value: unknown): FieldError {
  const words = issue.format === 'base64' ? 'must be base64' : issue.message;
  const error = READ_FORMATS.includes(issue.format) ? fieldUnreadable : fieldInvalid;
  return error(field, shortened(value), words);
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

const SHOWN_MAX = 120;

/** Long values are cut: an error is read, not parsed. */
function shortened(value: unknown): unknown {
  if (typeof value === 'string') return value.length > SHOWN_MAX ? `${value.slice(0, SHOWN_MAX)}…` : value;
  if (typeof value !== 'object' || value === null) return value;
  const text = JSON.stringify(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : value;
}

export function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, step) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    return (value as Readonly<Record<PropertyKey, unknown>>)[step];
  }, input);
}
