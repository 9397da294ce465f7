import { difference, type FieldSet, recursiveDifference, setOf } from './field-set.ts';

/** Which fields a write through one door can own: the object itself, or one of its subresources. */
export type FieldFilter = (set: FieldSet) => FieldSet;

const METADATA = 'f:metadata';

/** Fields that the server writes, or that are the object's address: nobody owns them (stripmeta.go). */
const NOBODYS: FieldSet = setOf(
  ['f:apiVersion'],
  ['f:kind'],
  [METADATA],
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation'].map((name) => [
    METADATA,
    `f:${name}`,
  ]),
  [METADATA, 'f:managedFields'],
  [METADATA, 'f:resourceVersion'],
);

export function withoutNobodys(set: FieldSet): FieldSet {
  return difference(set, NOBODYS);
}

/** What is written through the object itself leaves the status alone, where it is a subresource (GetResetFields). */
export const allButStatus: FieldFilter = (set) =>
  'f:status' in set ? recursiveDifference(set, { 'f:status': {} }) : set;

/** What is written through the subresource `status` is the status. */
export const onlyStatus: FieldFilter = (set) => {
  const { 'f:status': status } = set;
  return status === undefined ? {} : { 'f:status': status };
};

export const allFields: FieldFilter = (set) => set;
