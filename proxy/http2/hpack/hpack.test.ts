import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { HpackDecoder } from './decoder.ts';
import { encodeField, encodeInteger, encodeLines, encodeStatus, NO_DYNAMIC_TABLE } from './encoder.ts';
import { decodeHuffman } from './huffman.ts';
import { huffmanCodes } from './huffman-code.ts';

type Pair = readonly [name: string, value: string];

function decodeWith(decoder: HpackDecoder, block: Buffer): Pair[] | undefined {
  const pairs: Pair[] = [];
  const sound = decoder.decode(block, 0, block.length, { field: ({ name, value }) => pairs.push([name, value]) });
  return sound ? pairs : undefined;
}

const decode = (block: Buffer): Pair[] | undefined => decodeWith(new HpackDecoder(4096), block);
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

const REQUESTS: readonly (readonly Pair[])[] = [
  [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
  ],
  [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
    ['cache-control', 'no-cache'],
  ],
  [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':path', '/index.html'],
    [':authority', 'www.example.com'],
    ['custom-key', 'custom-value'],
  ],
];

const DATE_21 = 'Mon, 21 Oct 2013 20:13:21 GMT';
const DATE_22 = 'Mon, 21 Oct 2013 20:13:22 GMT';
const LOCATION = 'https://www.example.com';
const RESPONSES: readonly (readonly Pair[])[] = [
  [
    [':status', '302'],
    ['cache-control', 'private'],
    ['date', DATE_21],
    ['location', LOCATION],
  ],
  [
    [':status', '307'],
    ['cache-control', 'private'],
    ['date', DATE_21],
    ['location', LOCATION],
  ],
  [
    [':status', '200'],
    ['cache-control', 'private'],
    ['date', DATE_22],
    ['location', LOCATION],
    ['content-encoding', 'gzip'],
    ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
  ],
];

/** RFC 7541 appendix C: blocks that follow each other on one connection, and what they say. */
const VECTORS: readonly {
  readonly section: string;
  readonly tableBytes: number;
  readonly blocks: readonly string[];
  readonly lists: readonly (readonly Pair[])[];
}[] = [
  {
    section: 'C.2.1',
    tableBytes: 4096,
    blocks: ['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572'],
    lists: [[['custom-key', 'custom-header']]],
  },
  {
    section: 'C.2.2',
    tableBytes: 4096,
    blocks: ['040c 2f73 616d 706c 652f 7061 7468'],
    lists: [[[':path', '/sample/path']]],
  },
  {
    section: 'C.2.3',
    tableBytes: 4096,
    blocks: ['1008 7061 7373 776f 7264 0673 6563 7265 74'],
    lists: [[['password', 'secret']]],
  },
  { section: 'C.2.4', tableBytes: 4096, blocks: ['82'], lists: [[[':method', 'GET']]] },
  {
    section: 'C.3',
    tableBytes: 4096,
    blocks: [
      '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '8286 84be 5808 6e6f 2d63 6163 6865',
      '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
    ],
    lists: REQUESTS,
  },
  {
    section: 'C.4',
    tableBytes: 4096,
    blocks: [
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      '8286 84be 5886 a8eb 1064 9cbf',
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
    ],
    lists: REQUESTS,
  },
  {
    section: 'C.5',
    tableBytes: 256,
    blocks: [
      '4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '4803 3330 37c1 c0bf',
      '88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31',
    ],
    lists: RESPONSES,
  },
  {
    section: 'C.6',
    tableBytes: 256,
    blocks: [
      '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
      '4883 640e ffc1 c0bf',
      '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
    ],
    lists: RESPONSES,
  },
];

for (const { section, tableBytes, blocks, lists } of VECTORS) {
  test(`the example of RFC 7541 ${section} is read as it says`, () => {
    const decoder = new HpackDecoder(tableBytes);
    assert.deepEqual(
      blocks.map((block) => decodeWith(decoder, hex(block))),
      lists,
    );
  });
}

test('broken blocks are refused: RFC 7541 says which', () => {
  const broken: readonly (readonly [why: string, block: string])[] = [
    ['index 0', '80'],
    ['an index that nothing has', 'be'],
    ['an index far beyond the table', 'ffff ffff 0f'],
    ['an integer without an end', 'ff80 8080 80'],
    ['an integer that is too large', '1fff ffff ffff 7f'],
    ['a name that goes beyond the block', '400a 6375'],
    ['a value that is not there', '0004 6e61 6d65'],
    ['a table larger than we said', '3fe2 1f'],
    ['a table size behind a field', '8220'],
    ['padding of more than seven bits', '0001 6182 ffff'],
    ['padding that is not all ones', '0001 6181 18'],
    ['the end of string within a string', '0001 6184 ffff fffc'],
  ];
  for (const [why, block] of broken) assert.equal(decode(hex(block)), undefined, why);
  assert.deepEqual(decode(hex('20 3fe1 1f 82')), [[':method', 'GET']]);
});

