import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, hasCode, STALE_WRITE } from './api-error.ts';
import { fieldInvalid, fieldRequired } from './field-error.ts';

const deployments = { group: 'apps', plural: 'deployments' };
const pods = { group: '', plural: 'pods' };

// As kube-apiserver answers them.
const CASES: readonly (readonly [error: ApiError, code: number, reason: string, message: string])[] = [
  [ApiError.notFound(pods, 'web'), 404, 'NotFound', 'pods "web" not found'],
  [ApiError.notFound(deployments, 'web'), 404, 'NotFound', 'deployments.apps "web" not found'],
  [ApiError.alreadyExists(deployments, 'web'), 409, 'AlreadyExists', 'deployments.apps "web" already exists'],
  [
    ApiError.conflict(deployments, 'web', STALE_WRITE),
    409,
    'Conflict',
    'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply your changes to the latest version and try again',
  ],
  [
    ApiError.invalid({ group: 'apps', kind: 'Deployment' }, 'web', [fieldRequired('spec.selector')]),
    422,
    'Invalid',
    'Deployment.apps "web" is invalid: spec.selector: Required value',
  ],
  [
    ApiError.invalid({ group: '', kind: 'Pod' }, 'web', [fieldRequired('a'), fieldInvalid('b', 0, 'must be 1')]),
    422,
    'Invalid',
    'Pod "web" is invalid: [a: Required value, b: Invalid value: 0: must be 1]',
  ],
  [
    ApiError.forbidden(pods, 'web', 'User "x" cannot get resource "pods" in API group "" in the namespace "default"'),
    403,
    'Forbidden',
    'pods "web" is forbidden: User "x" cannot get resource "pods" in API group "" in the namespace "default"',
  ],
  [ApiError.unauthorized(), 401, 'Unauthorized', 'Unauthorized'],
  [ApiError.expired('too old resource version: 1 (5)'), 410, 'Expired', 'too old resource version: 1 (5)'],
  [ApiError.internal('broken'), 500, 'InternalError', 'Internal error occurred: broken'],
  [ApiError.tooManyRequests('slow down', 1), 429, 'TooManyRequests', 'slow down'],
];

for (const [error, code, reason, message] of CASES) {
  test(`${code} ${reason} reads as Kubernetes says it: ${message.slice(0, 60)}`, () => {
    assert.equal(error.code, code);
    assert.equal(error.reason, reason);
    assert.equal(error.message, message);
    assert.equal(error.status.status, 'Failure');
    assert.equal(hasCode(error, code), true);
    assert.equal(hasCode(new Error('other'), code), false);
  });
}

test('details name the resource, and the causes their fields', () => {
  assert.deepEqual(ApiError.notFound(deployments, 'web').status.details, {
    name: 'web',
    group: 'apps',
    kind: 'deployments',
  });
  const invalid = ApiError.invalid({ group: 'apps', kind: 'Deployment' }, 'web', [fieldRequired('spec.selector')]);
  assert.deepEqual(invalid.status.details, {
    name: 'web',
    group: 'apps',
    kind: 'Deployment',
    causes: [{ reason: 'FieldValueRequired', message: 'Required value', field: 'spec.selector' }],
  });
});
