import type { Kind, KubeObject } from '../../../api/kinds/kind.ts';
import { ApiError } from '../../../api/meta/api-error.ts';

/** One term of a field selector: `status.phase!=Running`. */
export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/**
 * The terms of a field selector, with commas between (fields.ParseSelector). `\,`, `\=` and `\\` stand for the character
 * in a value. Throws ApiError 400 for anything else.
 */
export function parseFieldSelector(text: string): readonly FieldRequirement[] {
  return splitTerms(text)
    .filter((term) => term !== '')
    .map((term) => {
      const { field, operator, value } = /^(?<field>.*?)(?<operator>!=|==|=)(?<value>.*)$/s.exec(term)?.groups ?? {};
      if (field === undefined || value === undefined) {
        throw ApiError.badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
      }
      return { field, operator: operator === '!=' ? '!=' : '=', value: unescaped(value) };
    });
}

/** UnescapeValue. */
function unescaped(value: string): string {
  return value.replaceAll(/\\(.?)|([,=])/gs, (whole, after: string | undefined, plain: string | undefined) => {
    if (plain !== undefined)
      throw ApiError.badRequest(`invalid field selector: unescaped character in value: ${plain.charCodeAt(0)}`);
    if (after === undefined || !['\\', ',', '='].includes(after))
      throw ApiError.badRequest(`invalid field selector: invalid escape sequence: ${whole}`);
    return after;
  });
}

/** Whether objects of the kind meet the terms. Throws ApiError 400 for a field that cannot be selected by. */
export function fieldMatcher<T extends KubeObject>(
  kind: Kind<T>,
  requirements: readonly FieldRequirement[],
): (object: T) => boolean {
  const terms = requirements.map(({ field, operator, value }) => {
    const read = fieldReader(kind, field);
    return (object: T): boolean => (read(object) === value) === (operator === '=');
  });
  return (object) => terms.every((term) => term(object));
}

function fieldReader<T extends KubeObject>(kind: Kind<T>, field: string): (object: T) => string {
  if (field === 'metadata.name') return ({ metadata }) => metadata.name;
  if (field === 'metadata.namespace' && kind.namespaced) return ({ metadata }) => metadata.namespace ?? '';
  const read = Object.hasOwn(kind.selectableFields, field) ? kind.selectableFields[field] : undefined;
  if (read === undefined) throw notSelectable(kind, field);
  return read;
}

/** Kinds that add no field of their own have the words of DefaultMetaV1FieldSelectorConversion. */
function notSelectable<T extends KubeObject>({ selectableFields, custom }: Kind<T>, field: string): ApiError {
  return ApiError.badRequest(
    custom || Object.keys(selectableFields).length > 0
      ? `field label not supported: ${field}`
      : `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
  );
}

function splitTerms(text: string): readonly string[] {
  return text.match(/(?:\\.|[^,\\])+|\\$/gs) ?? [];
}
