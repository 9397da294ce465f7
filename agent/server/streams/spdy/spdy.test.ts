import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constants, createDeflate, createInflate } from 'node:zlib';
import fc from 'fast-check';
import { DICTIONARY } from './dictionary.ts';
import { dataFrame, type Frame, FrameReader, pingFrame, resetFrame } from './frames.ts';
import { HeaderReader, noHeaders, parseHeaderBlock } from './headers.ts';

function block(headers: Readonly<Record<string, string>>): Buffer {
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  const words = Object.entries(headers)
    .flat()
    .map((word) => Buffer.from(word));
  return Buffer.concat([number(words.length / 2), ...words.flatMap((word) => [number(word.length), word])]);
}

/** As a client compresses: one stream for the connection, flushed after each block. */
async function compressed(blocks: readonly Buffer[]): Promise<readonly Buffer[]> {
  const deflate = createDeflate({ dictionary: DICTIONARY, flush: constants.Z_SYNC_FLUSH });
  const all: Buffer[] = [];
  for (const one of blocks) {
    const pieces: Buffer[] = [];
    const listener = (piece: Buffer): void => void pieces.push(piece);
    deflate.on('data', listener);
    await new Promise((resolve) => deflate.write(one, () => setImmediate(resolve)));
    deflate.off('data', listener);
    all.push(Buffer.concat(pieces));
  }
  return all;
}

test('the dictionary is that of the protocol', async () => {
  const [first] = await compressed([block({})]);
  assert.equal(first?.subarray(2, 6).toString('hex'), 'e3c6a7c2');
});

test('header blocks of one connection are read in their order', async () => {
  const wanted = [{ streamtype: 'error', port: '8080', requestid: '0' }, {}, { streamtype: 'data', port: '8080' }];
  const reader = new HeaderReader();
  for (const [at, bytes] of (await compressed(wanted.map(block))).entries()) {
    assert.deepEqual(Object.fromEntries(await reader.read(bytes)), wanted[at]);
  }
  reader.close();
});

test('headers that are no zlib, or too many, are refused, and so is what follows', async () => {
  const broken = new HeaderReader();
  await assert.rejects(broken.read(Buffer.from('not zlib at all')));
  await assert.rejects(broken.read(Buffer.from('more')));
  const bomb = new HeaderReader();
  const [bytes = Buffer.alloc(0)] = await compressed([block({ a: 'x'.repeat(10_000_000) })]);
  await assert.rejects(bomb.read(bytes), /more than 65536 bytes/);
});

test('a block of no headers is what zlib takes for one, time and again', async () => {
  const inflate = createInflate({ dictionary: DICTIONARY });
  const pieces: Buffer[] = [];
  inflate.on('data', (piece: Buffer) => pieces.push(piece));
  for (const bytes of [noHeaders('first of the connection'), noHeaders('later'), noHeaders('later')]) {
    await new Promise((resolve) => inflate.write(bytes, () => setImmediate(resolve)));
  }
  assert.deepEqual(Buffer.concat(pieces), Buffer.alloc(12));
});

test('a block that is cut short or lies about its lengths is refused, never read past its end', () => {
  const whole = block({ streamtype: 'data', port: '80' });
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => parseHeaderBlock(whole.subarray(0, length)), /cut short/);
  }
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      try {
        parseHeaderBlock(Buffer.from(bytes));
      } catch (error) {
        assert.match((error as Error).message, /cut short/);
      }
    }),
  );
});

test('frames are the same however their bytes are cut', () => {
  const bytes = Buffer.concat([
    dataFrame(1, Buffer.from('hello')),
    pingFrame(Buffer.from([0, 0, 0, 7])),
    dataFrame(3, Buffer.alloc(0), 'last'),
    resetFrame(3, 1),
  ]);
  const whole = new FrameReader().push(bytes);
  assert.deepEqual(
    whole.map((frame) => (frame.type === 'data' ? [frame.stream, frame.isLast, frame.payload.toString()] : frame.kind)),
    [[1, false, 'hello'], 6, [3, true, ''], 3],
  );
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: bytes.length })), (cuts) => {
      const reader = new FrameReader();
      const ends = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const frames: Frame[] = ends.slice(1).flatMap((end, at) => [...reader.push(bytes.subarray(ends[at], end))]);
      assert.deepEqual(frames, whole);
    }),
  );
});

test('what is no SPDY/3, or a frame that is too long, is refused', () => {
  assert.throws(() => new FrameReader().push(Buffer.from([0x80, 2, 0, 1, 0, 0, 0, 0])), /SPDY version 2/);
  assert.throws(() => new FrameReader().push(Buffer.from([0, 0, 0, 1, 0, 0xff, 0xff, 0xff])), /at most 1048576/);
});
