import { selfSubjectReviewSchema, type UserInfo } from '../../../api/kinds/authentication.ts';
import { type Clock, timestamp } from '../../../kit/clock.ts';
import type { User } from '../authn/user.ts';
import { sendBody } from '../http/answer.ts';
import { createOnly, type Endpoint } from '../http/endpoint.ts';
import { questionIn } from './question.ts';

const REVIEW = {
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectReview',
  schema: selfSubjectReviewSchema,
};

/** `kubectl auth whoami`: tells the caller who it is taken for. */
export function selfSubjectReviews(clock: Clock): Endpoint {
  return createOnly({ ...REVIEW, resource: 'selfsubjectreviews', namespaced: false }, async (call) => {
    const review = questionIn(call, REVIEW);
    const metadata = { creationTimestamp: timestamp(clock.now()) };
    const answer = { ...review, metadata, status: { userInfo: userInfo(call.user) } };
    sendBody(call.reply.code(201), answer, call.form().representation);
  });
}

export function userInfo({ name, uid, groups, extra }: User): UserInfo {
  return {
    username: name,
    ...(uid === undefined ? {} : { uid }),
    groups: [...groups],
    ...(Object.keys(extra).length === 0
      ? {}
      : { extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])) }),
  };
}
