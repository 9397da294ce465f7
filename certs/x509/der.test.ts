import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  bits,
  bytesOf,
  type Der,
  DerError,
  decode,
  encode,
  integer,
  isTrue,
  itemsOf,
  octets,
  oid,
  oidOf,
  sequence,
  set,
  setBitsOf,
  smallInteger,
  tagged,
  time,
  utf8,
  wrapped,
} from './der.ts';
import {
  altNames,
  authorityConstraints,
  type KeyUsage,
  keyUsage,
  leafConstraints,
  readExtensions,
} from './extensions.ts';
import { fromPem, toPem } from './pem.ts';

// Written by hand from X.690.
const written: readonly [string, Der, string][] = [
  ['an empty sequence', sequence(), '3000'],
  ['a set of TRUE', set(isTrue()), '31030101ff'],
  ['an OID', oid('2.5.29.17'), '0603551d11'],
  ['an OID of large arcs', oid('1.2.840.113549.1.9.14'), '06092a864886f70d01090e'],
  ['a small integer', smallInteger(2), '020102'],
  ['a large integer', integer(Buffer.from('00ff01', 'hex')), '020300ff01'],
  ['octets', octets(Buffer.of(1, 2)), '04020102'],
  ['bits', bits(Buffer.of(0x80), 7), '03020780'],
  ['text', utf8('ü'), '0c02c3bc'],
  ['a tagged value', tagged(6, Buffer.from('a')), '860161'],
  ['a wrapped value', wrapped(3, smallInteger(1)), 'a303020101'],
  ['a time before 2050', time(Date.UTC(2049, 11, 31, 23, 59, 59, 999)), '170d3439313233313233353935395a'],
  ['a time from 2050', time(Date.UTC(2050, 0, 1)), '180f32303530303130313030303030305a'],
  ['a length of two bytes', octets(Buffer.alloc(300)), `0482012c${'00'.repeat(300)}`],
];
for (const [name, node, hex] of written) {
  test(`${name} is written as X.690 says, and read back the same`, () => {
    assert.equal(encode(node).toString('hex'), hex);
    assert.equal(encode(decode(Buffer.from(hex, 'hex'))).toString('hex'), hex);
  });
}

/** A sequence in a sequence in … */
function nested(depth: number): Der {
  return depth === 0 ? sequence() : sequence(nested(depth - 1));
}

const refused: readonly [string, string][] = [
  ['nothing', ''],
  ['a value cut short', '3003020'],
  ['bytes behind a value', '30000500'],
  ['a length longer than need be', '04810161'],
  ['a length without end', '3080020101'],
  ['an integer longer than need be', '02020001'],
  ['values nested too deep', encode(nested(40)).toString('hex')],
];
for (const [name, hex] of refused) {
  test(`${name} is no DER`, () => assert.throws(() => decode(Buffer.from(hex, 'hex')), DerError));
}

test('whatever the bytes, reading them gives a value that is written the same, or DerError', () => {
  const plausible = fc
    .tuple(fc.constantFrom(0x30, 0x31, 0x02, 0x03, 0x04, 0x06, 0x1e, 0xa0, 0x80), fc.uint8Array({ maxLength: 60 }))
    .map(([tag, content]) => Uint8Array.of(tag, content.length, ...content));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), plausible), (bytes) => {
      try {
        assert.deepEqual(encode(decode(bytes)), Buffer.from(bytes));
      } catch (error) {
        assert.ok(error instanceof DerError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

test('whatever the tree, reading it as extensions gives extensions or DerError', () => {
  const leafNode = fc.oneof(
    fc.constantFrom('2.5.29.15', '2.5.29.17', '2.5.29.19', '2.5.29.37', '1.2.3').map(oid),
    fc.uint8Array({ maxLength: 12 }).map((bytes) => octets(bytes)),
    fc.uint8Array({ minLength: 1, maxLength: 5 }).map((bytes) => integer(bytes)),
    fc.constant(isTrue()),
  );
  const item = fc.array(leafNode, { maxLength: 4 }).map((items) => sequence(...items));
  const inner = fc.oneof(item, leafNode);
  const real = fc
    .tuple(fc.constantFrom('2.5.29.14', '2.5.29.15', '2.5.29.17', '2.5.29.19', '2.5.29.35', '2.5.29.37'), inner)
    .map(([id, value]) => sequence(oid(id), octets(encode(value))));
  fc.assert(
    fc.property(fc.array(fc.oneof(item, real), { maxLength: 4 }), (items) => {
      try {
        readExtensions(sequence(...items));
      } catch (error) {
        assert.ok(error instanceof DerError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

test('values of another type than expected are refused', () => {
  assert.throws(() => itemsOf(octets(Buffer.alloc(0)), 'SEQUENCE'), DerError);
  assert.throws(() => itemsOf(sequence()), DerError);
  assert.throws(() => itemsOf(undefined, 'SET'), DerError);
  assert.throws(() => bytesOf(sequence()), DerError);
  assert.throws(() => bytesOf(octets(Buffer.alloc(1)), 'INTEGER'), DerError);
  assert.throws(() => oidOf(undefined), DerError);
  assert.deepEqual([...setBitsOf(bits(Buffer.of(0b1000_0100), 2))], [0, 5]);
});

test('extensions say what was written, whatever the usages and path length', () => {
  const usages: KeyUsage[] = [
    'digitalSignature',
    'nonRepudiation',
    'keyEncipherment',
    'dataEncipherment',
    'keyAgreement',
    'keyCertSign',
    'cRLSign',
  ];
  fc.assert(
    fc.property(fc.subarray(usages), fc.option(fc.nat(127), { nil: undefined }), (some, pathLength) => {
      const read = readExtensions(sequence(authorityConstraints(pathLength), keyUsage(...some)));
      assert.deepEqual([...(read.keyUsage ?? [])], some);
      assert.deepEqual([read.isAuthority, read.pathLength, read.unknownCritical], [true, pathLength, []]);
    }),
  );
  const none = readExtensions(undefined);
  assert.deepEqual([none.isAuthority, none.keyUsage, none.purposes, none.uris], [undefined, undefined, undefined, []]);
  assert.equal(readExtensions(sequence(leafConstraints())).isAuthority, false);
  assert.throws(() => readExtensions(sequence(leafConstraints(), leafConstraints())), /comes twice/);
});

test('names that cannot stand in a certificate are refused', () => {
  assert.throws(() => altNames({ uris: ['spiffe://a/ü'] }, 'plain'), TypeError);
  assert.throws(() => altNames({ dnsNames: [''] }, 'plain'), TypeError);
  assert.throws(() => altNames({ ipAddresses: ['localhost'] }, 'plain'), TypeError);
});

test('PEM blocks of a label are found among other text, and come back as they were', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { maxLength: 4 }), (blocks) => {
      const pem = blocks.map((block) => `subject=x\n${toPem('CERTIFICATE', block)}`).join('some text\n');
      const withKey = `${toPem('PRIVATE KEY', Buffer.of(1))}${pem}`;
      assert.deepEqual(
        fromPem('CERTIFICATE', withKey),
        blocks.map((block) => Buffer.from(block)),
      );
      assert.deepEqual(
        fromPem('CERTIFICATE', withKey.replaceAll('\n', '\r\n')),
        blocks.map((block) => Buffer.from(block)),
      );
    }),
  );
  assert.deepEqual(fromPem('CERTIFICATE', '-----BEGIN CERTIFICATE-----\nAAAA'), []);
});
