import type { z } from 'zod';
import { schemaIssues, valueAt } from '../meta/schema-issues.ts';
import type { FieldError } from '../meta/status.ts';

/** The part of a kind that says what is wrong. */
interface Judged<T> {
  readonly schema: z.ZodType<T>;
  readonly validate: (object: T, old: T | undefined) => readonly FieldError[];
}

/**
 * All that is wrong with a document that its schema refuses. Kubernetes' decoder gives a field that is missing its zero value and
 * leaves every judgement to the rules; a schema is not got past. So what the schema says is put right here, piece by piece, the
 * rules are asked about the rest, and both are told together. `json` is what was parsed, without its unknown fields.
 */
export function allErrors<T>({ schema, validate }: Judged<T>, json: unknown): readonly FieldError[] {
  const wrong: Found[] = [];
  let document = json;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const parsed = schema.safeParse(document);
    if (parsed.success) return together(wrong, rulesFor(validate, parsed.data));
    for (const issue of parsed.error.issues) {
      const repair = repairOf(issue, valueAt(document, issue.path));
      wrong.push(...schemaIssues([issue], document).map((error) => ({ error, by: repair?.by ?? 'value' })));
      if (repair === undefined) return wrong.map(({ error }) => error);
      document = withValue(document, issue.path, repair.value);
    }
  }
  return wrong.map(({ error }) => error);
}

/** As deep as structures within structures may be missing. */
const MAX_ROUNDS = 8;

/** value: another one was put in its place. zero: it was missing. structure: so were all of its fields. */
type Repaired = 'value' | 'zero' | 'structure';

interface Found {
  readonly error: FieldError;
  readonly by: Repaired;
}

interface Repair {
  readonly by: Repaired;
  readonly value: unknown;
}

const ZEROS: Readonly<Record<string, unknown>> = { string: '', number: 0, int: 0, boolean: false, array: [] };

/** Undefined for what nobody can put right: a value of another type. */
function repairOf(issue: z.core.$ZodIssue, value: unknown): Repair | undefined {
  switch (issue.code) {
    case 'invalid_type':
      if (value !== undefined) return undefined;
      return issue.expected === 'object' || issue.expected === 'record'
        ? { by: 'structure', value: {} }
        : { by: 'zero', value: ZEROS[issue.expected] };
    case 'invalid_union':
      // A number or a text.
      return value === undefined ? { by: 'zero', value: 0 } : undefined;
    case 'invalid_value':
      return { by: 'value', value: issue.values[0] };
    case 'too_small':
      return issue.origin === 'array'
        ? undefined
        : { by: 'value', value: typeof value === 'string' ? 'x'.repeat(Number(issue.minimum)) : Number(issue.minimum) };
    case 'too_big':
      return typeof value === 'number' ? { by: 'value', value: Number(issue.maximum) } : undefined;
    default:
      return undefined;
  }
}

function rulesFor<T>(validate: Judged<T>['validate'], object: T): readonly FieldError[] {
  // Who names an object and says where it is has not spoken yet.
  return validate(object, undefined).filter(({ field }) => field !== 'metadata.name' && field !== 'metadata.namespace');
}

function together(found: readonly Found[], rules: readonly FieldError[]): readonly FieldError[] {
  const all = [...found.map(({ error }) => error), ...rules];
  const below = (field: string): boolean => all.some((other) => isBelow(other.field, field));
  const at = (field: string): boolean => rules.some((other) => other.field === field);
  const kept = found.filter(({ error: { field }, by }) =>
    by === 'structure' ? !below(field) : by === 'zero' ? !at(field) : true,
  );
  const answered = kept.map(({ error }) => error.field);
  const chosen = kept.flatMap(({ error, by }) => (by === 'value' ? (CHOICE.exec(error.field)?.[1] ?? []) : []));
  // What would show the value that stands there in place of the client's.
  const replaced = kept.flatMap(({ error, by }) => (by === 'value' ? error.field : []));
  const others = rules.filter(
    ({ field }) =>
      !answered.includes(field) &&
      !chosen.some((parent) => isBelow(field, parent)) &&
      !replaced.some((inside) => isBelow(inside, field)),
  );
  return [...kept.map(({ error }) => error), ...others];
}

/** Fields that say what others beside them may be: with another choice in its place nothing can be said of those. */
const CHOICE = /^(.*)\.operator$/;

function isBelow(field: string, parent: string): boolean {
  return field.length > parent.length && field.startsWith(parent) && '.['.includes(field.charAt(parent.length));
}

/** A copy with this value at that path. */
function withValue(document: unknown, path: readonly PropertyKey[], value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (Array.isArray(document)) {
    return document.map((item, index): unknown => (index === step ? withValue(item, rest, value) : item));
  }
  const fields = (document ?? {}) as Readonly<Record<PropertyKey, unknown>>;
  return { ...fields, [step]: withValue(fields[step], rest, value) };
}
