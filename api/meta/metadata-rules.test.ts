import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validateMetadata } from './metadata-rules.ts';
import { dnsSubdomain } from './names.ts';
import type { ObjectMeta } from './object-meta.ts';

const rules = { nameRule: dnsSubdomain, namespaced: true, qualifiedFinalizers: true };
const good: ObjectMeta = {
  name: 'web',
  namespace: 'shop',
  uid: 'u1',
  resourceVersion: '1',
  creationTimestamp: '2030-01-01T00:00:00Z',
};

const owner = { apiVersion: 'v1', kind: 'Pod', name: 'a', uid: '1', controller: true };
const CASES: readonly (readonly [what: string, change: Partial<ObjectMeta>, field: string])[] = [
  ['no name', { name: '' }, 'metadata.name'],
  ['a name with capitals', { name: 'Web' }, 'metadata.name'],
  ['no namespace', { namespace: '' }, 'metadata.namespace'],
  ['a namespace with a dot', { namespace: 'a.b' }, 'metadata.namespace'],
  ['a bad label key', { labels: { 'a b': 'c' } }, 'metadata.labels'],
  ['a bad label value', { labels: { a: 'b c' } }, 'metadata.labels'],
  ['a bad annotation key', { annotations: { 'a b': 'any thing' } }, 'metadata.annotations'],
  ['annotations beyond 256 KiB', { annotations: { a: 'x'.repeat(262_144) } }, 'metadata.annotations'],
  ['two controllers', { ownerReferences: [owner, { ...owner, uid: '2' }] }, 'metadata.ownerReferences'],
  ['a bad finalizer', { finalizers: ['a b'] }, 'metadata.finalizers'],
];

test('good metadata has no errors', () => {
  assert.deepEqual(validateMetadata({ ...good, annotations: { 'Example.com/A': '{}' } }, undefined, rules), []);
});

for (const [what, change, field] of CASES) {
  test(`${what} is refused at ${field}`, () => {
    assert.deepEqual(
      validateMetadata({ ...good, ...change }, undefined, rules).map((error) => error.field),
      [field],
    );
  });
}

test('a cluster-scoped object must not name a namespace', () => {
  const [error] = validateMetadata(good, undefined, { ...rules, namespaced: false });
  assert.equal(error?.message, 'Forbidden: not allowed on this type');
});

test('name, namespace, uid and creation time are set once', () => {
  const changed = { ...good, name: 'b', namespace: 'c', uid: 'u2', creationTimestamp: '2030-01-02T00:00:00Z' };
  assert.deepEqual(
    validateMetadata(changed, good, rules).map(({ field, message }) => [field, message.includes('field is immutable')]),
    [
      ['metadata.name', true],
      ['metadata.namespace', true],
      ['metadata.uid', true],
      ['metadata.creationTimestamp', true],
    ],
  );
});
