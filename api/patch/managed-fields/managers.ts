import { type FieldSet, inOrder, NO_FIELDS, readSet, sameSet, union } from './field-set.ts';

/** metav1.ManagedFieldsEntry: who owns which fields. */
export interface ManagedFieldsEntry {
  readonly manager?: string | undefined;
  readonly operation?: 'Apply' | 'Update' | undefined;
  readonly apiVersion?: string | undefined;
  readonly time?: string | undefined;
  readonly fieldsType?: string | undefined;
  readonly fieldsV1?: FieldSet | undefined;
  readonly subresource?: string | undefined;
}

/** Who writes, as far as it tells managers apart. */
export interface ManagerName {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  /** Empty for the object itself. */
  readonly subresource: string;
}

export interface Owner extends ManagerName {
  /** Undefined where it was never said. */
  readonly time: string | undefined;
  readonly fields: FieldSet;
}

/** Every manager of an object, by {@link managerId}. */
export type Owners = ReadonlyMap<string, Owner>;

export const NO_OWNERS: Owners = new Map();

/** One manager of an apply whatever version it applies in; of updates, each version has its own (BuildManagerIdentifier). */
export function managerId({ manager, operation, apiVersion, subresource }: ManagerName): string {
  return JSON.stringify({
    ...(manager === '' ? {} : { manager }),
    operation,
    ...(operation === 'Apply' ? {} : { apiVersion }),
    ...(subresource === '' ? {} : { subresource }),
  });
}

/** How Kubernetes' conflicts name a manager. */
export function managerText({ manager, operation, apiVersion, subresource }: ManagerName): string {
  const name = JSON.stringify(manager) + (subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`);
  return operation === 'Update' ? `${name} using ${apiVersion}` : name;
}

/** The owners that stored managedFields tell of; their sets are taken as they are. */
export function ownersOf(entries: readonly ManagedFieldsEntry[] | undefined): Owners {
  return new Map((entries ?? []).map((entry) => keyed(entry, entry.fieldsV1 ?? NO_FIELDS)));
}

/** The owners that a client's managedFields tell of; undefined when they cannot be read (DecodeManagedFields). */
export function readOwners(entries: readonly ManagedFieldsEntry[]): Owners | undefined {
  try {
    return new Map(
      entries.map((entry) => {
        if (entry.operation === undefined || !entry.apiVersion || entry.fieldsType !== 'FieldsV1') {
          throw new SyntaxError('managedFields: entry without operation, apiVersion or fieldsType FieldsV1');
        }
        return keyed(entry, readSet(entry.fieldsV1 ?? NO_FIELDS));
      }),
    );
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function keyed(entry: ManagedFieldsEntry, fields: FieldSet): readonly [string, Owner] {
  const { manager = '', operation = 'Update', apiVersion = '', subresource = '', time } = entry;
  const owner = { manager, operation, apiVersion, subresource, time, fields };
  return [managerId(owner), owner];
}

/** As they are stored and shown: appliers first, then by time and name; undefined when there are none. */
export function managedFieldsOf(owners: Owners): readonly ManagedFieldsEntry[] | undefined {
  if (owners.size === 0) return undefined;
  return [...owners.values()]
    .sort(compareOwners)
    .map(({ manager, operation, apiVersion, subresource, time, fields }) => ({
      ...(manager === '' ? {} : { manager }),
      operation,
      apiVersion,
      ...(time === undefined ? {} : { time }),
      fieldsType: 'FieldsV1',
      fieldsV1: fields,
      ...(subresource === '' ? {} : { subresource }),
    }));
}

function compareOwners(left: Owner, right: Owner): number {
  return (
    compareText(left.operation, right.operation) ||
    secondsOf(left) - secondsOf(right) ||
    compareText(left.manager, right.manager) ||
    compareText(left.apiVersion, right.apiVersion) ||
    compareText(left.subresource, right.subresource)
  );
}

function compareText(left: string, right: string): number {
  return left === right ? 0 : left < right ? -1 : 1;
}

function secondsOf({ time }: Owner): number {
  return time === undefined ? 0 : Math.floor(Date.parse(time) / 1000);
}

/** Whether both say the same of every manager but for when. */
export function sameOwners(left: Owners, right: Owners): boolean {
  return (
    left.size === right.size &&
    [...left].every(([id, { fields, apiVersion }]) => {
      const other = right.get(id);
      return other !== undefined && other.apiVersion === apiVersion && sameSet(fields, other.fields);
    })
  );
}

/** More entries of updates than this are gathered into one (DefaultMaxUpdateManagers). */
const MAX_UPDATERS = 10;
const GATHERED = 'ancient-changes';

/** The owners with the oldest updates gathered into one, when there are too many (capmanagers.go). */
export function capped(owners: Owners): Owners {
  const updaters = [...owners.entries()].filter(([, { operation }]) => operation === 'Update');
  if (updaters.length <= MAX_UPDATERS) return owners;
  updaters.sort(
    ([leftId, left], [rightId, right]) => secondsOf(left) - secondsOf(right) || compareText(leftId, rightId),
  );
  const kept = new Map(owners);
  const firstOf = new Map<string, string>();
  let count = updaters.length;
  for (const [id, owner] of updaters) {
    if (count <= MAX_UPDATERS) break;
    const { apiVersion } = owner;
    const first = firstOf.get(apiVersion);
    if (first === undefined) {
      firstOf.set(apiVersion, id);
      continue;
    }
    const bucket: ManagerName = { manager: GATHERED, operation: 'Update', apiVersion, subresource: '' };
    const bucketId = managerId(bucket);
    const before = kept.get(bucketId) ?? kept.get(first);
    if (!kept.has(bucketId)) kept.delete(first);
    kept.delete(id);
    kept.set(bucketId, {
      ...bucket,
      time: owner.time,
      fields: inOrder(union(owner.fields, before?.fields ?? NO_FIELDS)),
    });
    count -= 1;
  }
  return kept;
}
