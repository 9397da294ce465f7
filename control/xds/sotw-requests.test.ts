import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DiscoveryRequest } from '../../xds/messages.js';
import { SotwRequests } from './sotw-requests.ts';

const request = fc.record(
  {
    versionInfo: fc.string({ maxLength: 8 }),
    resourceNames: fc.array(fc.constantFrom('service/a/b/80', 'inbound/8080', 'ü', ''), { maxLength: 4 }),
    typeUrl: fc.constantFrom('type.googleapis.com/a.B', 'type.googleapis.com/c.D', ''),
    responseNonce: fc.constantFrom('', '1', '2'),
    errorDetail: fc.record({ message: fc.string({ maxLength: 8 }) }),
  },
  { requiredKeys: ['versionInfo', 'resourceNames', 'typeUrl', 'responseNonce'] },
);

test('any sequence of requests reads as each of them would alone', () => {
  fc.assert(
    fc.property(fc.array(request, { maxLength: 12 }), (requests) => {
      const stream = new SotwRequests();
      for (const one of requests) {
        const bytes = Buffer.from(DiscoveryRequest.encode(one).finish());
        assert.deepEqual({ ...stream.read(bytes) }, { ...DiscoveryRequest.decode(bytes) });
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
        attempt(() => ({ ...new SotwRequests().read(Buffer.from(bytes)) })),
        attempt(() => ({ ...DiscoveryRequest.decode(bytes) })),
      );
    }),
    { numRuns: 2000 },
  );
});
