import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Duration, Router, TcpProxy, UpstreamHttpOptions } from '../../../xds/messages.js';
import { isAny, unpackAny } from './unpack.ts';

const options = (seconds: number) => ({
  typeUrl: UpstreamHttpOptions.getTypeUrl(),
  value: UpstreamHttpOptions.encode({ commonHttpProtocolOptions: { idleTimeout: { seconds } } }).finish(),
});
const idleOf = (seconds: number): number | undefined =>
  unpackAny(options(seconds), UpstreamHttpOptions, 'options').commonHttpProtocolOptions?.idleTimeout?.seconds;

test('the same bytes are the same message, other bytes or another type never are', () => {
  const [first, again] = [1, 1].map((seconds) => unpackAny(options(seconds), UpstreamHttpOptions, 'options'));
  assert.ok(first === again);
  for (let round = 0; round < 2; round++)
    for (let seconds = 1; seconds < 12; seconds++) assert.equal(idleOf(seconds), seconds);
  const empty = { value: new Uint8Array() };
  const router = unpackAny({ ...empty, typeUrl: Router.getTypeUrl() }, Router, 'filter');
  const tcp = unpackAny({ ...empty, typeUrl: TcpProxy.getTypeUrl() }, TcpProxy, 'filter');
  assert.ok((router as unknown) !== tcp);
  // Bytes that are used again for something else leave what was read of them.
  const { typeUrl, value } = options(100);
  unpackAny({ typeUrl, value }, UpstreamHttpOptions, 'options');
  value.fill(0xff);
  assert.equal(idleOf(100), 100);
  assert.throws(() => unpackAny({ typeUrl, value }, UpstreamHttpOptions, 'options'));
});

test('only the name of a type counts, and all of it', () => {
  const name = Router.getTypeUrl().slice('type.googleapis.com/'.length);
  for (const [typeUrl, is] of [
    [Router.getTypeUrl(), true],
    [`elsewhere.example/${name}`, true],
    [name, true],
    [`type.googleapis.com/x${name}`, false],
    [`x${name}`, false],
    [name.slice(1), false],
    ['', false],
  ] as const) {
    assert.equal(isAny({ typeUrl, value: new Uint8Array() }, Router), is, typeUrl);
  }
  assert.throws(
    () => unpackAny({ typeUrl: 'a/b.C', value: new Uint8Array() }, Router, 'filter "x"'),
    new RegExp(`^ResourceError: filter "x": is b\\.C, wanted ${name.replaceAll('.', '\\.')}$`),
  );
});

test('whole numbers of 64 bits are read as they were written, whatever their length', () => {
  for (const seconds of [0, 1, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, -1, -(2 ** 40)]) {
    assert.equal(Duration.decode(Duration.encode({ seconds, nanos: 5 }).finish()).seconds, seconds);
  }
  assert.throws(() => Duration.decode(Uint8Array.from([8])), RangeError);
  assert.throws(() => Duration.decode(Uint8Array.from([8, 0x80])), RangeError);
});
