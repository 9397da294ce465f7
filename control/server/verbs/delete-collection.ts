import type { DeleteOptions } from '../../../api/client/client.ts';
import type { Kind, KubeObject } from '../../../api/kinds/kind.ts';
import { hasCode } from '../../../api/meta/api-error.ts';
import type { User } from '../authn/user.ts';
import { deleteObject } from './delete.ts';
import { listObjects, type ObjectList } from './list.ts';
import { refOf } from './object-key.ts';
import type { SelectionRequest } from './selection.ts';
import type { VerbContext } from './verb-context.ts';

export interface DeleteCollectionRequest extends SelectionRequest, Omit<DeleteOptions, 'preconditions'> {
  readonly user: User;
}

/** Deletes each selected object as DELETE would, and gives them as they were. */
export async function deleteCollection<T extends KubeObject>(
  context: VerbContext,
  kind: Kind<T>,
  request: DeleteCollectionRequest,
): Promise<ObjectList<T>> {
  const list = await listObjects(context, kind, request);
  for (const object of list.items) {
    try {
      await deleteObject(context, kind, { ...request, ref: refOf(object) });
    } catch (error) {
      // Gone since the list was made: what was wanted.
      if (!hasCode(error, 404)) throw error;
    }
  }
  return list;
}
