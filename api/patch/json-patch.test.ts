import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createPatch } from 'rfc6902';
import { ApiError } from '../meta/api-error.ts';
import type { Json } from './json.ts';
import { applyJsonPatch } from './json-patch.ts';

// Most of the examples of RFC 6902, appendix A.
const CASES: readonly (readonly [what: string, before: Json, patch: readonly object[], after: Json])[] = [
  ['adds a member', { foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { foo: 'bar', baz: 'qux' }],
  ['adds an item', { a: [1, 3] }, [{ op: 'add', path: '/a/1', value: 2 }], { a: [1, 2, 3] }],
  ['adds at the end', { a: [1] }, [{ op: 'add', path: '/a/-', value: [2] }], { a: [1, [2]] }],
  ['adds where something is', { a: 1 }, [{ op: 'add', path: '/a', value: null }], { a: null }],
  ['removes a member', { a: 1, b: 2 }, [{ op: 'remove', path: '/a' }], { b: 2 }],
  ['removes an item', { a: [1, 2, 3] }, [{ op: 'remove', path: '/a/1' }], { a: [1, 3] }],
  ['replaces', { a: { b: 1 } }, [{ op: 'replace', path: '/a/b', value: 2 }], { a: { b: 2 } }],
  ['moves', { a: { b: 1 }, c: {} }, [{ op: 'move', from: '/a/b', path: '/c/d' }], { a: {}, c: { d: 1 } }],
  ['copies', { a: { b: [1] } }, [{ op: 'copy', from: '/a/b', path: '/c' }], { a: { b: [1] }, c: [1] }],
  ['tests', { a: [1, { b: 2 }] }, [{ op: 'test', path: '/a', value: [1, { b: 2 }] }], { a: [1, { b: 2 }] }],
  [
    'unescapes pointers',
    { 'a/b': 1, 'c~d': 2 },
    [
      { op: 'remove', path: '/a~1b' },
      { op: 'replace', path: '/c~0d', value: 3 },
    ],
    { 'c~d': 3 },
  ],
  [
    'goes step by step',
    {},
    [
      { op: 'add', path: '/a', value: {} },
      { op: 'add', path: '/a/b', value: 1 },
    ],
    { a: { b: 1 } },
  ],
  [
    'takes an annotation',
    { metadata: { annotations: { 'x.y/z': '1' } } },
    [{ op: 'remove', path: '/metadata/annotations/x.y~1z' }],
    { metadata: { annotations: {} } },
  ],
];

for (const [what, before, patch, after] of CASES) {
  test(`a JSON patch ${what}`, () => assert.deepEqual(applyJsonPatch(before, patch), after));
}

const REFUSED: readonly (readonly [what: string, patch: unknown, code: number])[] = [
  ['is no list', {}, 400],
  ['has an operation that is no object', [1], 400],
  ['has an unknown operation', [{ op: 'merge', path: '/a' }], 422],
  ['has no pointer', [{ op: 'remove' }], 400],
  ['has a pointer without a slash', [{ op: 'remove', path: 'a' }], 400],
  ['adds no value', [{ op: 'add', path: '/a' }], 400],
  ['removes what is not there', [{ op: 'remove', path: '/zzz' }], 422],
  ['replaces what is not there', [{ op: 'replace', path: '/zzz', value: 1 }], 422],
  ['adds below what is not there', [{ op: 'add', path: '/zzz/a', value: 1 }], 422],
  ['adds beyond the end', [{ op: 'add', path: '/list/9', value: 1 }], 422],
  ['replaces an index that is no number', [{ op: 'replace', path: '/list/0x', value: 1 }], 422],
  ['fails its test', [{ op: 'test', path: '/a', value: 2 }], 422],
  ['reads what every object inherits', [{ op: 'copy', from: '/toString', path: '/b' }], 422],
  ['names the prototype in a pointer', [{ op: 'add', path: '/__proto__/polluted', value: 1 }], 400],
  ['names the constructor in from', [{ op: 'copy', from: '/constructor/prototype', path: '/b' }], 400],
  [
    'names the prototype in a value',
    [{ op: 'add', path: '/b', value: JSON.parse('{"__proto__": {"polluted": 1}}') }],
    400,
  ],
  ['has too many operations', Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/a', value: 1 })), 413],
];

for (const [what, patch, code] of REFUSED) {
  test(`a JSON patch that ${what} is refused with ${code} and changes nothing`, () => {
    const document = { a: 1, list: [1] };
    assert.throws(
      () => applyJsonPatch(document, patch),
      (error) => error instanceof ApiError && error.code === code,
    );
    assert.deepEqual(document, { a: 1, list: [1] });
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });
}

test('a patch that the library made leads from one document to the other', () => {
  const document = fc.dictionary(fc.stringMatching(/^[a-z/~]{1,4}$/), fc.jsonValue({ maxDepth: 3 }), {
    noNullPrototype: true,
  });
  fc.assert(
    fc.property(document, document, (before, after) => {
      fc.pre(!/__proto__|constructor|prototype/.test(JSON.stringify([before, after])));
      // -0 is 0 in JSON.
      const [from, to] = JSON.parse(JSON.stringify([before, after])) as [Json, Json];
      assert.deepEqual(applyJsonPatch(from, createPatch(from, to)), to);
    }),
  );
});
