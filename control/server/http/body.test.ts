import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ApiError } from '../../../api/meta/api-error.ts';
import { parseBody } from './body.ts';
import { duplicateFields } from './duplicate-fields.ts';

const parse = (text: string, type?: string) => parseBody(Buffer.from(text), type);

test('JSON, and YAML where it is named, are read', () => {
  assert.deepEqual(parse('{"a":[1,"x"]}').value, { a: [1, 'x'] });
  assert.deepEqual(parse('{"a":1}', 'application/json; charset=utf-8').value, { a: 1 });
  assert.deepEqual(parse('a: [1, x]\nb: &x {c: d}\ne: *x\n', 'application/yaml').value, {
    a: [1, 'x'],
    b: { c: 'd' },
    e: { c: 'd' },
  });
});

test('fields that are given twice are told, with where they are', () => {
  assert.deepEqual(duplicateFields('{"a":1,"b":{"c":[{"d":1,"d":2}],"c":3},"a":2}'), ['b.c[0].d', 'b.c', 'a']);
  assert.deepEqual(duplicateFields('{"a\\u0062":1,"ab":{},"x":"\\"ab\\":"}'), ['ab']);
  assert.deepEqual(duplicateFields('[{"a":1},{"a":1}]'), []);
  assert.deepEqual(parse('a: 1\nb: 2\na: 3\n', 'application/yaml').duplicates, ['line 3']);
});

test('no field of a document that JSON.stringify wrote is told twice', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.deepEqual(duplicateFields(JSON.stringify(value)), []);
    }),
  );
});

const bombs = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const laughs = `x0: &x0 [lol]\n${bombs.map((_, at) => `x${at + 1}: &x${at + 1} [${`*x${at},`.repeat(9)}*x${at}]`).join('\n')}`;

const refused: readonly (readonly [what: string, body: Buffer | string, type: string, code: number])[] = [
  ['broken JSON', '{"a":', '', 400],
  ['two documents', '{} {}', '', 400],
  ['broken YAML', 'a: [1', 'application/yaml', 400],
  ['YAML of many aliases', laughs, 'application/yaml', 400],
  ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), '', 400],
  ['a field that is a prototype', '{"metadata":{"__proto__":{"admin":true}}}', '', 400],
  ['a field that is a prototype, escaped', '{"\\u005f_proto__":1}', '', 400],
  ['a field that is a prototype, in YAML', '__proto__: {a: 1}', 'application/yaml', 400],
  ['brackets without end', '['.repeat(100_000) + ']'.repeat(100_000), '', 400],
  ['YAML brackets without end', '['.repeat(5000), 'application/yaml', 400],
  ['protobuf that is none', 'k8s', 'application/vnd.kubernetes.protobuf', 400],
  ['a form', 'a=b', 'application/x-www-form-urlencoded', 415],
];

for (const [what, body, type, code] of refused) {
  test(`${what}: refused with ${code}`, () => {
    assert.throws(
      () => parseBody(Buffer.from(body as string), type),
      (error) => error instanceof ApiError && error.code === code,
    );
  });
}

test('any bytes are read or refused, as JSON, YAML and protobuf, and nothing else happens', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom('application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'),
      fc.boolean(),
      (bytes, type, magic) => {
        const body = magic ? Buffer.concat([Buffer.from('k8s\0'), bytes]) : Buffer.from(bytes);
        try {
          parseBody(body, type);
        } catch (error) {
          assert.ok(error instanceof ApiError && (error.code === 400 || error.code === 415), String(error));
        }
        assert.equal(({} as Record<string, unknown>)['admin'], undefined);
      },
    ),
    { numRuns: 1000 },
  );
});
