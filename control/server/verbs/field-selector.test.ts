import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { podKind } from '../../../api/kinds/pod.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { fieldMatcher, parseFieldSelector } from './field-selector.ts';

test('a field selector has terms with =, == and !=, and commas between', () => {
  assert.deepEqual(parseFieldSelector('metadata.name=web,status.phase!=Running,spec.nodeName==a'), [
    { field: 'metadata.name', operator: '=', value: 'web' },
    { field: 'status.phase', operator: '!=', value: 'Running' },
    { field: 'spec.nodeName', operator: '=', value: 'a' },
  ]);
  assert.deepEqual(parseFieldSelector(''), []);
  assert.deepEqual(parseFieldSelector('spec.nodeName='), [{ field: 'spec.nodeName', operator: '=', value: '' }]);
});

test('what is no field selector is refused with 400', () => {
  for (const text of ['metadata.name', 'a=b=c', 'a!b', 'a=b\\x', '\\']) {
    assert.throws(
      () => parseFieldSelector(text),
      (error) => error instanceof ApiError && error.code === 400,
      text,
    );
  }
});

test('a value comes back whatever characters it has, when commas, equals and backslashes are escaped', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 4 }), (values) => {
      const text = values.map((value) => `f=${value.replace(/[\\,=]/g, '\\$&')}`).join(',');
      assert.deepEqual(
        parseFieldSelector(text).map(({ value }) => value),
        values,
      );
    }),
  );
});

test('only fields that the kind names can be selected by, and nothing that it inherits', () => {
  for (const field of ['spec.image', 'toString', 'constructor', '__proto__']) {
    assert.throws(
      () => fieldMatcher(podKind, [{ field, operator: '=', value: '' }]),
      (error) => error instanceof ApiError && error.message === `field label not supported: ${field}`,
    );
  }
});
