import type { PatchType } from '../../../api/client/client.ts';
import type { GroupVersionKind } from '../../../api/kinds/kind.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { mediaType } from './body.ts';
import type { ApiCall } from './endpoint.ts';
import { writeBody } from './write-body.ts';

/** By content type; the order is that of the OpenAPI document. */
export const PATCH_TYPES: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
};

export interface PatchBody {
  readonly type: PatchType;
  readonly patch: unknown;
}

/** Throws ApiError 415 for a type of patch that is not served. */
export function patchBody(call: ApiCall, kind: GroupVersionKind): PatchBody {
  const type = PATCH_TYPES[mediaType(call.request.headers['content-type'])];
  if (type === undefined) {
    throw ApiError.unsupportedMediaType(
      `the body of the request was in an unknown format - accepted media types include: ${Object.keys(PATCH_TYPES).join(', ')}`,
    );
  }
  return { type, patch: writeBody(call, kind) };
}
