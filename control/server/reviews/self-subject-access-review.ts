import { type SelfSubjectAccessReview, selfSubjectAccessReviewSchema } from '../../../api/kinds/authorization.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { fieldInvalid } from '../../../api/meta/field-error.ts';
import type { Attributes } from '../authz/attributes.ts';
import { isAllowed } from '../authz/authorize.ts';
import { sendBody } from '../http/answer.ts';
import { createOnly, type Endpoint } from '../http/endpoint.ts';
import { questionIn } from './question.ts';

const REVIEW = {
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectAccessReview',
  schema: selfSubjectAccessReviewSchema,
};

/** `kubectl auth can-i`: asks the table that every request is asked of. */
export function selfSubjectAccessReviews(): Endpoint {
  return createOnly({ ...REVIEW, resource: 'selfsubjectaccessreviews', namespaced: false }, async (call) => {
    const review = questionIn(call, REVIEW);
    const allowed = isAllowed(call.user, attributesOf(review));
    const answer = {
      ...review,
      status: { allowed, ...(allowed ? {} : { reason: 'no group of the user has the right' }) },
    };
    sendBody(call.reply.code(201), answer, call.form().representation);
  });
}

function attributesOf({ spec }: SelfSubjectAccessReview): Attributes {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  if ((resource === undefined) === (path === undefined)) {
    const detail = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
    throw ApiError.invalid(REVIEW, '', [fieldInvalid('spec.resourceAttributes', resource ?? null, detail)]);
  }
  if (resource === undefined) return { type: 'path', verb: path?.verb ?? '', path: path?.path ?? '' };
  return {
    type: 'resource',
    verb: resource.verb ?? '',
    group: resource.group ?? '',
    resource: resource.resource ?? '',
    subresource: resource.subresource ?? '',
    namespace: resource.namespace ?? '',
    name: resource.name ?? '',
  };
}
