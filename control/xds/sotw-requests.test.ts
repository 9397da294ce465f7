import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DiscoveryRequest } from '../../xds/messages.js';
import { type SotwEnvelope, SotwRequests } from './sotw-requests.ts';

function envelope({ node, typeUrl, resourceNames, responseNonce, errorDetail }: SotwEnvelope): SotwEnvelope {
  return { node, typeUrl, resourceNames, responseNonce, errorDetail };
}

const request = fc.record(
  {
    versionInfo: fc.string({ maxLength: 8 }),
    resourceNames: fc.array(fc.constantFrom('service/a/b/80', 'inbound/8080', 'ü', '', 'long'.repeat(100)), {
      maxLength: 4,
    }),
    typeUrl: fc.constantFrom('type.googleapis.com/a.B', 'type.googleapis.com/c.D', ''),
    responseNonce: fc.constantFrom('', '1', '2', 'ü'),
    errorDetail: fc.record({ message: fc.string({ maxLength: 8 }) }),
    node: fc.record({ id: fc.string({ maxLength: 4 }) }),
  },
  { requiredKeys: ['versionInfo', 'resourceNames', 'typeUrl', 'responseNonce'] },
);

test('any sequence of requests reads as each of them would alone', () => {
  fc.assert(
    fc.property(fc.array(request, { maxLength: 12 }), (requests) => {
      const stream = new SotwRequests();
      for (const one of requests) {
        const bytes = Buffer.from(DiscoveryRequest.encode(one).finish());
        assert.deepEqual(envelope(stream.read(bytes)), envelope(DiscoveryRequest.decode(bytes)));
      }
    }),
  );
});

test('names that stand in several places of a request are all read, also after one that had them together', () => {
  const part = (resourceNames: readonly string[]): Uint8Array =>
    DiscoveryRequest.encode({ resourceNames, typeUrl: 't' }).finish();
  const stream = new SotwRequests();
  assert.deepEqual(stream.read(Buffer.from(part(['a']))).resourceNames, ['a']);
  const split = Buffer.concat([part(['a']), part(['b'])]);
  assert.deepEqual(stream.read(split).resourceNames, ['a', 'b']);
});

test('what an ACK repeats is the very same list, also when the buffer it came in is used anew', () => {
  const stream = new SotwRequests();
  const ack = (responseNonce: string): Buffer =>
    Buffer.from(DiscoveryRequest.encode({ typeUrl: 't', resourceNames: ['a', 'b'], responseNonce }).finish());
  const bytes = ack('1');
  const first = stream.read(bytes).resourceNames;
  bytes.fill(0);
  const second = stream.read(ack('2'));
  assert.equal(second.resourceNames, first);
  assert.deepEqual([second.resourceNames, second.responseNonce], [['a', 'b'], '2']);
});

test('bytes that are no request are refused as they would be without it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const attempt = (read: () => unknown): string => {
        try {
          return JSON.stringify(read());
        } catch {
          return 'refused';
        }
      };
      assert.equal(
        attempt(() => envelope(new SotwRequests().read(Buffer.from(bytes)))),
        attempt(() => envelope(DiscoveryRequest.decode(bytes))),
      );
    }),
    { numRuns: 2000 },
  );
});
