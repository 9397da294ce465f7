import type { Kind, KubeObject } from '../../../api/kinds/kind.ts';
import { apiVersionOf } from '../../../api/kinds/kind.ts';
import type { ObjectMeta } from '../../../api/meta/object-meta.ts';
import type { JsonObject } from '../../../api/patch/json.ts';
import {
  allButStatus,
  allFields,
  type FieldFilter,
  onlyStatus,
} from '../../../api/patch/managed-fields/field-filter.ts';
import {
  type ManagedFieldsEntry,
  type ManagerName,
  managedFieldsOf,
  NO_OWNERS,
  type Owners,
  ownersOf,
  readOwners,
} from '../../../api/patch/managed-fields/managers.ts';
import { trackUpdate } from '../../../api/patch/managed-fields/track-update.ts';
import { typedSchemaOf } from '../../../api/patch/managed-fields/typed-schema.ts';

/** Through which of an object's doors a write comes. */
export type Door = 'status' | 'scale' | undefined;

export type ManagedFields = ObjectMeta['managedFields'];

/** Who owns what after a write; `managedFields` is undefined when nobody is told of. */
export interface AppliedOwners {
  readonly managedFields: ManagedFields;
}

export interface OwnedWrite<T extends KubeObject> {
  readonly kind: Kind<T>;
  /** Undefined when the write creates the object. */
  readonly before: T | undefined;
  readonly after: T;
  /** The managedFields that the client's document has; undefined when it has none of its own. */
  readonly given: ManagedFields | undefined;
  readonly manager: string;
  readonly door: Door;
  readonly now: string;
}

/**
 * The managedFields of an object after a write that is not an apply. An object that nobody is tracked on stays so until
 * it is applied; `[]` and `[{}]` from a client make it one (skipnonapplied.go, fieldmanager.go).
 */
export function managedFieldsAfter<T extends KubeObject>(write: OwnedWrite<T>): AppliedOwners {
  const { kind, before, after, given, manager, door, now } = write;
  const stored = before?.metadata.managedFields;
  const entries = entriesOf(stored);
  if (door === undefined && given !== undefined && isReset(given) && before !== undefined)
    return { managedFields: undefined };
  const claimed =
    door === undefined && given !== undefined && given.length > 0
      ? readOwners(given as ManagedFieldsEntry[])
      : undefined;
  const owners = claimed ?? ownersOf(entries);
  if (before !== undefined && owners.size === 0) return { managedFields: stored };
  const next = trackUpdate({
    before: before === undefined ? emptyObject(kind) : reachable(before, kind, door),
    after: reachable(after, kind, door),
    schema: typedSchemaOf(kind.schema),
    owners: owners.size === 0 ? NO_OWNERS : owners,
    by: managerOf(kind, manager, 'Update', door),
    filter: filterOf(kind, door),
    now,
  });
  return { managedFields: next === owners && claimed === undefined ? stored : managedFieldsFrom(next) };
}

/** The part of an object that a write through this door can change: the rest needs no comparing. */
function reachable(object: KubeObject, { subresources }: Pick<Kind, 'subresources'>, door: Door): JsonObject {
  const { status, ...rest } = withoutManagedFields(object);
  if (door === 'status') return status === undefined ? {} : { status };
  return subresources.includes('status') || status === undefined ? rest : { ...rest, status };
}

export function managerOf(
  kind: Pick<Kind, 'group' | 'version'>,
  manager: string,
  operation: ManagerName['operation'],
  door: Door,
): ManagerName {
  return { manager: manager || 'unknown', operation, apiVersion: apiVersionOf(kind), subresource: door ?? '' };
}

export function filterOf({ subresources }: Pick<Kind, 'subresources'>, door: Door): FieldFilter {
  if (door === 'status') return onlyStatus;
  return subresources.includes('status') ? allButStatus : allFields;
}

export function entriesOf(managedFields: ManagedFields): readonly ManagedFieldsEntry[] {
  return (managedFields ?? []) as readonly ManagedFieldsEntry[];
}

export function managedFieldsFrom(owners: Owners): ManagedFields {
  return managedFieldsOf(owners) as ManagedFields;
}

export function withoutManagedFields(object: KubeObject): JsonObject {
  if (object.metadata.managedFields === undefined) return object as unknown as JsonObject;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata } as unknown as JsonObject;
}

/** The same object with these managedFields, or with none. */
export function withManagedFields<T extends KubeObject>(object: T, managedFields: ManagedFields): T {
  if (object.metadata.managedFields === managedFields) return object;
  const { managedFields: _, ...rest } = object.metadata;
  return { ...object, metadata: { ...rest, ...(managedFields === undefined ? {} : { managedFields }) } };
}

function isReset(given: NonNullable<ManagedFields>): boolean {
  const [first] = given;
  return given.length === 0 || (given.length === 1 && first !== undefined && Object.keys(first).length === 0);
}

const TEMPLATE: JsonObject = { metadata: {}, spec: { containers: null } };

/**
 * What a new object is compared with. The built-in kinds are structures in Kubernetes, parts of which are there before
 * anything is set: their creator owns what is in them, but not the parts as such. The others begin with nothing.
 */
const STRUCTURE: JsonObject = {
  metadata: {},
  spec: {
    containers: null,
    strategy: {},
    updateStrategy: {},
    template: TEMPLATE,
    jobTemplate: { metadata: {}, spec: { template: TEMPLATE } },
  },
  status: {},
};

function emptyObject({ group }: Pick<Kind, 'group'>): JsonObject {
  return group.includes('.') && !group.endsWith('.k8s.io') ? {} : group.startsWith('gateway.') ? {} : STRUCTURE;
}
