import type { Resource, ResourceMap } from './resource.ts';

const joined = new WeakMap<ResourceMap, WeakMap<ResourceMap, LayeredMap>>();

/** The same two make the same one, so that proxies with equal sets of their own share the whole. */
export function layered(shared: ResourceMap, own: ResourceMap): LayeredMap {
  const over = joined.get(shared) ?? new WeakMap<ResourceMap, LayeredMap>();
  joined.set(shared, over);
  const map = over.get(own) ?? new LayeredMap(shared, own);
  over.set(own, map);
  return map;
}

/**
 * What many proxies share, and what one has besides, as one set: of the shared part there is one copy, and what is worked out of it (what
 * changed, its version) is worked out once. Where both have a name the own one counts.
 */
export class LayeredMap implements ReadonlyMap<string, Resource> {
  readonly shared: ResourceMap;
  readonly own: ResourceMap;

  constructor(shared: ResourceMap, own: ResourceMap) {
    this.shared = shared;
    this.own = own;
  }

  get size(): number {
    let size = this.shared.size;
    for (const name of this.own.keys()) if (!this.shared.has(name)) size += 1;
    return size;
  }

  get(name: string): Resource | undefined {
    return this.own.get(name) ?? this.shared.get(name);
  }

  has(name: string): boolean {
    return this.own.has(name) || this.shared.has(name);
  }

  *entries(): MapIterator<[string, Resource]> {
    for (const entry of this.shared) if (!this.own.has(entry[0])) yield entry;
    yield* this.own;
  }

  *keys(): MapIterator<string> {
    for (const name of this.shared.keys()) if (!this.own.has(name)) yield name;
    yield* this.own.keys();
  }

  *values(): MapIterator<Resource> {
    for (const [, resource] of this.entries()) yield resource;
  }

  [Symbol.iterator](): MapIterator<[string, Resource]> {
    return this.entries();
  }

  forEach(visit: (resource: Resource, name: string, map: ResourceMap) => void): void {
    for (const [name, resource] of this.entries()) visit(resource, name, this);
  }
}
