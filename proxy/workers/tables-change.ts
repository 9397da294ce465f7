import type { ProxyTables } from '../tables.ts';

interface MapChange<T> {
  /** All that there are now, in order. */
  readonly names: readonly string[];
  /** Those that are new or another object than before. */
  readonly changed: ReadonlyMap<string, T>;
}

/**
 * From one set of tables to the next. Threads get copies, and the engine tells by identity what changed: so only what did
 * change is sent, and the rest stays the object that the thread has.
 */
export type TablesChange = { readonly [Part in keyof WorkerTables]: MapChange<PartOf<Part>> };

/** With what the workers count together, by cluster (cluster/shared-counts.ts). */
export interface WorkerTables extends ProxyTables {
  readonly counts: ReadonlyMap<string, SharedArrayBuffer>;
}

type PartOf<Part extends keyof WorkerTables> = WorkerTables[Part] extends ReadonlyMap<string, infer T> ? T : never;

export const NO_TABLES: WorkerTables = {
  listeners: new Map(),
  routeTables: new Map(),
  clusters: new Map(),
  counts: new Map(),
};

export function changeBetween(before: WorkerTables, after: WorkerTables): TablesChange {
  return {
    listeners: mapChange(before.listeners, after.listeners),
    routeTables: mapChange(before.routeTables, after.routeTables),
    clusters: mapChange(before.clusters, after.clusters),
    counts: mapChange(before.counts, after.counts),
  };
}

export function changed(before: WorkerTables, change: TablesChange): WorkerTables {
  return {
    listeners: changedMap(before.listeners, change.listeners),
    routeTables: changedMap(before.routeTables, change.routeTables),
    clusters: changedMap(before.clusters, change.clusters),
    counts: changedMap(before.counts, change.counts),
  };
}

function mapChange<T>(before: ReadonlyMap<string, T>, after: ReadonlyMap<string, T>): MapChange<T> {
  return {
    names: [...after.keys()],
    changed: new Map([...after].filter(([name, value]) => before.get(name) !== value)),
  };
}

function changedMap<T>(before: ReadonlyMap<string, T>, change: MapChange<T>): ReadonlyMap<string, T> {
  const values = new Map<string, T>();
  for (const name of change.names) {
    const value = change.changed.get(name) ?? before.get(name);
    if (value === undefined) throw new Error(`change of tables: "${name}" is neither sent nor known`);
    values.set(name, value);
  }
  return values;
}
