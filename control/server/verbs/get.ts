import type { ObjectRef } from '../../../api/client/client.ts';
import type { Kind, KubeObject } from '../../../api/kinds/kind.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import type { VerbContext } from './verb-context.ts';

/** Throws ApiError 404 when it is not there. */
export async function getObject<T extends KubeObject>(
  { objects, live }: VerbContext,
  kind: Kind<T>,
  ref: ObjectRef,
): Promise<T> {
  const source = live.find(kind);
  const found =
    source === undefined
      ? await objects.get(kind, ref)
      : (await source.list(ref.namespace)).find(({ metadata }) => metadata.name === ref.name);
  if (found === undefined) throw ApiError.notFound(kind, ref.name);
  return found;
}
