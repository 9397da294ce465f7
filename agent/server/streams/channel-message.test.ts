import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { channelMessage, readChannelMessage } from './channel-message.ts';
import { CHANNELS_V4, CHANNELS_V5, chooseProtocol, SPDY_TUNNEL } from './stream-protocol.ts';

const cases: readonly (readonly [what: string, message: Buffer, read: object])[] = [
  ['data', Buffer.from('\0typed'), { type: 'data', channel: 0, bytes: Buffer.from('typed') }],
  ['no data', Buffer.of(0), { type: 'data', channel: 0, bytes: Buffer.alloc(0) }],
  ['a size', Buffer.from('\x04{"Width":80,"Height":24}'), { type: 'resize', size: { columns: 80, rows: 24 } }],
  ['a size of nothing', Buffer.from('\x04{"Width":0,"Height":24}'), { type: 'none' }],
  ['a size that is too large', Buffer.from('\x04{"Width":80,"Height":65536}'), { type: 'none' }],
  ['a size with a shell’s words', Buffer.from('\x04{"Width":"1;id","Height":24}'), { type: 'none' }],
  ['a size that is no JSON', Buffer.from('\x04{'), { type: 'none' }],
  ['an empty message', Buffer.alloc(0), { type: 'none' }],
  ['a close', Buffer.of(255, 0), { type: 'close', channel: 0 }],
  ['a close of nothing', Buffer.of(255), { type: 'none' }],
];

for (const [what, message, read] of cases) {
  test(`${what} is read as what it is`, () => assert.deepEqual(readChannelMessage(message, CHANNELS_V5), read));
}

test('the fourth protocol knows no close', () => {
  assert.deepEqual(readChannelMessage(Buffer.of(255, 0), CHANNELS_V4), { type: 'none' });
});

test('whatever a client sends is read without an error, and data as it was sent', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.constantFrom(0, 1, 2, 3, 5, 6, 254), (bytes, channel) => {
      readChannelMessage(Buffer.from(bytes), CHANNELS_V5);
      const read = readChannelMessage(channelMessage(channel, bytes), CHANNELS_V5);
      assert.deepEqual(read, { type: 'data', channel, bytes: Buffer.from(bytes) });
    }),
  );
});

test('the client’s first protocol that is served is taken; none is refused with what is served', () => {
  const chosen = (type: 'exec' | 'attach' | 'portForward', offered?: string): string => {
    const choice = chooseProtocol(type, offered);
    return choice.ok ? choice.protocol : choice.message;
  };
  assert.equal(chosen('exec', 'v5.channel.k8s.io'), CHANNELS_V5);
  assert.equal(chosen('exec', 'channel.k8s.io, v4.channel.k8s.io,v5.channel.k8s.io'), CHANNELS_V4);
  assert.equal(chosen('portForward', SPDY_TUNNEL), SPDY_TUNNEL);
  assert.match(chosen('exec', SPDY_TUNNEL), /not "SPDY.*served are v5\.channel\.k8s\.io, v4\.channel\.k8s\.io/);
  assert.match(chosen('exec'), /none was named/);
});
