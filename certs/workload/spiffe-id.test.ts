import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSpiffeId } from './spiffe-id.ts';

const accepted: readonly [string, string, string][] = [
  ['spiffe://tutti.local/ns/shop/sa/catalog', 'tutti.local', '/ns/shop/sa/catalog'],
  ['spiffe://tutti.local', 'tutti.local', ''],
  ['spiffe://a_b-c.1/X/y_z/..a/1.2', 'a_b-c.1', '/X/y_z/..a/1.2'],
  [`spiffe://td/${'x'.repeat(2048 - 12)}`, 'td', `/${'x'.repeat(2036)}`],
];
for (const [id, trustDomain, path] of accepted) {
  test(`${id.slice(0, 60)} is a SPIFFE id`, () => assert.deepEqual(parseSpiffeId(id), { trustDomain, path }));
}

const refused = [
  '',
  'spiffe://',
  'spiffe:///path',
  'https://tutti.local/ns/shop',
  'SPIFFE://tutti.local/a',
  'spiffe://Tutti.local/a',
  'spiffe://tutti.local:8443/a',
  'spiffe://user@tutti.local/a',
  'spiffe://tutti.local/',
  'spiffe://tutti.local/a/',
  'spiffe://tutti.local//a',
  'spiffe://tutti.local/a/../b',
  'spiffe://tutti.local/./b',
  'spiffe://tutti.local/a%20b',
  'spiffe://tutti.local/a?b',
  'spiffe://tutti.local/a#b',
  'spiffe://tutti.local/ü',
  'spiffe://tutti.local/a\n',
  ' spiffe://tutti.local/a',
  `spiffe://${'t'.repeat(256)}/a`,
  `spiffe://td/${'x'.repeat(2048)}`,
];
for (const id of refused) {
  test(`${JSON.stringify(id).slice(0, 60)} is no SPIFFE id`, () => assert.equal(parseSpiffeId(id), undefined));
}
