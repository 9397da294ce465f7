import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namespaceKind } from '../../../api/kinds/namespace.ts';
import { LONG_AGO, type Said, stored } from '../testing/objects.ts';
import { decideNamespace } from './decide.ts';

const shop = (said: Said = {}) =>
  stored(namespaceKind, 'shop', { spec: { finalizers: ['kubernetes', 'example.com/x'] }, ...said });
const ending = { metadata: { deletionTimestamp: LONG_AGO } };

test('a namespace that lives gets its default account when it has none', () => {
  assert.equal(decideNamespace(shop(), { hasAccount: false, remains: [] }, LONG_AGO).type, 'create-account');
  assert.equal(decideNamespace(shop(), { hasAccount: true, remains: [] }, LONG_AGO).type, 'keep');
});

test('a namespace that ends waits for what is left, and says for what', () => {
  const remains = [{ resource: 'pods', count: 2, finalizers: ['example.com/hold'] }];
  const plan = decideNamespace(shop(ending), { hasAccount: false, remains }, LONG_AGO);
  assert.ok(plan.type === 'wait');
  assert.deepEqual(
    plan.namespace.status.conditions?.map(({ message }) => message),
    [
      'Some resources are remaining: pods has 2 resource instances',
      'Some content in the namespace has finalizers remaining: example.com/hold in 2 resource instances',
    ],
  );
});

test("an empty namespace that ends loses the finalizer of its content and keeps others'", () => {
  const plan = decideNamespace(shop(ending), { hasAccount: false, remains: [] }, LONG_AGO);
  assert.deepEqual(plan.type === 'finish' && plan.namespace.spec.finalizers, ['example.com/x']);
  const finished = shop({ ...ending, spec: { finalizers: ['example.com/x'] } });
  assert.equal(decideNamespace(finished, { hasAccount: false, remains: [] }, LONG_AGO).type, 'keep');
});
