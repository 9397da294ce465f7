import { tokenReviewSchema } from '../../../api/kinds/authentication.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { API_AUDIENCES } from '../authn/service-account-token.ts';
import type { TokenAuthenticator } from '../authn/token-authenticator.ts';
import { sendBody } from '../http/answer.ts';
import { createOnly, type Endpoint } from '../http/endpoint.ts';
import { questionIn } from './question.ts';
import { userInfo } from './self-subject-review.ts';

const REVIEW = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenReview', schema: tokenReviewSchema };

/** Tells a server that was shown a token whose it is. */
export function tokenReviews(tokens: TokenAuthenticator): Endpoint {
  return createOnly({ ...REVIEW, resource: 'tokenreviews', namespaced: false }, async (call) => {
    const review = questionIn(call, REVIEW);
    const { token = '', audiences = [] } = review.spec;
    if (token === '') throw ApiError.badRequest('token is required for TokenReview in authentication');
    const answer = await tokens.authenticate(token, audiences.length === 0 ? API_AUDIENCES : audiences);
    const status = answer.ok
      ? { authenticated: true, user: userInfo(answer.user), audiences: answer.audiences }
      : { user: {}, error: answer.reason };
    // The token itself is not sent back: who asks has it, and answers are logged.
    const { token: _, ...spec } = review.spec;
    sendBody(call.reply.code(201), { ...review, spec, status }, call.form().representation);
  });
}
