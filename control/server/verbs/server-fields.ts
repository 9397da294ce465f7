import type { Kind, KubeObject } from '../../../api/kinds/kind.ts';
import type { ObjectMeta } from '../../../api/meta/object-meta.ts';
import { isObject, type JsonObject } from '../../../api/patch/json.ts';

/*
 * Fields that the server writes and clients only read: what BeforeCreate and BeforeUpdate of
 * k8s.io/apiserver/pkg/registry/rest and the strategies of each kind keep out of clients' hands.
 */

/** Kinds whose changes are counted: workloads, Gateway API, pods, slices; not the other kinds of the core group. */
export function countsGenerations({
  group,
  kind,
  subresources,
}: Pick<Kind, 'group' | 'kind' | 'subresources'>): boolean {
  if (group === 'discovery.k8s.io') return true;
  return subresources.includes('status') && (group !== '' || kind === 'Pod');
}

/** Nodes bring their status when they register (nodeStrategy.PrepareForCreate keeps it); others get theirs later. */
export function withoutStatus(kind: Pick<Kind, 'kind' | 'subresources'>, input: unknown): unknown {
  if (!isObject(input) || !kind.subresources.includes('status') || kind.kind === 'Node') return input;
  const { status: _, ...rest } = input;
  return rest;
}

/** The client's document with the status that is stored. */
export function withStatusOf(kind: Pick<Kind, 'subresources'>, input: unknown, current: KubeObject): unknown {
  if (!isObject(input) || !kind.subresources.includes('status')) return input;
  const { status: _, ...rest } = input;
  return { ...rest, status: (current as KubeObject & JsonObject)['status'] };
}

export interface NewIdentity {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly uid: string;
  readonly now: string;
}

/** The metadata of a new object. What a client says of identity, age and deletion does not count. */
export function newMetadata(
  kind: Pick<Kind, 'group' | 'kind' | 'subresources'>,
  given: Partial<ObjectMeta>,
  { name, namespace, uid, now }: NewIdentity,
): ObjectMeta {
  const {
    deletionTimestamp: _deleted,
    deletionGracePeriodSeconds: _grace,
    selfLink: _link,
    managedFields: _managed,
    namespace: _namespace,
    ...kept
  } = given;
  return {
    ...withoutEmpty(kept),
    name,
    ...(namespace === undefined ? {} : { namespace }),
    uid,
    resourceVersion: '',
    creationTimestamp: now,
    ...(countsGenerations(kind) ? { generation: 1 } : {}),
  };
}

/** What a write through `status` does to the metadata: that of a Pod takes labels and annotations (podStatusStrategy). */
export function statusMetadata(kind: Pick<Kind, 'group' | 'kind'>, given: ObjectMeta, current: ObjectMeta): ObjectMeta {
  if (kind.group !== '' || kind.kind !== 'Pod') return current;
  const { labels: _labels, annotations: _annotations, ...rest } = current;
  const { labels, annotations } = given;
  return withoutEmpty({
    ...rest,
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
  });
}

const COLLECTIONS = ['labels', 'annotations', 'ownerReferences', 'finalizers'] as const;

/** Collections without anything in them are not there (omitempty). */
function withoutEmpty<Meta extends Partial<ObjectMeta>>(metadata: Meta): Meta {
  const empty = COLLECTIONS.filter((name) => metadata[name] !== undefined && Object.keys(metadata[name]).length === 0);
  if (empty.length === 0) return metadata;
  const kept = { ...metadata };
  for (const name of empty) delete kept[name];
  return kept;
}

/** The metadata of an update: the client's, but for what the server alone writes and what the address says. */
export function updatedMetadata(given: ObjectMeta, current: ObjectMeta): ObjectMeta {
  const {
    deletionTimestamp: _deleted,
    deletionGracePeriodSeconds: _grace,
    selfLink: _link,
    managedFields: _managed,
    generation: _generation,
    ...kept
  } = given;
  const { deletionTimestamp, deletionGracePeriodSeconds, generation, uid, creationTimestamp, resourceVersion } =
    current;
  return {
    ...withoutEmpty(kept),
    ...(current.namespace === undefined ? {} : { namespace: current.namespace }),
    uid,
    resourceVersion,
    creationTimestamp,
    ...(generation === undefined ? {} : { generation }),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    ...(deletionGracePeriodSeconds === undefined ? {} : { deletionGracePeriodSeconds }),
  };
}
