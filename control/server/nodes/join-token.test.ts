import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Secret } from '../../../api/kinds/secret.ts';
import { joinTokenOf, judgeJoinToken, parseJoinToken } from './join-token.ts';

const NOW = Date.UTC(2030, 0, 1);
const TOKEN = { id: 'abcdef', secret: '0123456789abcdef' };

function stored(
  changes: Readonly<Record<string, string | undefined>> = {},
  type = 'bootstrap.kubernetes.io/token',
): Secret {
  const data = {
    'token-id': 'abcdef',
    'token-secret': '0123456789abcdef',
    'usage-bootstrap-authentication': 'true',
    expiration: '2030-01-02T00:00:00Z',
    ...changes,
  };
  const entries = Object.entries(data).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, Buffer.from(value).toString('base64')] as const],
  );
  return { metadata: { name: 'bootstrap-token-abcdef' }, type, data: Object.fromEntries(entries) } as unknown as Secret;
}

const UNKNOWN = /^join token "abcdef" is not known; list/;
const cases: readonly (readonly [what: string, Secret | undefined, refused?: RegExp])[] = [
  ['one that is good', stored()],
  ['one that never expires', stored({ expiration: undefined })],
  ['one that is not there', undefined, UNKNOWN],
  ['one with another secret', stored({ 'token-secret': '0123456789abcdeg' }), UNKNOWN],
  ['one with no secret', stored({ 'token-secret': undefined }), UNKNOWN],
  ['one whose Secret names another id', stored({ 'token-id': 'ghijkl' }), UNKNOWN],
  ['a Secret of another type', stored({}, 'Opaque'), UNKNOWN],
  [
    'one that has expired',
    stored({ expiration: '2029-12-31T23:59:59Z' }),
    /has expired at 2029-12-31T23:59:59Z; make another/,
  ],
  ['one that expires at no time', stored({ expiration: 'tomorrow' }), /has expired at tomorrow/],
  ['one for signing alone', stored({ 'usage-bootstrap-authentication': undefined }), /may not be used to authenticate/],
];
for (const [what, secret, refused] of cases) {
  test(`a join token: ${what} is ${refused === undefined ? 'taken' : 'refused'}`, () => {
    const verdict = judgeJoinToken(TOKEN, secret, NOW);
    assert.equal(verdict.ok, refused === undefined);
    if (!verdict.ok) assert.match(verdict.reason, refused ?? /^$/);
  });
}

test('a token gives no group but those of tokens', () => {
  const groups = 'system:bootstrappers:rack-4,system:masters,system:nodes';
  const verdict = judgeJoinToken(TOKEN, stored({ 'auth-extra-groups': groups }), NOW);
  assert.deepEqual(verdict.ok && verdict.extraGroups, ['system:bootstrappers:rack-4']);
});

test('only six and sixteen lower-case letters and digits are a token', () => {
  assert.deepEqual(parseJoinToken('abcdef.0123456789abcdef'), TOKEN);
  for (const text of [
    '',
    'abcdef',
    'abcdef.0123',
    'ABCDEF.0123456789abcdef',
    ' abcdef.0123456789abcdef',
    'abcdef.0123456789abcdef\n',
  ])
    assert.equal(parseJoinToken(text), undefined, JSON.stringify(text));
  assert.equal(joinTokenOf({ name: 'system:bootstrap:abcdef', groups: ['system:authenticated'] }), undefined);
});
