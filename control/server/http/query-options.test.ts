import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../../../api/meta/api-error.ts';
import { deleteOptions, listOptions, watchOptions, writeOptions } from './query-options.ts';

const query = (text: string) => new URLSearchParams(text);

test('a limit of 0 or below and an empty version are as if they were not there', () => {
  const { limit, resourceVersion } = listOptions(query('limit=0&resourceVersion='));
  assert.deepEqual([limit, resourceVersion, listOptions(query('limit=-1')).limit], [undefined, undefined, undefined]);
});

test('unless told, unknown fields are warned of, as kube-apiserver does', () => {
  assert.deepEqual(writeOptions(query(''), 'CreateOptions'), {
    dryRun: false,
    fieldValidation: 'Warn',
    fieldManager: undefined,
  });
  assert.deepEqual(writeOptions(query('dryRun=All&fieldValidation=Strict&fieldManager=me'), 'CreateOptions'), {
    dryRun: true,
    fieldValidation: 'Strict',
    fieldManager: 'me',
  });
});

test('options of a deletion come from the body, else from the query; a dry run from either', () => {
  assert.deepEqual(deleteOptions(query('gracePeriodSeconds=5&propagationPolicy=Orphan'), undefined), {
    gracePeriodSeconds: 5,
    propagationPolicy: 'Orphan',
    dryRun: false,
  });
  const body = { kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid: 'u' }, dryRun: ['All'] };
  assert.deepEqual(deleteOptions(query('gracePeriodSeconds=5'), body), {
    gracePeriodSeconds: 0,
    preconditions: { uid: 'u' },
    dryRun: true,
  });
  assert.equal(deleteOptions(query('dryRun=All'), {}).dryRun, true);
  assert.equal(deleteOptions(query('orphanDependents=true'), undefined).propagationPolicy, 'Orphan');
});

const refused: readonly (readonly [what: string, read: () => unknown, code: number])[] = [
  ['a limit that is no number', () => listOptions(query('limit=x')), 400],
  ['Exact without a version', () => listOptions(query('resourceVersionMatch=Exact')), 422],
  ['Exact at version 0', () => listOptions(query('resourceVersionMatch=Exact&resourceVersion=0')), 422],
  ['a match that is not known', () => listOptions(query('resourceVersionMatch=Near&resourceVersion=1')), 422],
  ['continue with a version', () => listOptions(query('continue=x&resourceVersion=1')), 400],
  ['initial events without NotOlderThan', () => watchOptions(query('sendInitialEvents=true')), 422],
  ['a match in a plain watch', () => watchOptions(query('resourceVersionMatch=NotOlderThan')), 422],
  ['a dry run of half', () => writeOptions(query('dryRun=Half'), 'CreateOptions'), 422],
  ['a validation that is not known', () => writeOptions(query('fieldValidation=Loose'), 'CreateOptions'), 422],
  [
    'two policies at once',
    () => deleteOptions(query(''), { orphanDependents: true, propagationPolicy: 'Orphan' }),
    422,
  ],
  ['a grace that is no number', () => deleteOptions(query(''), { gracePeriodSeconds: 'long' }), 400],
];

for (const [what, read, code] of refused) {
  test(`${what}: refused with ${code}`, () => {
    assert.throws(read, (error) => error instanceof ApiError && error.code === code);
  });
}
