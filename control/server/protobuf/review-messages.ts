import { flag, type Message, message, optionalNumber, text, texts, time } from './message.ts';
import { objectMeta } from './meta-messages.ts';

/* k8s.io/api/authentication/v1 and authorization/v1: what kubectl's auth and create token send. */

const userInfo: Message = { 1: text('username'), 2: text('uid'), 3: texts('groups') };

export const selfSubjectReview: Message = {
  1: message('metadata', objectMeta),
  2: message('status', { 1: message('userInfo', userInfo) }),
};

const boundObjectReference: Message = { 1: text('kind'), 2: text('apiVersion'), 3: text('name'), 4: text('uid') };

export const tokenRequest: Message = {
  1: message('metadata', objectMeta),
  2: message('spec', {
    1: texts('audiences'),
    3: message('boundObjectRef', boundObjectReference),
    4: optionalNumber('expirationSeconds'),
  }),
  3: message('status', { 1: text('token'), 2: time('expirationTimestamp') }),
};

export const tokenReview: Message = {
  1: message('metadata', objectMeta),
  2: message('spec', { 1: text('token'), 2: texts('audiences') }),
  3: message('status', {
    1: flag('authenticated'),
    2: message('user', userInfo),
    3: text('error'),
    4: texts('audiences'),
  }),
};

const resourceAttributes: Message = {
  1: text('namespace'),
  2: text('verb'),
  3: text('group'),
  4: text('version'),
  5: text('resource'),
  6: text('subresource'),
  7: text('name'),
};

export const selfSubjectAccessReview: Message = {
  1: message('metadata', objectMeta),
  2: message('spec', {
    1: message('resourceAttributes', resourceAttributes),
    2: message('nonResourceAttributes', { 1: text('path'), 2: text('verb') }),
  }),
  3: message('status', { 1: flag('allowed'), 2: text('reason'), 3: text('evaluationError'), 4: flag('denied') }),
};
