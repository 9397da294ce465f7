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

/** The members of a set that are made of objects (`HTTPRoute/shop/catalog`): one by one, and by object. */
export interface Carriers {
  readonly all: readonly Resource[];
  readonly byObject: ReadonlyMap<string, readonly Resource[]>;
}

const NOTHING: Carriers = { all: [], byObject: new Map() };
const carriers = new WeakMap<ResourceMap, Carriers>();

/** The very same where a proxy's own members are made of none, as most are. */
export function carriersIn(resources: ResourceMap): Carriers {
  let found = carriers.get(resources);
  if (found === undefined) {
    found = resources instanceof LayeredMap ? inLayers(resources) : group([...resources.values()]);
    carriers.set(resources, found);
  }
  return found;
}

function inLayers({ shared: below, own }: LayeredMap): Carriers {
  const [found, ours] = [carriersIn(below), carriersIn(own)];
  const hidden = found.all.some(({ name }) => own.has(name));
  return ours.all.length === 0 && !hidden
    ? found
    : group([...found.all.filter(({ name }) => !own.has(name)), ...ours.all]);
}

function group(resources: readonly Resource[]): Carriers {
  const all = resources.filter(({ carries }) => carries.length > 0);
  if (all.length === 0) return NOTHING;
  const byObject = new Map<string, Resource[]>();
  for (const resource of all) {
    for (const object of resource.carries) byObject.set(object, [...(byObject.get(object) ?? []), resource]);
  }
  return { all, byObject };
}
