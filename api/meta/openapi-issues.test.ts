import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { openApiIssues, withUnchecked } from './openapi-issues.ts';

const schema = z.strictObject({
  spec: z.strictObject({
    name: z
      .string()
      .min(2)
      .max(4)
      .regex(/^[a-z]*\/?$/)
      .optional(),
    port: z.int().min(1).max(9).optional(),
    mode: z.enum(['A', 'B']).optional(),
    list: z.array(z.string()).min(1).max(2).optional(),
    wanted: z.string(),
  }),
});

const cases: readonly (readonly [what: string, spec: object, told: readonly string[]])[] = [
  ['what is missing', { wanted: undefined }, ['spec.wanted: Required value']],
  [
    'another type',
    { port: 'x' },
    ['spec.port: Invalid value: "string": spec.port in body must be of type integer: "string"'],
  ],
  [
    'a text that is too short, and of no form either',
    { name: 'A' },
    ['spec.name: Invalid value: "A": spec.name in body should be at least 2 chars long'],
  ],
  ['a text that is too long', { name: 'abcde' }, ['spec.name: Too long: may not be more than 4 bytes']],
  [
    'a text of another form',
    { name: 'AB' },
    ['spec.name: Invalid value: "AB": spec.name in body should match \'^[a-z]*\\/?$\''],
  ],
  [
    'a number out of bounds',
    { port: 10 },
    ['spec.port: Invalid value: 10: spec.port in body should be less than or equal to 9'],
  ],
  ['a value that is none', { mode: 'C' }, ['spec.mode: Unsupported value: "C": supported values: "A", "B"']],
  ['too few items', { list: [] }, ['spec.list: Invalid value: 0: spec.list in body should have at least 1 items']],
  ['too many items', { list: ['a', 'b', 'c'] }, ['spec.list: Too many: 3: must have at most 2 items']],
];

for (const [what, more, told] of cases) {
  test(`of a custom kind ${what} is told as Kubernetes tells it`, () => {
    const document = { spec: { wanted: 'x', ...more } };
    const { error } = schema.safeParse(document);
    const errors = openApiIssues(error?.issues ?? [], document);
    assert.deepEqual(
      errors.map(({ field, message }) => `${field}: ${message}`),
      told,
    );
  });
}

test('after an error of shape it is said that some rules were not tried', () => {
  const required = { type: 'FieldValueRequired', field: 'spec', message: 'Required value' } as const;
  assert.equal(withUnchecked([required]).at(-1)?.field, '<nil>');
  const invalid = { type: 'FieldValueInvalid', field: 'spec', message: 'Invalid value: 1: no' } as const;
  assert.deepEqual(withUnchecked([invalid]), [invalid]);
});
