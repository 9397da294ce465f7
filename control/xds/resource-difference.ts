import type { Resource, ResourceMap } from './resource.ts';

/** What became of a set: members that are new or other than before, and names that are gone. */
export interface Difference {
  readonly changed: readonly Resource[];
  readonly gone: readonly string[];
}

const known = new WeakMap<ResourceMap, WeakMap<ResourceMap, Difference>>();

/** Proxies share their sets, so what hundreds of them ask for is worked out once. Sets are never mutated. */
export function differenceOf(before: ResourceMap, after: ResourceMap): Difference {
  const since = known.get(before) ?? new WeakMap<ResourceMap, Difference>();
  known.set(before, since);
  const found = since.get(after) ?? compare(before, after);
  since.set(after, found);
  return found;
}

function compare(before: ResourceMap, after: ResourceMap): Difference {
  return {
    changed: [...after.values()].filter(({ name, version }) => before.get(name)?.version !== version),
    gone: [...before.keys()].filter((name) => !after.has(name)),
  };
}

const carriers = new WeakMap<ResourceMap, ReadonlyMap<string, readonly Resource[]>>();

/** The members of a set that are made of an object (`HTTPRoute/shop/catalog`). */
export function carriersOf(object: string, resources: ResourceMap): readonly Resource[] {
  let index = carriers.get(resources);
  if (index === undefined) {
    const all = [...resources.values()].flatMap((resource) =>
      resource.carries.map((carried) => ({ carried, resource })),
    );
    const grouped = Map.groupBy(all, ({ carried }) => carried);
    index = new Map([...grouped].map(([carried, found]) => [carried, found.map(({ resource }) => resource)]));
    carriers.set(resources, index);
  }
  return index.get(object) ?? [];
}
