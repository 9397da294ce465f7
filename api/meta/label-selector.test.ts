import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ApiError } from './api-error.ts';
import {
  formatLabelSelector,
  formatRequirements,
  type LabelRequirement,
  matchesRequirements,
  matchesSelector,
} from './label-selector.ts';
import { parseLabelSelector } from './parse-label-selector.ts';

const CASES: readonly (readonly [selector: string, labels: Record<string, string>, matches: boolean])[] = [
  ['', { a: 'b' }, true],
  ['a=b', { a: 'b' }, true],
  ['a==b', { a: 'b' }, true],
  ['a = b', { a: 'b' }, true],
  ['a=b', { a: 'c' }, false],
  ['a=b', {}, false],
  ['a=', { a: '' }, true],
  ['a=,b', { a: '', b: 'x' }, true],
  ['a!=b', { a: 'c' }, true],
  ['a!=b', {}, true],
  ['a!=b', { a: 'b' }, false],
  ['a in (b,c)', { a: 'c' }, true],
  ['a in (b, c)', { a: 'd' }, false],
  ['a in ()', { a: '' }, true],
  ['a notin (b,c)', { a: 'd' }, true],
  ['a notin (b,c)', {}, true],
  ['a notin (b,c)', { a: 'b' }, false],
  ['a', { a: '' }, true],
  ['a', {}, false],
  ['!a', {}, true],
  ['!a', { a: 'x' }, false],
  ['a>5', { a: '6' }, true],
  ['a>5', { a: '5' }, false],
  ['a<5', { a: '4' }, true],
  ['a<5', { a: 'few' }, false],
  ['app.example/x in (y),tier!=db,!old', { 'app.example/x': 'y' }, true],
  ['app.example/x in (y),tier!=db,!old', { 'app.example/x': 'y', old: '1' }, false],
];

for (const [selector, labels, matches] of CASES) {
  test(`the selector '${selector}' ${matches ? 'matches' : 'does not match'} ${JSON.stringify(labels)}`, () => {
    assert.equal(matchesRequirements(parseLabelSelector(selector), labels), matches);
  });
}

const BROKEN: Readonly<Record<string, RegExp>> = {
  'a b': /found 'b', expected: in, notin, =, ==, !=, gt, lt/,
  'a in b': /found 'b' expected: '\('/,
  'a in (b': /found '', expected: ',' or '\)'/,
  'a in (b c)': /found 'c', expected: ',' or '\)'/,
  'a,': /found '', expected: identifier after ','/,
  ',a': /found ',', expected: !, identifier, or 'end of string'/,
  '=b': /found '=', expected: !, identifier, or 'end of string'/,
  '!': /found '', expected: identifier/,
  'a=b=c': /found '=', expected: ',' or 'end of string'/,
  'a in (b) c': /found 'c', expected: ',' or 'end of string'/,
  'a>x': /values\[0\]: Invalid value: "x"/,
  'a=b!': /found '!'/,
  'a==(': /found '\(', expected: identifier/,
  '-a': /Invalid value: "-a": name part/,
  'a=-b': /values\[0\]\[a\]: Invalid value: "-b": a valid label/,
  'a=b,,c': /found ',', expected: identifier after ','/,
  'a constructor b': /found 'constructor'/,
};

for (const [text, words] of Object.entries(BROKEN)) {
  test(`'${text}' is no selector: a 400 in the words of Kubernetes`, () => {
    assert.throws(
      () => parseLabelSelector(text),
      (error) => error instanceof ApiError && error.code === 400 && words.test(error.message),
    );
  });
}

test('a missing selector matches nothing, an empty one everything', () => {
  assert.equal(matchesSelector(undefined, { a: 'b' }), false);
  assert.equal(matchesSelector({}, undefined), true);
  assert.equal(matchesSelector({ matchLabels: { a: 'b' } }, { a: 'b', c: 'd' }), true);
  const none = { matchExpressions: [{ key: 'a', operator: 'DoesNotExist' as const }] };
  assert.equal(matchesSelector(none, { a: 'b' }), false);
});

test('a selector reads as kubectl shows it', () => {
  assert.equal(formatLabelSelector(undefined), '<none>');
  assert.equal(formatLabelSelector({}), '<none>');
  const selector = {
    matchLabels: { b: '2', a: '1' },
    matchExpressions: [{ key: 'c', operator: 'In' as const, values: ['x', 'y'] }],
  };
  assert.equal(formatLabelSelector(selector), 'a=1,b=2,c in (x,y)');
});

test('a selector that is written out reads back as the same requirements', () => {
  const key = fc.constantFrom('a', 'b.example/c', 'd-e_f');
  const value = fc.constantFrom('', 'x', '1', 'y.z');
  const values = fc.uniqueArray(value, { minLength: 1, maxLength: 3 }).map((list) => list.sort());
  const requirement: fc.Arbitrary<LabelRequirement> = fc.oneof(
    fc.record({ key, operator: fc.constantFrom('In' as const, 'NotIn' as const), values }),
    fc.record({ key, operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const), values: fc.constant([]) }),
    fc.record({ key, operator: fc.constantFrom('Gt' as const, 'Lt' as const), values: fc.constant(['5']) }),
  );
  const labels = fc.dictionary(key, value);
  fc.assert(
    fc.property(fc.uniqueArray(requirement, { selector: (each) => each.key }), labels, (requirements, object) => {
      const again = parseLabelSelector(formatRequirements(requirements));
      const sorted = requirements.map((each) => ({ ...each })).sort((left, right) => (left.key < right.key ? -1 : 1));
      assert.deepEqual(again, sorted);
      assert.equal(matchesRequirements(again, object), matchesRequirements(requirements, object));
    }),
  );
});
