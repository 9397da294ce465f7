import type { z } from 'zod';
import { dropNulls } from '../meta/drop-nulls.ts';
import { openApiIssues } from '../meta/openapi-issues.ts';
import { schemaIssues } from '../meta/schema-issues.ts';
import type { FieldError } from '../meta/status.ts';

/** What became of some JSON: the object with its defaults, or what is wrong with it. */
export type Decoded<T> =
  | {
      readonly ok: true;
      readonly object: T;
      /** Fields that the schema does not know. They are not in the object. */
      readonly unknown: readonly FieldError[];
    }
  | {
      readonly ok: false;
      readonly errors: readonly FieldError[];
      /** What was parsed, without the fields that are not known. */
      readonly known: unknown;
      /** As above: a caller that is strict adds them to the errors, one that is not says them as warnings. */
      readonly unknown: readonly FieldError[];
    };

/**
 * Reads JSON by a schema (`kind.schema`, or a review's such as scaleSchema). Unknown fields are told apart from errors,
 * because what they mean is the caller's to say (`fieldValidation`: Strict, Warn or Ignore). Errors are told as Kubernetes
 * tells those of its own kinds, or of a CustomResourceDefinition's.
 */
export function decode<T>(
  schema: z.ZodType<T>,
  input: unknown,
  { custom = false }: { readonly custom?: boolean } = {},
): Decoded<T> {
  const describe = custom ? openApiIssues : schemaIssues;
  const json = dropNulls(input);
  const first = schema.safeParse(json);
  if (first.success) return { ok: true, object: first.data, unknown: [] };
  const strange = first.error.issues.filter(({ code }) => code === 'unrecognized_keys');
  const unknown = schemaIssues(strange, json);
  const others = first.error.issues.filter(({ code }) => code !== 'unrecognized_keys');
  const known = strange.reduce((value, issue) => without(value, issue.path, keysOf(issue)), json);
  if (others.length > 0) return { ok: false, errors: describe(others, json), known, unknown };
  const second = schema.safeParse(known);
  return second.success
    ? { ok: true, object: second.data, unknown }
    : { ok: false, errors: describe(second.error.issues, json), known, unknown };
}

function keysOf(issue: z.core.$ZodIssue): readonly string[] {
  return issue.code === 'unrecognized_keys' ? issue.keys : [];
}

/** A copy without these fields of the object at `path`. */
function without(value: unknown, path: readonly PropertyKey[], keys: readonly string[]): unknown {
  const [step, ...rest] = path;
  if (Array.isArray(value)) {
    return value.map((item, index): unknown => (index === step ? without(item, rest, keys) : item));
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  if (step === undefined) return Object.fromEntries(entries.filter(([key]) => !keys.includes(key)));
  return Object.fromEntries(entries.map(([key, field]) => [key, key === step ? without(field, rest, keys) : field]));
}
