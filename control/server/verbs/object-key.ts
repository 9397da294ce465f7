import type { ObjectRef } from '../../../api/client/client.ts';
import type { Kind, KubeObject } from '../../../api/kinds/kind.ts';

/** Where objects of a kind begin in the store: `/registry/<group>/<plural>/`, then the namespace where there is one. */
export function keyPrefix(kind: Pick<Kind, 'group' | 'plural'>, namespace?: string): string {
  const prefix = `/registry/${kind.group === '' ? 'core' : kind.group}/${kind.plural}/`;
  return namespace === undefined ? prefix : `${prefix}${namespace}/`;
}

export function refOf({ metadata: { name, namespace } }: Pick<KubeObject, 'metadata'>): ObjectRef {
  return namespace === undefined ? { name } : { name, namespace };
}

export function objectKey(kind: Pick<Kind, 'group' | 'plural' | 'namespaced'>, ref: ObjectRef): string {
  return keyPrefix(kind, kind.namespaced ? (ref.namespace ?? '') : undefined) + ref.name;
}
