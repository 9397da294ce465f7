import { z } from 'zod';

/*
 * Lists as Kubernetes knows them (docs: "API conventions", "Lists of named subobjects"; structured-merge-diff's list
 * types). What they carry as metadata drives strategic merge patch and shows in the OpenAPI document.
 */

/** A list whose items are told apart by `mapKeys`; a strategic merge patch finds the item by the first of them. */
export function mapList<Item extends z.ZodType>(item: Item, ...mapKeys: readonly [string, ...string[]]) {
  return z.array(item).meta({
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': mapKeys,
    'x-kubernetes-patch-merge-key': mapKeys[0],
    'x-kubernetes-patch-strategy': 'merge',
  });
}

/** A list that a patch replaces as a whole. */
export function atomicList<Item extends z.ZodType>(item: Item) {
  return z.array(item).meta({ 'x-kubernetes-list-type': 'atomic' });
}

/** A list of values, each at most once. */
export function setList<Item extends z.ZodType>(item: Item) {
  return z.array(item).meta({ 'x-kubernetes-list-type': 'set' });
}
