import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import protobufjs from 'protobufjs';
import { fromPem, toPem } from '../../x509/pem.ts';
import { derListOf, pemOfDerList } from './der-list.ts';
import {
  decodeX509SvidResponse,
  encodeX509BundlesResponse,
  encodeX509SvidResponse,
  type X509Svid,
} from './messages.ts';

// Names, numbers and types as SPIFFE_Workload_API.md gives them, read by protobufjs: another's idea of the same wire.
const { root } = protobufjs.parse(`
  syntax = "proto3";
  message Svid {
    string spiffe_id = 1; bytes x509_svid = 2; bytes x509_svid_key = 3; bytes bundle = 4; string hint = 5;
  }
  message SvidResponse { repeated Svid svids = 1; repeated bytes crl = 2; map<string, bytes> federated_bundles = 3; }
  message BundlesResponse { repeated bytes crl = 1; map<string, bytes> bundles = 2; }
`);
const SvidResponse = root.lookupType('SvidResponse');
const BundlesResponse = root.lookupType('BundlesResponse');

const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 });
const svid: fc.Arbitrary<X509Svid> = fc.record({
  spiffeId: fc.string({ minLength: 1 }),
  certificates: bytes,
  privateKey: bytes,
  bundle: bytes,
});

test('what is written, protobufjs reads, and the other way round with fields that are not known here', () => {
  fc.assert(
    fc.property(fc.array(svid, { maxLength: 3 }), (svids) => {
      const wire = encodeX509SvidResponse({ svids });
      const read = SvidResponse.toObject(SvidResponse.decode(wire), { arrays: true }) as { svids: unknown[] };
      const named = svids.map(({ spiffeId, certificates, privateKey, bundle }) => ({
        spiffeId,
        x509Svid: Buffer.from(certificates),
        x509SvidKey: Buffer.from(privateKey),
        bundle: Buffer.from(bundle),
      }));
      assert.deepEqual(plain(read.svids), plain(named));
      const theirs = SvidResponse.encode({
        svids: named.map((one) => ({ ...one, hint: 'internal' })),
        crl: [new Uint8Array([1])],
        federatedBundles: { 'spiffe://other': new Uint8Array([2]) },
      }).finish();
      assert.deepEqual(plain(decodeX509SvidResponse(theirs)), plain({ svids }));
    }),
  );
});

test('bundles are written as a map by trust domain', () => {
  const wire = encodeX509BundlesResponse({ bundles: new Map([['spiffe://tutti.local', new Uint8Array([48, 0])]]) });
  const { bundles } = BundlesResponse.toObject(BundlesResponse.decode(wire)) as { bundles: Record<string, Uint8Array> };
  assert.deepEqual(plain(bundles), plain({ 'spiffe://tutti.local': new Uint8Array([48, 0]) }));
});

test('noise is refused with an error, or read as a message of nothing known', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (noise) => {
      try {
        decodeX509SvidResponse(noise);
      } catch (error) {
        assert.ok(error instanceof Error);
      }
    }),
  );
});

test('certificates one after the other come apart as they went together, and a cut list is refused', () => {
  const elements = [1, 127, 128, 255, 256, 70_000].map((length) => {
    const long =
      length < 128
        ? [length]
        : length < 256
          ? [0x81, length]
          : length < 65_536
            ? [0x82, length >> 8, length & 255]
            : [0x83, length >> 16, (length >> 8) & 255, length & 255];
    return Buffer.concat([Buffer.from([0x30, ...long]), Buffer.alloc(length, 7)]);
  });
  const pem = elements.map((der) => toPem('CERTIFICATE', der)).join('');
  const list = derListOf(pem);
  assert.equal(pemOfDerList('CERTIFICATE', list), pem);
  assert.deepEqual(fromPem('CERTIFICATE', pemOfDerList('CERTIFICATE', list)), elements);
  assert.equal(pemOfDerList('CERTIFICATE', new Uint8Array()), '');
  for (const bad of [
    list.subarray(0, -1),
    Buffer.from([0x31, 0]),
    Buffer.from([0x30]),
    Buffer.from([0x30, 0x80]),
    Buffer.from([0x30, 0x85, 1, 1, 1, 1, 1]),
  ]) {
    assert.throws(() => pemOfDerList('CERTIFICATE', bad), /list of DER elements/);
  }
});

/** Views and buffers of the same bytes compare alike. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, each: unknown) =>
      each instanceof Uint8Array
        ? Buffer.from(each).toString('hex')
        : isBufferJson(each)
          ? Buffer.from(each.data).toString('hex')
          : each,
    ),
  );
}

function isBufferJson(value: unknown): value is { readonly data: number[] } {
  return typeof value === 'object' && value !== null && (value as { type?: unknown }).type === 'Buffer';
}
