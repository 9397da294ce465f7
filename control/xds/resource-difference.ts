import { LayeredMap } from './layered-map.ts';
import type { Resource, ResourceMap } from './resource.ts';

/** What became of a set: members that are new or other than before, and names that are gone. */
export interface Difference {
  readonly changed: readonly Resource[];
  readonly gone: readonly string[];
}

const known = new WeakMap<ResourceMap, WeakMap<ResourceMap, Difference>>();
const shared = new WeakSet<readonly Resource[]>();

/** Proxies share their sets, so what hundreds of them ask for is worked out once. Sets are never mutated. */
export function differenceOf(before: ResourceMap, after: ResourceMap): Difference {
  const since = known.get(before) ?? new WeakMap<ResourceMap, Difference>();
  known.set(before, since);
  const found = since.get(after) ?? compare(before, after);
  since.set(after, found);
  shared.add(found.changed);
  return found;
}

/** Whether a list is one that many proxies are told: then it pays to keep what is made of it. */
export function isShared(resources: readonly Resource[]): boolean {
  return shared.has(resources);
}

function compare(before: ResourceMap, after: ResourceMap): Difference {
  if (before instanceof LayeredMap && after instanceof LayeredMap && before.own === after.own) {
    return without(differenceOf(before.shared, after.shared), after.own);
  }
  return {
    changed: [...after.values()].filter(({ name, version }) => before.get(name)?.version !== version),
    gone: [...before.keys()].filter((name) => !after.has(name)),
  };
}

/** Names that a proxy has of its own stay as they are, whatever becomes of the shared set. The same object where it can be. */
function without(difference: Difference, own: ResourceMap): Difference {
  const { changed, gone } = difference;
  const hidden = changed.some(({ name }) => own.has(name)) || gone.some((name) => own.has(name));
  if (!hidden) return difference;
  return { changed: changed.filter(({ name }) => !own.has(name)), gone: gone.filter((name) => !own.has(name)) };
}

const carriers = new WeakMap<ResourceMap, ReadonlyMap<string, readonly Resource[]>>();

/** The members of a set that are made of an object (`HTTPRoute/shop/catalog`). */
export function carriersOf(object: string, resources: ResourceMap): readonly Resource[] {
  if (resources instanceof LayeredMap) {
    const { own } = resources;
    const [found, ours] = [carriersOf(object, resources.shared), carriersOf(object, own)];
    const hidden = found.some(({ name }) => own.has(name));
    return ours.length === 0 && !hidden ? found : [...found.filter(({ name }) => !own.has(name)), ...ours];
  }
  let index = carriers.get(resources);
  if (index === undefined) {
    const all = [...resources.values()].flatMap((resource) =>
      resource.carries.map((carried) => ({ carried, resource })),
    );
    const grouped = Map.groupBy(all, ({ carried }) => carried);
    index = new Map([...grouped].map(([carried, found]) => [carried, found.map(({ resource }) => resource)]));
    carriers.set(resources, index);
  }
  return index.get(object) ?? NOBODY;
}

const NOBODY: readonly Resource[] = [];
