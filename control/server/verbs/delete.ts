import type { DeleteOptions, ObjectRef } from '../../../api/client/client.ts';
import type { Kind, KubeObject } from '../../../api/kinds/kind.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { refuseForeignNode } from '../admission/node-restriction.ts';
import type { User } from '../authn/user.ts';
import { checkPreconditions, decideDeletion } from './deletion.ts';
import { type Mutated, mutate, type Outcome } from './mutate.ts';
import type { VerbContext } from './verb-context.ts';

export interface DeleteRequest extends DeleteOptions {
  readonly user: User;
  readonly ref: ObjectRef;
}

/** Namespaces that everything else leans on (NamespaceLifecycle admission). */
const IMMORTAL = ['default', 'kube-system', 'kube-public'];

/** Removes the object, or marks it for whoever holds it: `removed` tells which. Throws ApiError 404, 409 or 403. */
export async function deleteObject<T extends KubeObject>(
  context: VerbContext,
  kind: Kind<T>,
  request: DeleteRequest,
): Promise<Mutated<T>> {
  const { ref, user, dryRun = false } = request;
  if (kind.group === '' && kind.kind === 'Namespace' && IMMORTAL.includes(ref.name)) {
    throw ApiError.forbidden(kind, ref.name, 'this namespace may not be deleted');
  }
  const decide = (current: T): Outcome<T> => {
    checkPreconditions(kind, current.metadata, request.preconditions);
    refuseForeignNode({ kind, object: current, old: current, user });
    const deletion = decideDeletion(kind, current, request, context.clock.now());
    switch (deletion.type) {
      case 'remove':
        return deletion;
      case 'mark':
        return { type: 'put', object: deletion.object };
      case 'pending':
        return { type: 'keep' };
      default:
        return deletion satisfies never;
    }
  };
  const deleted = await mutate(context, { kind, ref, decide, dryRun });
  const { object, revision } = deleted;
  if (revision === undefined) return deleted;
  return { ...deleted, object: { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } } };
}
