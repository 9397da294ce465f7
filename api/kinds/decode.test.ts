import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMapKind } from './config-map.ts';
import { decode } from './decode.ts';
import { deploymentKind } from './deployment.ts';

const map = (more: object): unknown => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, ...more });

test('unknown fields are told and dropped, wherever they are', () => {
  const decoded = decode(deploymentKind.schema, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'a', colour: 'red' },
    spec: {
      selector: {},
      size: 1,
      template: { spec: { containers: [{ name: 'app', image: 'x', imag: 'y' }] } },
    },
  });
  assert.ok(decoded.ok);
  assert.deepEqual(decoded.unknown.map(({ message }) => message).sort(), [
    'unknown field "metadata.colour"',
    'unknown field "spec.size"',
    'unknown field "spec.template.spec.containers[0].imag"',
  ]);
  assert.equal('size' in decoded.object.spec, false);
  assert.equal('imag' in (decoded.object.spec.template.spec.containers[0] ?? {}), false);
});

test('errors come with the unknown fields beside them', () => {
  const decoded = decode(configMapKind.schema, map({ data: { a: 1 }, size: 2 }));
  assert.equal(decoded.ok, false);
  assert.deepEqual(
    decoded.unknown.map(({ field }) => field),
    ['size'],
  );
  assert.deepEqual(decoded.ok ? [] : decoded.errors.map(({ field }) => field), ['data.a']);
});

test('what is no object at all is an error', () => {
  for (const input of [undefined, null, 1, 'text', [], {}]) assert.equal(decode(configMapKind.schema, input).ok, false);
});

test('a hostile field name is an unknown field like any other', () => {
  const decoded = decode(
    configMapKind.schema,
    JSON.parse('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"__proto__":{"x":1}}'),
  );
  assert.ok(decoded.ok);
  assert.deepEqual(
    decoded.unknown.map(({ field }) => field),
    ['__proto__'],
  );
  assert.equal((decoded.object as unknown as { x?: number }).x, undefined);
});
