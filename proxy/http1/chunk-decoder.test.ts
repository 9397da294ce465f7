import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ChunkDecoder } from './chunk-decoder.ts';

interface Decoded {
  readonly body: string;
  readonly state: 'done' | 'open' | 'broken';
  /** Bytes behind the end. */
  readonly rest: string;
}

function decode(pieces: readonly string[]): Decoded {
  const decoder = new ChunkDecoder();
  let body = '';
  let rest = '';
  for (const piece of pieces) {
    const bytes = Buffer.from(piece, 'latin1');
    const sink = {
      bodyBytes: (from: Buffer, start: number, end: number) => void (body += from.toString('latin1', start, end)),
    };
    const at = decoder.feed(bytes, 0, bytes.length, sink);
    if (at < 0) return { body, state: 'broken', rest: '' };
    rest += piece.slice(at);
  }
  return { body, state: decoder.done ? 'done' : 'open', rest };
}

const BROKEN: readonly (readonly [name: string, text: string])[] = [
  ...['0x5', '+5', '-1', '5_0', ' 5', '5 ', '', '11111111111111', 'g'].map(
    (size) => [`size "${size}"`, `${size}\r\nhello\r\n0\r\n\r\n`] as const,
  ),
  ['data longer than declared', '3\r\nhello\r\n0\r\n\r\n'],
  ['no CRLF behind the data', '5\r\nhello0\r\n\r\n'],
  ['a bare LF behind the size', '5\nhello\r\n0\r\n\r\n'],
  ['a bare LF behind the data', '5\r\nhello\n0\r\n\r\n'],
  ['a bare LF at the end', '0\n\n'],
  ['a bare CR in an extension', '5;a\rb\r\nhello\r\n0\r\n\r\n'],
  ['NUL in an extension', '5;\0\r\nhello\r\n0\r\n\r\n'],
  ...[';', ';;a', '; a', ';a =b', ';a=', ';a="b', ';a="b"c', ';a=(', ';\x7f'].map(
    (extension) => [`extension "${extension}"`, `5${extension}\r\nhello\r\n0\r\n\r\n`] as const,
  ),
  ['an extension of 64 KiB', `5;${'x'.repeat(65_536)}\r\nhello\r\n0\r\n\r\n`],
  ['extensions that add up', `${'1;xxxxxxxxxx\r\na\r\n'.repeat(500)}0\r\n\r\n`],
  ['trailers of 64 KiB', `0\r\n${'x: yyyyyyyyyy\r\n'.repeat(5000)}\r\n`],
  ['a control character in a trailer', '0\r\nx: \x01\r\n\r\n'],
  ['a request for a trailer', '0\r\nGET / HTTP/1.1\r\n\r\n'],
  ['a length for a trailer', '0\r\nContent-Length: 5\r\n\r\n'],
  ['a coding for a trailer', '0\r\ntransfer-encoding: chunked\r\n\r\n'],
  ['a folded trailer', '0\r\nx: y\r\n z\r\n\r\n'],
  ['a trailer with a space before the colon', '0\r\nx : y\r\n\r\n'],
];

for (const [name, text] of BROKEN) {
  test(`a chunked body with ${name} is refused`, () => assert.equal(decode([text]).state, 'broken'));
}

test('extensions and trailers are read over, and bytes behind the end are not touched', () => {
  assert.deepEqual(decode(['5;a=b\r\nhello\r\n6;a;b="c;\\"x";d\r\n world\r\n0\r\nX-T: v\r\n\r\nGET']), {
    body: 'hello world',
    state: 'done',
    rest: 'GET',
  });
});

test('however a chunked body is cut into reads, the outcome is the same', () => {
  const chunk = fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 20 });
  const valid = fc.array(chunk, { maxLength: 6 }).map((chunks) => {
    const framed = chunks.map((text) => `${text.length.toString(16)}\r\n${text}\r\n`);
    return `${framed.join('')}0\r\n\r\n`;
  });
  // A byte changed somewhere makes most of them invalid: these must fail alike, too.
  const damaged = fc.tuple(valid, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([text, at, code]) => {
    const where = at % text.length;
    return text.slice(0, where) + String.fromCharCode(code) + text.slice(where + 1);
  });
  fc.assert(
    fc.property(fc.oneof(valid, damaged), fc.array(fc.nat({ max: 200 }), { maxLength: 8 }), (text, cuts) => {
      const at = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
      const pieces = [0, ...at].map((start, index) => text.slice(start, at[index] ?? text.length));
      const whole = decode([text]);
      const cut = decode(pieces);
      assert.equal(cut.state, whole.state);
      if (whole.state !== 'broken') assert.deepEqual(cut, whole);
    }),
    { numRuns: 3000 },
  );
});
