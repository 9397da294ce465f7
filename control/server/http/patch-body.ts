import type { PatchType } from '../../../api/client/client.ts';
import type { GroupVersionKind } from '../../../api/kinds/kind.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { fieldForbidden, fieldRequired } from '../../../api/meta/field-error.ts';
import type { FieldError } from '../../../api/meta/status.ts';
import { mediaType } from './body.ts';
import type { ApiCall } from './endpoint.ts';
import { isTrue } from './request-info.ts';
import { writeBody } from './write-body.ts';

/** By content type; the order is that of the OpenAPI document. */
export const PATCH_TYPES: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

export type PatchBody =
  | { readonly type: Exclude<PatchType, 'apply'>; readonly patch: unknown }
  | { readonly type: 'apply'; readonly config: unknown; readonly force: boolean };

/** Throws ApiError 415 for a type of patch that is not served. */
export function patchBody(call: ApiCall, kind: GroupVersionKind): PatchBody {
  const type = PATCH_TYPES[mediaType(call.request.headers['content-type'])];
  if (type === undefined) {
    throw ApiError.unsupportedMediaType(
      `the body of the request was in an unknown format - accepted media types include: ${Object.keys(PATCH_TYPES).join(', ')}`,
    );
  }
  const force = forced(call.query, type);
  const body = writeBody(call, kind);
  return type === 'apply' ? { type, config: body, force } : { type, patch: body };
}

/** ValidatePatchOptions: an apply says who it is, and only an apply can be forced. */
function forced(query: URLSearchParams, type: PatchType): boolean {
  const invalid = (errors: readonly FieldError[]): ApiError =>
    ApiError.invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', errors);
  if (type === 'apply' && !query.get('fieldManager')) {
    throw invalid([fieldRequired('fieldManager', 'is required for apply patch')]);
  }
  if (type !== 'apply' && query.has('force')) {
    throw invalid([fieldForbidden('force', 'may not be specified for non-apply patch')]);
  }
  return query.has('force') && isTrue(query.get('force'));
}
