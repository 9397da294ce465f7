import { type Json, sameJson } from './json.ts';

export interface ListOrder {
  /** The list before the patch. */
  readonly server: readonly Json[];
  /** Items in the patch's order; merge keys are enough. */
  readonly patch: readonly Json[];
  readonly key: (item: Json) => Json | undefined;
}

/**
 * The merged list in the order of strategic merge patch (normalizeElementOrder and mergeSortedSlice): items of the patch
 * in the patch's order, the others in the server's, each of these placed before the first patch item that the server
 * had behind it.
 */
export function orderedLikePatch(merged: readonly Json[], { server, patch, key }: ListOrder): readonly Json[] {
  const patchPlace = (item: Json): number => placeOf(item, patch, key);
  const serverPlace = (item: Json): number => placeOf(item, server, key);
  const mine = sorted(
    merged.filter((item) => patchPlace(item) >= 0),
    patchPlace,
  );
  const others = sorted(
    merged.filter((item) => patchPlace(item) < 0),
    serverPlace,
  );
  const result: Json[] = [];
  for (const item of mine) {
    const limit = serverPlace(item);
    const firstBehind = others.findIndex((other) => serverPlace(other) < 0 || serverPlace(other) >= limit);
    result.push(...others.splice(0, firstBehind < 0 ? others.length : firstBehind), item);
  }
  return [...result, ...others];
}

function placeOf(item: Json, list: readonly Json[], key: ListOrder['key']): number {
  const wanted = key(item);
  return list.findIndex((other) => sameJson(key(other), wanted));
}

function sorted(items: readonly Json[], place: (item: Json) => number): Json[] {
  return items
    .map((item) => [place(item), item] as const)
    .sort(([left], [right]) => left - right)
    .map(([, item]) => item);
}
