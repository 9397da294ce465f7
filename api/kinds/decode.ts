import type { z } from 'zod';
import { dropNulls } from '../meta/drop-nulls.ts';
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
      /** As above: a caller that is strict adds them to the errors, one that is not says them as warnings. */
      readonly unknown: readonly FieldError[];
    };

/**
 * Reads JSON by a schema (`kind.schema`, or a review's such as scaleSchema). Unknown fields are told apart from errors,
 * because what they mean is the caller's to say (`fieldValidation`: Strict, Warn or Ignore).
 */
export function decode<T>(schema: z.ZodType<T>, input: unknown): Decoded<T> {
  const json = dropNulls(input);
  const first = schema.safeParse(json);
  if (first.success) return { ok: true, object: first.data, unknown: [] };
  const strange = first.error.issues.filter(({ code }) => code === 'unrecognized_keys');
  const unknown = schemaIssues(strange, json);
  const others = first.error.issues.filter(({ code }) => code !== 'unrecognized_keys');
  if (others.length > 0) return { ok: false, errors: schemaIssues(others, json), unknown };
  const second = schema.safeParse(strange.reduce((value, issue) => without(value, issue.path, keysOf(issue)), json));
  return second.success
    ? { ok: true, object: second.data, unknown }
    : { ok: false, errors: schemaIssues(second.error.issues, json), unknown };
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
