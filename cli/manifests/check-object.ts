import type { z } from 'zod';
import type { KubeObject } from '../../api/kinds/kind.ts';
import { kindOf, kinds } from '../../api/kinds/registry.ts';
import { formatPath, parsePath } from './field-path.ts';
import { fieldsAt } from './known-fields.ts';
import { nearest } from './nearest.ts';
import type { ManifestProblem } from './problem.ts';
import type { ManifestDocument } from './read-manifests.ts';

type Origin = Pick<ManifestDocument, 'file' | 'index' | 'locate'>;

export interface CheckedObject {
  readonly document: ManifestDocument | undefined;
  readonly problems: readonly ManifestProblem[];
}

/** Holds one value against its kind: shape, unknown fields, values, and the kind's own rules. */
export function checkObject(value: unknown, origin: Origin): CheckedObject {
  const { file, index, locate } = origin;
  const problem = (
    path: readonly (string | number)[],
    message: string,
    more: { subject?: string; hint?: string } = {},
  ): ManifestProblem => ({
    severity: 'error',
    file,
    document: index,
    ...locate(path),
    subject: more.subject,
    message,
    ...(more.hint === undefined ? {} : { hint: more.hint }),
  });
  const refuse = (path: readonly string[], message: string, hint?: string): CheckedObject => ({
    document: undefined,
    problems: [problem(path, message, hint === undefined ? {} : { hint })],
  });

  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse([], `is ${typeOf(value)}; an object with apiVersion, kind and metadata was wanted`);
  const { apiVersion, kind: kindName, metadata } = value as Partial<KubeObject>;
  if (typeof apiVersion !== 'string')
    return refuse(['apiVersion'], `apiVersion: ${missingOr(apiVersion)}; such as "v1" or "apps/v1"`);
  if (typeof kindName !== 'string')
    return refuse(['kind'], `kind: ${missingOr(kindName)}; such as "Service" or "Deployment"`);
  const kind = kindOf(apiVersion, kindName);
  if (kind === undefined)
    return refuse(['kind'], `kind: there is no ${kindName} in ${apiVersion}`, suggestKind(apiVersion, kindName));
  const name: unknown = metadata?.name;
  const parsed = kind.schema.safeParse(value);
  const hasName = typeof name === 'string' && name !== '';
  // Whatever else is wrong is told with it: `metdata` is why there is no name.
  if (!hasName && parsed.success) return refuse(['metadata', 'name'], 'metadata.name: is missing');

  const subject = hasName ? `${kindName}/${name}` : kindName;
  const document: ManifestDocument | undefined = hasName
    ? { file, index, locate, kind, object: value as KubeObject }
    : undefined;
  if (!parsed.success) {
    const problems = parsed.error.issues
      .flatMap((issue) => leaves(issue, []))
      .map(({ path, message, hint }) => problem(path, message, { subject, ...(hint === undefined ? {} : { hint }) }));
    return { document, problems };
  }
  // Where no namespace is written the one of the command counts; that there is none is no mistake.
  const placed = kind.namespaced ? { namespace: 'default', ...parsed.data.metadata } : parsed.data.metadata;
  const errors = kind
    .validate({ ...parsed.data, metadata: placed }, undefined)
    .map((error) => ({ ...error, path: parsePath(error.field) }));
  // A default taken from a wrong value is wrong too; only what the author wrote is worth telling.
  const written = errors.filter(({ path }) => at(value, path) !== undefined);
  const problems = (written.length > 0 ? written : errors).map(({ path, field, message }) =>
    problem(path, `${field}: ${message}`, { subject }),
  );
  return { document, problems };

  function leaves(
    issue: z.core.$ZodIssue,
    above: readonly (string | number)[],
  ): { path: (string | number)[]; message: string; hint?: string }[] {
    const path = [...above, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
    const where = formatPath(path);
    if (issue.code === 'unrecognized_keys') {
      const known = kind === undefined ? [] : fieldsAt(kind.schema, path);
      return issue.keys.map((key) => {
        const close = nearest(key, known);
        return {
          path: [...path, key],
          message: `${formatPath([...path, key])}: is not a field of ${kindName}`,
          ...(close === undefined ? {} : { hint: `did you mean "${close}"?` }),
        };
      });
    }
    if (issue.code === 'invalid_type') {
      const found = at(value, path);
      const what = found === undefined ? 'is missing' : `is ${typeOf(found)}`;
      return [{ path, message: `${where}: ${what}; ${article(issue.expected)} was wanted` }];
    }
    if (issue.code === 'invalid_union') {
      // The alternative that got furthest is the one that was meant.
      const tried = issue.errors.map((errors) => errors.flatMap((inner) => leaves(inner, path)));
      const deepest = tried.sort((one, other) => depth(other) - depth(one))[0];
      return deepest ?? [{ path, message: `${where}: ${issue.message}` }];
    }
    return [{ path, message: `${where}: ${issue.message}` }];
  }
}

function depth(found: readonly { readonly path: readonly unknown[] }[]): number {
  return Math.max(0, ...found.map(({ path }) => path.length));
}

function suggestKind(apiVersion: string, name: string): string | undefined {
  const same = kinds.find(({ kind }) => kind === name);
  if (same !== undefined)
    return `${name} is in ${same.group === '' ? same.version : `${same.group}/${same.version}`}, not in ${apiVersion}`;
  const close = nearest(
    name,
    kinds.map(({ kind }) => kind),
  );
  return close === undefined ? undefined : `did you mean "${close}"?`;
}

function at(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, step) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<string | number, unknown>)[step] : undefined,
    value,
  );
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  const text = typeof value === 'object' ? '' : ` ${JSON.stringify(value)}`;
  return `${article(typeof value)}${text}`;
}

function missingOr(value: unknown): string {
  return value === undefined ? 'is missing' : `is ${typeOf(value)}; a string was wanted`;
}

const WORDS: Readonly<Record<string, string>> = {
  array: 'a list',
  object: 'an object',
  int: 'a whole number',
  record: 'an object',
};

function article(type: string): string {
  return WORDS[type] ?? `a ${type}`;
}
