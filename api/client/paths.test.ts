import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deploymentKind } from '../kinds/deployment.ts';
import { nodeKind } from '../kinds/node.ts';
import { podKind } from '../kinds/pod.ts';
import { collectionPath, objectPath, withQuery, writeQuery } from './paths.ts';

test('paths are those of the Kubernetes API', () => {
  assert.equal(collectionPath(podKind), '/api/v1/pods');
  assert.equal(collectionPath(podKind, 'shop'), '/api/v1/namespaces/shop/pods');
  assert.equal(collectionPath(nodeKind, 'shop'), '/api/v1/nodes');
  assert.equal(
    objectPath(deploymentKind, { namespace: 'shop', name: 'web' }, 'status'),
    '/apis/apps/v1/namespaces/shop/deployments/web/status',
  );
  assert.equal(objectPath(nodeKind, { name: 'a/b' }), '/api/v1/nodes/a%2Fb');
});

test('an object without a name, or without its namespace, is a mistake of the caller', () => {
  assert.throws(() => objectPath(podKind, { namespace: 'shop', name: '' }), /name must not be empty/);
  assert.throws(() => objectPath(podKind, { name: 'web' }), /a namespace is needed/);
});

test('a query carries what is set', () => {
  assert.equal(withQuery('/x', { a: undefined, b: '' }), '/x');
  assert.equal(withQuery('/x', { a: 'b=c,d', watch: true }), '/x?a=b%3Dc%2Cd&watch=true');
  assert.deepEqual(writeQuery({}), { dryRun: undefined, fieldValidation: 'Strict', fieldManager: undefined });
  assert.equal(writeQuery({ dryRun: true }).dryRun, 'All');
});
