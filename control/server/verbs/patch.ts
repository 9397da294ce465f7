import type { ObjectRef } from '../../../api/client/client.ts';
import type { Kind, KubeObject } from '../../../api/kinds/kind.ts';
import { applyPatch, type PlainPatchType } from './apply-patch.ts';
import { mutate } from './mutate.ts';
import { replaceWith } from './update.ts';
import type { VerbContext, WriteRequest } from './verb-context.ts';

export interface PatchRequest extends WriteRequest {
  readonly ref: ObjectRef;
  readonly type: PlainPatchType;
  readonly patch: unknown;
  readonly subresource?: 'status' | undefined;
}

/**
 * Applies the patch to what is stored and updates with the result; applied anew when somebody was faster. A patch that
 * names a resourceVersion is refused with 409 when that is not the stored one.
 */
export async function patchObject<T extends KubeObject>(
  context: VerbContext,
  kind: Kind<T>,
  request: PatchRequest,
): Promise<T> {
  const { ref, dryRun } = request;
  const decide = async (current: T) => {
    const input = applyPatch(request.type, current, request.patch, kind.schema);
    return await replaceWith(context, kind, current, { ...request, input, patched: request.patch });
  };
  return (await mutate(context, { kind, ref, decide, dryRun })).object;
}
