import type { Kind, KubeObject } from '../kinds/kind.ts';
import { ApiError } from './api-error.ts';

interface FieldRequirement {
  readonly field: string;
  readonly equal: boolean;
  readonly value: string;
}

/**
 * The objects of a kind that a field selector means: `spec.nodeName=a,status.phase!=Failed`
 * (k8s.io/apimachinery/pkg/fields). Throws ApiError 400 on anything else, and on a field that the kind does not offer.
 */
export function fieldMatcher<T extends KubeObject>(
  kind: Pick<Kind<T>, 'selectableFields'>,
  text: string,
): (object: T) => boolean {
  const requirements = parse(text);
  const checks = requirements.map(({ field, equal, value }) => {
    const read = reader(kind, field);
    return (object: T): boolean => (read(object) === value) === equal;
  });
  return (object) => checks.every((check) => check(object));
}

function reader<T extends KubeObject>(kind: Pick<Kind<T>, 'selectableFields'>, field: string): (object: T) => string {
  if (field === 'metadata.name') return ({ metadata }) => metadata.name;
  if (field === 'metadata.namespace') return ({ metadata }) => metadata.namespace ?? '';
  const own = Object.hasOwn(kind.selectableFields, field) ? kind.selectableFields[field] : undefined;
  if (own === undefined) throw ApiError.badRequest(`field label not supported: ${field}`);
  return own;
}

function parse(text: string): readonly FieldRequirement[] {
  return splitUnescaped(text)
    .filter((term) => term !== '')
    .map((term) => {
      const match = /^((?:\\.|[^\\=!])*)(==|!=|=)((?:\\.|[^\\])*)$/.exec(term);
      if (match === null) {
        throw ApiError.badRequest(
          `invalid field selector ${JSON.stringify(text)}: cannot understand ${JSON.stringify(term)}`,
        );
      }
      const [, field = '', operator, value = ''] = match;
      return { field: field.trim(), equal: operator !== '!=', value: unescape(value) };
    });
}

/** Commas part the terms; `\,`, `\=` and `\\` stand for themselves (fields.EscapeValue). */
function splitUnescaped(text: string): readonly string[] {
  return text.match(/(?:\\.|[^\\,])+/g) ?? [];
}

function unescape(value: string): string {
  return value.replaceAll(/\\([\\,=])/g, '$1');
}
