import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  configKey,
  dns1035Label,
  dnsLabel,
  dnsSubdomain,
  environmentName,
  ipAddress,
  labelValue,
  type NameRule,
  pathSegment,
  portName,
  portNumber,
  qualifiedName,
} from './names.ts';

const RULES: readonly (readonly [name: string, rule: NameRule, good: readonly string[], bad: readonly string[]])[] = [
  ['DNS label', dnsLabel, ['a', '1', 'my-name', 'a'.repeat(63)], ['', 'A', '-a', 'a-', 'a.b', 'a_b', 'a'.repeat(64)]],
  ['DNS subdomain', dnsSubdomain, ['a', 'a.b-c.d', '1.2'], ['', 'a..b', '.a', 'a.', 'A', 'a'.repeat(254)]],
  ['RFC 1035 label', dns1035Label, ['a', 'web-1'], ['', '1a', 'a.b', 'a-']],
  ['label value', labelValue, ['', 'a', 'A_b.c', '12345'], ['-a', 'a-', 'a b', 'a/b', 'a'.repeat(64)]],
  ['qualified name', qualifiedName, ['a', 'a.b/C_d', 'x-y.z'], ['', '/a', 'a/', 'a/b/c', 'A/b', '-a', 'a'.repeat(64)]],
  ['config key', configKey, ['a', 'a.b_c-D', '.hidden'], ['', 'a/b', '.', '..', '..a', 'a b']],
  ['environment name', environmentName, ['PATH', 'my.var', '1st'], ['', 'a=b', 'é']],
  [
    'IP address',
    ipAddress,
    ['10.9.8.7', '::', '2001:db8::ffff', '::ffff:10.1.2.3', '1:2:3:4:5:6:7:8'],
    ['', '10.1.2', '10.1.2.256', '010.1.2.3', '1::2::3', '1:2:3:4:5:6:7', ':1', '12345::', 'localhost'],
  ],
  ['path segment', pathSegment, ['web.17f2', 'Upper', '-a', 'x y'], ['.', '..', 'a/b', 'a%2fb']],
  ['port name', portName, ['http', 'a1', '1a'], ['', '8080', 'a--b', '-a', 'a-', 'Http', 'a'.repeat(16)]],
];

for (const [name, rule, good, bad] of RULES) {
  test(`the rule for a ${name} takes what Kubernetes takes and says what is wrong with the rest`, () => {
    for (const text of good) assert.deepEqual(rule(text), [], JSON.stringify(text));
    for (const text of bad) assert.match(rule(text)[0] ?? 'accepted', /must|part|may not/, JSON.stringify(text));
  });
}

test('ports are from 1 to 65535', () => {
  assert.deepEqual(portNumber(1), []);
  assert.deepEqual(portNumber(65_535), []);
  for (const port of [0, -1, 65_536, 1.5])
    assert.deepEqual(portNumber(port), ['must be between 1 and 65535, inclusive']);
});

test('all that is wrong with a name is told, in the order of Kubernetes', () => {
  assert.deepEqual(portName('UPPER'), [
    'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
    'must contain at least one letter (a-z)',
  ]);
  assert.deepEqual(dnsLabel('a.b'), ['must not contain dots']);
  assert.deepEqual(configKey('..'), ["must not be '..'"]);
  assert.equal(qualifiedName('/')[1], 'name part must be non-empty');
});
