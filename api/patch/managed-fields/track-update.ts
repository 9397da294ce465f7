import type { JsonObject } from '../json.ts';
import { type FieldFilter, withoutNobodys } from './field-filter.ts';
import { difference, type FieldSet, inOrder, intersection, isEmptySet, NO_FIELDS, union } from './field-set.ts';
import { capped, type ManagerName, managerId, type Owner, type Owners } from './managers.ts';
import { type Comparison, compareFields } from './typed-compare.ts';
import type { TypedSchema } from './typed-schema.ts';

/** A write other than an apply: a create, an update or a patch. */
export interface TrackedUpdate {
  /** Without managedFields, as the next one. */
  readonly before: JsonObject;
  readonly after: JsonObject;
  readonly schema: TypedSchema;
  readonly owners: Owners;
  readonly by: ManagerName;
  readonly filter: FieldFilter;
  readonly now: string;
}

/**
 * Who owns what after the update: its manager takes what it has changed and added, from whoever had it, and what it has
 * removed nobody has any more (merge/update.go, Update; managedfieldsupdater.go). The same owners when nothing changed.
 */
export function trackUpdate({ before, after, schema, owners, by, filter, now }: TrackedUpdate): Owners {
  const comparison = filtered(compareFields(before, after, schema), filter);
  const { removed, modified, added } = comparison;
  const taken = union(modified, added);
  if (isEmptySet(taken) && isEmptySet(removed)) return owners;
  const left = afterChange(owners, comparison, by.apiVersion);
  const own = withoutNobodys(taken);
  if (isEmptySet(own)) return left;
  const id = managerId(by);
  const fields = inOrder(union(left.get(id)?.fields ?? NO_FIELDS, own));
  return capped(new Map(left).set(id, { ...by, time: now, fields }));
}

export function filtered({ removed, modified, added }: Comparison, filter: FieldFilter): Comparison {
  return { removed: filter(removed), modified: filter(modified), added: filter(added) };
}

/** The owners without what others have changed or removed; those of a version that is no more are forgotten. */
export function afterChange(owners: Owners, { removed, modified, added }: Comparison, apiVersion: string): Owners {
  const lost = union(union(modified, added), removed);
  return remaining(owners, (owner) => (owner.apiVersion === apiVersion ? difference(owner.fields, lost) : NO_FIELDS));
}

/** The part of each owner's fields that a change takes from it. */
export function takenFrom(
  owners: Owners,
  { modified, added }: Comparison,
  { id, apiVersion }: { readonly id: string; readonly apiVersion: string },
): ReadonlyMap<string, FieldSet> {
  const changed = union(modified, added);
  const taken = [...owners].flatMap(([other, owner]) => {
    if (other === id || owner.apiVersion !== apiVersion) return [];
    const fields = intersection(owner.fields, changed);
    return isEmptySet(fields) ? [] : [[other, fields] as const];
  });
  return new Map(taken);
}

function remaining(owners: Owners, fieldsOf: (owner: Owner, id: string) => FieldSet): Owners {
  const kept = new Map<string, Owner>();
  for (const [id, owner] of owners) {
    const fields = fieldsOf(owner, id);
    if (!isEmptySet(fields)) kept.set(id, fields === owner.fields ? owner : { ...owner, fields });
  }
  return kept;
}