test('the dynamic table forgets the oldest, and a field larger than the table empties it', () => {
  const decoder = new HpackDecoder(100);
  const remembered = (name: string, value: string): Buffer =>
    latin1(`\x40${encodeInteger(name.length, 7, 0)}${name}${encodeInteger(value.length, 7, 0)}${value}`);
  decodeWith(decoder, remembered('a', '1'));
  decodeWith(decoder, remembered('b', '2'));
  assert.deepEqual(decodeWith(decoder, hex('be bf')), [
    ['b', '2'],
    ['a', '1'],
  ]);
  decodeWith(decoder, remembered('c', '3'));
  assert.deepEqual(decodeWith(decoder, hex('be bf')), [
    ['c', '3'],
    ['b', '2'],
  ]);
  assert.equal(decodeWith(decoder, hex('c0')), undefined);
  decodeWith(decoder, remembered('d', 'x'.repeat(100)));
  assert.equal(decodeWith(decoder, hex('be')), undefined);
});

const fieldName = fc.stringMatching(/^[a-z0-9-]{1,30}$/);
const fieldValue = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 300,
});

test('what is encoded is decoded to the same, whatever names and values', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fieldName, fieldValue), { maxLength: 20 }), (pairs) => {
      const block = NO_DYNAMIC_TABLE + pairs.map(([name, value]) => encodeField(name, value)).join('');
      assert.deepEqual(decode(latin1(block)), pairs);
    }),
    { numRuns: 500 },
  );
});

test('a literal that comes again is read as it was, whatever else came between', () => {
  const short = fc.constantFrom('grpc-status', 'grpc-statu', 'content-type', 'a', 'te', ':path');
  const value = fc.constantFrom('', '0', '1', '01', 'application/grpc', 'x'.repeat(50));
  fc.assert(
    fc.property(fc.array(fc.array(fc.tuple(short, value), { maxLength: 6 }), { maxLength: 20 }), (lists) => {
      const decoder = new HpackDecoder(4096);
      for (const pairs of lists) {
        const block = pairs.map(([name, of]) => encodeField(name, of)).join('');
        assert.deepEqual(decodeWith(decoder, latin1(block)), pairs);
      }
    }),
    { numRuns: 500 },
  );
});

test('a literal that is cut short is refused, though it has come whole before', () => {
  const decoder = new HpackDecoder(4096);
  const whole = encodeField('grpc-status', '0');
  assert.deepEqual(decodeWith(decoder, latin1(whole)), [['grpc-status', '0']]);
  for (let cut = 1; cut < whole.length; cut++) {
    assert.equal(decodeWith(decoder, latin1(whole.slice(0, cut))), undefined, `cut at ${cut}`);
  }
  assert.deepEqual(decodeWith(decoder, latin1(whole)), [['grpc-status', '0']]);
});

test('a literal whose name is an entry of the dynamic table means what the table means by then', () => {
  const decoder = new HpackDecoder(4096);
  const named = (name: string): Buffer => latin1(`\x40${encodeInteger(name.length, 7, 0)}${name}\x011`);
  const byIndex = hex('0f2f 0132');
  decodeWith(decoder, named('first'));
  assert.deepEqual(decodeWith(decoder, byIndex), [['first', '2']]);
  decodeWith(decoder, named('second'));
  assert.deepEqual(decodeWith(decoder, byIndex), [['second', '2']]);
});

test('statuses and lines are encoded as the fields that they are', () => {
  for (const status of [100, 200, 204, 301, 404, 500, 503]) {
    assert.deepEqual(decode(latin1(encodeStatus(status))), [[':status', String(status)]]);
  }
  // Twice, and others between: what was said last is kept.
  for (const lines of ['Content-Type: text/plain\r\nx:y\r\nempty: \r\n', '', 'a: b\r\n']) {
    const fields = lines.startsWith('C')
      ? [
          ['content-type', 'text/plain'],
          ['x', 'y'],
          ['empty', ''],
        ]
      : [['a', 'b']];
    for (let times = 0; times < 2; times++) {
      assert.deepEqual(decode(latin1(encodeLines(lines))), lines === '' ? [] : fields);
    }
  }
});

test('integers of every size go through every prefix', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.nat({ max: 2 ** 24 - 1 }), (prefix, value) => {
      // As the length of a name's index: 4, 6 and 7 bits are what the decoder reads; others are checked by hand.
      const bytes = latin1(encodeInteger(value, prefix, 0));
      const mask = 2 ** prefix - 1;
      let read = bytes[0] ?? 0;
      if (read === mask) for (let at = 1; at < bytes.length; at++) read += ((bytes[at] ?? 0) & 127) * 128 ** (at - 1);
      assert.equal(read, value);
    }),
  );
});

test('Huffman: every string comes back, and a cut or flipped one never throws', () => {
  const codes = huffmanCodes();
  const encode = (text: string): Buffer => {
    let bits = '';
    for (const character of text) {
      const code = codes[character.charCodeAt(0)];
      bits += (code?.bits ?? 0).toString(2).padStart(code?.length ?? 0, '0');
    }
    bits += '1'.repeat((8 - (bits.length % 8)) % 8);
    return Buffer.from(bits.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? []);
  };
  fc.assert(
    fc.property(fieldValue, (text) => {
      const coded = encode(text);
      assert.equal(decodeHuffman(coded, 0, coded.length), text);
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void decodeHuffman(Buffer.from(bytes), 0, bytes.length)),
    {
      numRuns: 2000,
    },
  );
});

test('random blocks are read or refused, and never throw; the table stays within its size', () => {
  const decoder = new HpackDecoder(256);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      decodeWith(decoder, Buffer.from(bytes));
    }),
    { numRuns: 20_000 },
  );
});
