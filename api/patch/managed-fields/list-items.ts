import { isObject, type Json, ownField } from '../json.ts';
import { keyElement, type PathElement, valueElement } from './path-element.ts';
import type { TypedSchema } from './typed-schema.ts';

/** An item of a list and how it is told apart from the others. */
export interface ListItem {
  readonly element: PathElement;
  readonly value: Json;
}

/** An item that cannot be told apart from others: what is wrong with it. */
export class UnkeyedItemError extends Error {
  override readonly name = 'UnkeyedItemError';
}

/** The items of a list with their elements, duplicates included. Throws {@link UnkeyedItemError}. */
export function listItems(list: readonly Json[], schema: TypedSchema): readonly ListItem[] {
  return list.map((value, index) => ({ element: elementOf(value, schema, index), value }));
}

/** As {@link listItems}; undefined for a list whose items cannot be told apart, which is then one value. */
export function listItemsIfKeyed(list: readonly Json[], schema: TypedSchema): readonly ListItem[] | undefined {
  try {
    return listItems(list, schema);
  } catch (error) {
    if (error instanceof UnkeyedItemError) return undefined;
    throw error;
  }
}

/** listItemToPathElement in structured-merge-diff's typed/helpers.go. */
function elementOf(item: Json, { keys }: TypedSchema, index: number): PathElement {
  if (keys.length === 0) {
    if (typeof item === 'object') {
      throw new UnkeyedItemError(`element ${index}: a list without keys has an item that is no plain value`);
    }
    return valueElement(item);
  }
  if (!isObject(item)) {
    throw new UnkeyedItemError(`element ${index}: associative list with keys may not have non-map elements`);
  }
  const found = keys.flatMap(({ name, fallback }) => {
    const value = ownField(item, name) ?? fallback;
    return value === undefined || value === null ? [] : [[name, value] as const];
  });
  if (found.length > 0) return keyElement(found);
  const names = keys.map(({ name }) => JSON.stringify(name)).join(' ');
  throw new UnkeyedItemError(
    `element ${index}: associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`,
  );
}
