import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../../../api/meta/api-error.ts';
import { ANONYMOUS, CONTROL_PLANE, type User } from '../authn/user.ts';
import type { Attributes } from './attributes.ts';
import { isAllowed, requireAllowed } from './authorize.ts';

const agent: User = { name: 'system:node:a', groups: ['system:nodes', 'system:authenticated'], extra: {} };
const workload: User = {
  name: 'system:serviceaccount:shop:web',
  groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
  extra: {},
};
const somebody: User = { name: 'jane', groups: ['system:authenticated'], extra: {} };

function resource(verb: string, name: string, group = ''): Extract<Attributes, { type: 'resource' }> {
  const [plural = '', subresource = ''] = name.split('/');
  return { type: 'resource', verb, group, resource: plural, subresource, namespace: 'shop', name: '' };
}

const path = (name: string, verb = 'get'): Attributes => ({ type: 'path', verb, path: name });

const joiner: User = {
  name: 'system:bootstrap:abcdef',
  groups: ['system:bootstrappers', 'system:authenticated'],
  extra: {},
};
const all = { administrator: CONTROL_PLANE, agent, workload, joiner, somebody, nobody: ANONYMOUS };

const cases: readonly (readonly [what: string, Attributes, may: readonly (keyof typeof all)[]])[] = [
  [
    'see that the server is well',
    path('/readyz'),
    ['administrator', 'agent', 'workload', 'joiner', 'somebody', 'nobody'],
  ],
  ['ask for the version', path('/version'), ['administrator', 'agent', 'workload', 'joiner', 'somebody', 'nobody']],
  ['discover', path('/apis/apps/v1'), ['administrator', 'agent', 'workload', 'joiner', 'somebody']],
  ['read the documents', path('/openapi/v3/api/v1'), ['administrator', 'agent', 'workload', 'joiner', 'somebody']],
  ['post to a path', path('/version', 'post'), ['administrator']],
  ['list pods', resource('list', 'pods'), ['administrator', 'agent']],
  ['watch secrets', resource('watch', 'secrets'), ['administrator', 'agent']],
  ['write secrets', resource('update', 'secrets'), ['administrator']],
  ['write the status of pods', resource('patch', 'pods/status'), ['administrator', 'agent']],
  ['delete pods', resource('delete', 'pods'), ['administrator', 'agent']],
  ['register nodes', resource('create', 'nodes'), ['administrator', 'agent']],
  ['delete namespaces', resource('delete', 'namespaces'), ['administrator']],
  ['deploy', resource('create', 'deployments', 'apps'), ['administrator']],
  ['renew leases', resource('update', 'leases', 'coordination.k8s.io'), ['administrator', 'agent']],
  ['report events', resource('create', 'events'), ['administrator', 'agent']],
  ['get tokens of accounts', resource('create', 'serviceaccounts/token'), ['administrator', 'agent']],
  [
    "ask for a node's certificate",
    resource('create', 'nodecertificaterequests', 'tutti.dev'),
    ['administrator', 'agent', 'joiner'],
  ],
  ['evict pods', resource('create', 'pods/eviction'), ['administrator']],
  [
    'read cluster-info',
    { ...resource('get', 'configmaps'), namespace: 'kube-public', name: 'cluster-info' },
    ['administrator', 'agent', 'workload', 'joiner', 'somebody', 'nobody'],
  ],
  [
    'read cluster-info elsewhere',
    { ...resource('get', 'configmaps'), name: 'cluster-info' },
    ['administrator', 'agent'],
  ],
  ['ask for an SVID', resource('create', 'svidrequests', 'tutti.dev'), ['administrator', 'workload']],
  [
    'ask who they are',
    resource('create', 'selfsubjectreviews', 'authentication.k8s.io'),
    ['administrator', 'agent', 'workload', 'joiner', 'somebody'],
  ],
  [
    'ask what they may',
    resource('create', 'selfsubjectaccessreviews', 'authorization.k8s.io'),
    ['administrator', 'agent', 'workload', 'joiner', 'somebody'],
  ],
];

for (const [what, attributes, may] of cases) {
  test(`who may ${what}: ${may.join(', ')}`, () => {
    const allowed = Object.entries(all).filter(([, user]) => isAllowed(user, attributes));
    assert.deepEqual(
      allowed.map(([name]) => name),
      may,
    );
  });
}

test('a refusal is said as kube-apiserver says it', () => {
  const message = (user: User, attributes: Attributes): string => {
    try {
      requireAllowed(user, attributes);
    } catch (error) {
      assert.ok(error instanceof ApiError && error.code === 403 && error.reason === 'Forbidden');
      return error.message;
    }
    return 'allowed';
  };
  assert.equal(
    message(somebody, resource('list', 'pods')),
    'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "shop"',
  );
  assert.equal(
    message(somebody, { ...resource('get', 'deployments/scale', 'apps'), namespace: '', name: 'web' }),
    'deployments.apps "web" is forbidden: User "jane" cannot get resource "deployments/scale" in API group "apps" at the cluster scope',
  );
  assert.equal(message(ANONYMOUS, path('/api')), 'forbidden: User "system:anonymous" cannot get path "/api"');
});
