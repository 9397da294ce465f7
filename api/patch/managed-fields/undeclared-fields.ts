import { isList, isObject, type Json } from '../json.ts';
import { pathText } from './field-set.ts';
import { listItemsIfKeyed } from './list-items.ts';
import { fieldElement, type PathElement } from './path-element.ts';
import type { TypedSchema } from './typed-schema.ts';

/** The paths in a configuration that its schema does not know: nobody could own them. */
export function undeclaredFields(
  value: Json,
  schema: TypedSchema,
  path: readonly PathElement[] = [],
): readonly string[] {
  if (isObject(value) && schema.shape === 'object') {
    return Object.entries(value).flatMap(([name, field]) => {
      const here = [...path, fieldElement(name)];
      return schema.open || schema.declares(name)
        ? undeclaredFields(field, schema.field(name), here)
        : [pathText(here)];
    });
  }
  if (!isList(value) || schema.shape !== 'list') return [];
  const items = listItemsIfKeyed(value, schema) ?? [];
  return items.flatMap(({ element, value: item }) => undeclaredFields(item, schema.item(), [...path, element]));
}
