import { type JsonObject, sameJson } from '../json.ts';
import type { FieldFilter } from './field-filter.ts';
import { withoutNobodys } from './field-filter.ts';
import {
  difference,
  type FieldSet,
  hasPath,
  inOrder,
  intersection,
  isEmptySet,
  NO_FIELDS,
  type Path,
  pathsOf,
  union,
} from './field-set.ts';
import { lastAppliedFields } from './last-applied-fields.ts';
import { type ManagerName, managerId, NO_OWNERS, type Owner, type Owners } from './managers.ts';
import { afterChange, filtered, takenFrom, trackUpdate } from './track-update.ts';
import { compareFields } from './typed-compare.ts';
import { fieldsOf, reconciled, withNamedFields } from './typed-fields.ts';
import { mergeConfiguration } from './typed-merge.ts';
import { withoutFields } from './typed-remove.ts';
import type { TypedSchema } from './typed-schema.ts';

/** A server-side apply. */
export interface Application {
  /** Without managedFields; empty when the object is not there yet. */
  readonly live: JsonObject;
  readonly config: JsonObject;
  readonly schema: TypedSchema;
  readonly owners: Owners;
  /** Its operation is Apply. */
  readonly by: ManagerName;
  readonly filter: FieldFilter;
  /** `take`: what another manager owns is taken from it. `refuse`: that is a conflict. */
  readonly conflicts: 'take' | 'refuse';
  readonly now: string;
}

export interface Conflict {
  readonly with: Owner;
  readonly path: Path;
}

export type Applied =
  | { readonly type: 'applied'; readonly object: JsonObject; readonly owners: Owners }
  | { readonly type: 'conflicts'; readonly conflicts: readonly Conflict[] };

/** The name under which kubectl applies: its applies take over what it has applied from the client's side. */
const KUBECTL = 'kubectl';

/**
 * The object after an apply and who owns what of it then. Throws {@link UnkeyedItemError} for a configuration whose lists
 * cannot be merged. (fieldmanager.go and the managers that it wraps; merge/update.go, Apply.)
 */
export function applyConfiguration(application: Application): Applied {
  const tracked = { ...application, owners: everythingOwned(application) };
  const applied = applyOnce(tracked);
  if (applied.type === 'applied' || application.by.manager !== KUBECTL) return applied;
  const mine = lastAppliedFields(application.live, application.schema, application.by.apiVersion);
  if (mine === undefined) return applied;
  const conflicts = applied.conflicts.filter(({ path }) => !hasPath(mine, path));
  return conflicts.length > 0 ? { type: 'conflicts', conflicts } : applyOnce({ ...tracked, conflicts: 'take' });
}

/** An object that nobody has been tracked on: what is in it belongs to a manager of that name (skipnonapplied.go). */
function everythingOwned({ live, schema, owners, by, filter, now }: Application): Owners {
  if (owners.size > 0) return owners;
  const before = { ...by, manager: 'before-first-apply', operation: 'Update' } as const;
  return trackUpdate({ before: {}, after: live, schema, owners: NO_OWNERS, by: before, filter, now });
}

function applyOnce(application: Application): Applied {
  const { live, config, schema, by, filter, now } = application;
  const id = managerId(by);
  const owners = new Map(
    [...application.owners].map(
      ([key, owner]) => [key, { ...owner, fields: reconciled(owner.fields, schema) }] as const,
    ),
  );
  const last = owners.get(id);
  const fields = filter(fieldsOf(config, schema));
  const merged = mergeConfiguration(live, config, schema);
  owners.set(id, { ...by, time: last?.time, fields });
  const object =
    last?.apiVersion !== by.apiVersion ? merged : pruned(merged, { last: last.fields, owners, schema, by });
  const comparison = filtered(compareFields(live, object, schema), filter);
  const taken = takenFrom(owners, comparison, { id, apiVersion: by.apiVersion });
  if (application.conflicts === 'refuse' && taken.size > 0) {
    return { type: 'conflicts', conflicts: conflictsOf(taken, owners) };
  }
  const others = new Map(owners);
  others.delete(id);
  const left = new Map(afterChange(others, comparison, by.apiVersion));
  const own = withoutNobodys(fields);
  const time = sameJson(live, object) ? last?.time : now;
  if (!isEmptySet(own)) left.set(id, { ...by, time, fields: inOrder(own) });
  return { type: 'applied', object, owners: left };
}

function conflictsOf(taken: ReadonlyMap<string, FieldSet>, owners: Owners): readonly Conflict[] {
  return [...taken]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .flatMap(([id, fields]) => {
      const owner = owners.get(id);
      return owner === undefined ? [] : pathsOf(fields).map((path) => ({ with: owner, path }));
    });
}

interface Pruning {
  readonly last: FieldSet;
  /** With the configuration that is applied now. */
  readonly owners: Owners;
  readonly schema: TypedSchema;
  readonly by: ManagerName;
}

/** Takes out what its manager applied last, does not apply now, and nobody else owns (merge/update.go, prune). */
function pruned(merged: JsonObject, { last, owners, schema, by }: Pruning): JsonObject {
  if (isEmptySet(last)) return merged;
  const named = (set: FieldSet): FieldSet => withNamedFields(set, schema);
  const all = named(fieldsOf(merged, schema));
  const without = withoutFields(merged, named(last), schema);
  const kept = named(fieldsOf(without, schema));
  const owned = [...owners.values()]
    .filter(({ apiVersion }) => apiVersion === by.apiVersion)
    .map((owner) => owner.fields)
    .reduce(union, NO_FIELDS);
  const withOwned = withoutFields(merged, difference(all, union(kept, named(owned))), schema);
  const left = named(fieldsOf(withOwned, schema));
  return withoutFields(merged, intersection(difference(all, left), named(last)), schema);
}
