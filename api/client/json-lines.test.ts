import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { jsonLines } from './json-lines.ts';

async function* chunksOf(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array, void, undefined> {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    await Promise.resolve();
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function read(text: string, sizes: readonly number[]): Promise<unknown[]> {
  return Array.fromAsync(jsonLines(chunksOf(new TextEncoder().encode(text), sizes)));
}

test('values arrive whole however the stream is cut, also within a character', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ text: fc.string({ unit: 'grapheme' }) }, { noNullPrototype: true })),
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
      async (values, sizes) => {
        const text = values.map((value) => `${JSON.stringify(value)}\n`).join('');
        assert.deepEqual(await read(text, sizes), values);
      },
    ),
  );
});

test('empty lines are skipped and a torn last line is dropped', async () => {
  assert.deepEqual(await read('{"a":1}\n\n{"b":2}\n{"c":', [3]), [{ a: 1 }, { b: 2 }]);
});

test('a line without end is refused before it fills the memory', async () => {
  const mebibyte = 'x'.repeat(1024 * 1024);
  async function* endless(): AsyncGenerator<Uint8Array, void, undefined> {
    const chunk = new TextEncoder().encode(mebibyte);
    for (;;) {
      await Promise.resolve();
      yield chunk;
    }
  }
  await assert.rejects(Array.fromAsync(jsonLines(endless())), /longer than/);
});
