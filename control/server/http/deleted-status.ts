import type { Kind } from '../../../api/kinds/kind.ts';
import type { ObjectMeta } from '../../../api/meta/object-meta.ts';

/** The answer to a DELETE that left nothing behind (registry/generic/registry/store.go, finalizeDelete). */
export function deletedStatus({ group, plural }: Pick<Kind, 'group' | 'plural'>, { name, uid }: ObjectMeta): object {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, ...(group === '' ? {} : { group }), kind: plural, uid },
  };
}
