/** The names of a store's keys. The tag in braces puts all of them in one hash slot (redis.io, "Cluster specification": hash tags). */
export interface StoreKeys {
  readonly meta: string;
  readonly entries: string;
  readonly order: string;
  readonly log: string;
  readonly leases: string;
  /** Where a mutation whose answer was lost leaves its newest attempt. */
  tried(mutation: string): string;
}

export function storeKeys(cluster: string): StoreKeys {
  const named = (name: string): string => `{${cluster}}:${name}`;
  return {
    meta: named('meta'),
    entries: named('entries'),
    order: named('keys'),
    log: named('log'),
    leases: named('leases'),
    tried: (mutation) => named(`tried:${mutation}`),
  };
}
