import assert from 'node:assert/strict';
import { REQUEST_FILTERS } from '../../../proxy/filters/order.ts';
import { type Downstream, RequestDraft } from '../../../proxy/filters/request-draft.ts';
import { renderRequest } from '../../../proxy/http1/render-request.ts';
import { RequestHead } from '../../../proxy/http1/request-head.ts';
import { ResponseHead } from '../../../proxy/http1/response-head.ts';
import { FrameReader } from '../../../proxy/http2/frame-reader.ts';
import { HpackDecoder } from '../../../proxy/http2/hpack/decoder.ts';
import { encodeInteger } from '../../../proxy/http2/hpack/encoder.ts';
import { Field } from '../../../proxy/http2/hpack/field.ts';
import { decodeHuffman } from '../../../proxy/http2/hpack/huffman.ts';
import { huffmanCodes } from '../../../proxy/http2/hpack/huffman-code.ts';
import { STATIC_FIELDS } from '../../../proxy/http2/hpack/static-table.ts';
import { RequestFields } from '../../../proxy/http2/request-fields.ts';
import { ResponseFields } from '../../../proxy/http2/response-fields.ts';
import { TrailerFields } from '../../../proxy/http2/trailer-fields.ts';
import { scanText } from '../../../proxy/test-support/scan-text.ts';
import { cuts, damaged, piecesOf } from './damaged.ts';
import type { Draw } from './draw.ts';
import { type Property, property } from './property.ts';
import { secondOpinion } from './second-opinion.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

const MAX_FRAME_BYTES = 64;

interface Wire {
  readonly text: string;
  readonly at: readonly number[];
}

function frameText(draw: Draw): string {
  const length = draw.oneIn(20) ? draw.below(100) : draw.below(MAX_FRAME_BYTES + 1);
  const stream = String.fromCharCode(draw.below(256), draw.below(2), draw.below(3), draw.below(8));
  return `\0\0${String.fromCharCode(length, draw.below(11), draw.below(256))}${stream}${draw.bytes(length)}`;
}

function wire(draw: Draw): Wire {
  return { text: draw.some(4, () => frameText(draw)).join('') + draw.bytes(draw.below(12)), at: cuts(draw) };
}

/** What a reader hands on of bytes that come in these pieces, and how it stands behind them. */
function framesOf(pieces: readonly string[]): readonly string[] {
  const reader = new FrameReader(MAX_FRAME_BYTES);
  const heard: string[] = [];
  let stopped = false;
  for (const piece of pieces) {
    if (stopped) break;
    // What lies around a read is not to be taken for a part of it.
    const around = latin1(`\xff\xff${piece}\xff\xff`);
    reader.feed(around, 2, 2 + piece.length, {
      frame: (type, flags, stream, from, start, end) => {
        heard.push(`${type} ${flags} ${stream} ${from.toString('latin1', start, end)}`);
        return true;
      },
      frameTooLarge: (type, stream) => {
        heard.push(`too large: ${type} ${stream}`);
        stopped = true;
      },
    });
  }
  if (!stopped) heard.push(reader.isWithinFrame ? 'within' : 'between');
  return heard;
}

/** RFC 9113 section 4.1, one frame behind the other. */
function framesByHand(text: string): readonly string[] {
  const bytes = latin1(text);
  const heard: string[] = [];
  let at = 0;
  while (at + 9 <= bytes.length) {
    const length = bytes.readUIntBE(at, 3);
    const [type, flags, stream] = [bytes[at + 3], bytes[at + 4], bytes.readUInt32BE(at + 5) & 0x7fffffff];
    if (length > MAX_FRAME_BYTES) return [...heard, `too large: ${type} ${stream}`];
    if (at + 9 + length > bytes.length) return [...heard, 'within'];
    heard.push(`${type} ${flags} ${stream} ${bytes.toString('latin1', at + 9, at + 9 + length)}`);
    at += 9 + length;
  }
  return [...heard, at < bytes.length ? 'within' : 'between'];
}

function framesAreTheSame({ text, at }: Wire): void {
  const heard = framesByHand(text).join('\n');
  assert.equal(framesOf([text]).join('\n'), heard);
  assert.equal(framesOf(piecesOf(text, at)).join('\n'), heard);
}

const CODES = huffmanCodes();
const SYMBOLS = new Map(CODES.map(({ bits, length }, symbol) => [`${length}:${bits}`, symbol] as const));
const END_OF_STRING = 256;

function huffman(text: string): string {
  let bits = '';
  for (const one of text) {
    const { bits: code, length } = CODES[one.charCodeAt(0)] ?? { bits: 0, length: 0 };
    bits += code.toString(2).padStart(length, '0');
  }
  bits += '1'.repeat((8 - (bits.length % 8)) % 8);
  return (bits.match(/.{8}/g) ?? []).map((byte) => String.fromCharCode(Number.parseInt(byte, 2))).join('');
}

/** RFC 7541 section 5.2, a bit at a time. */
function huffmanByHand(bytes: Buffer): string | undefined {
  let [code, length, ones, text] = [0, 0, true, ''];
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const one = (byte >> bit) & 1;
      code = code * 2 + one;
      length++;
      ones &&= one === 1;
      const symbol = SYMBOLS.get(`${length}:${code}`);
      if (symbol === END_OF_STRING || length > 30) return undefined;
      if (symbol === undefined) continue;
      text += String.fromCharCode(symbol);
      [code, length, ones] = [0, 0, true];
    }
  }
  return ones && length < 8 ? text : undefined;
}

const WORDS = ['', 'a', 'www.example.com', 'no-cache', '/a/b?c=d', '\xff\0\x7f', 'application/grpc', 'x'.repeat(30)];
const NAMES = ['a', 'x-b', 'cookie', ':path', 'content-type'];
const CODED = new Map([...WORDS, ...NAMES].map((word) => [word, huffman(word)] as const));
const CODED_WORDS = [...CODED.values()];

function huffmanIsTheSame(text: string): void {
  const bytes = latin1(`\xff${text}\xff`);
  assert.equal(decodeHuffman(bytes, 1, 1 + text.length), huffmanByHand(bytes.subarray(1, 1 + text.length)));
}

const TABLE_BYTES = 160;

interface Block {
  readonly text: string;
  readonly list: readonly (readonly [string, string])[];
}

/** Blocks of one connection as a sender makes them that uses all there is, and what they say. */
function blocks(draw: Draw): readonly Block[] {
  const table: (readonly [string, string])[] = [];
  const evict = (most: number): void => {
    let bytes = table.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
    while (bytes > most) {
      const [name = '', value = ''] = table.pop() ?? [];
      bytes -= name.length + value.length + 32;
    }
  };
  const entry = (at: number): readonly [string, string] | undefined => {
    const known = STATIC_FIELDS[at - 1];
    return known === undefined ? table[at - 1 - STATIC_FIELDS.length] : [known.name, known.value];
  };
  const string = (text: string): string => {
    const coded = draw.oneIn(2) ? (CODED.get(text) ?? huffman(text)) : text;
    return encodeInteger(coded.length, 7, coded === text ? 0 : 0x80) + coded;
  };
  let most = TABLE_BYTES;
  const one = (): Block => {
    const list: (readonly [string, string])[] = [];
    let text = '';
    if (draw.oneIn(6)) {
      most = draw.below(TABLE_BYTES + 1);
      evict(most);
      text += encodeInteger(most, 5, 0x20);
    }
    for (let left = draw.below(6); left > 0; left--) {
      const index = 1 + draw.below(STATIC_FIELDS.length + table.length);
      const indexed = entry(index);
      if (indexed !== undefined && draw.oneIn(3)) {
        text += encodeInteger(index, 7, 0x80);
        list.push(indexed);
        continue;
      }
      const [prefix, pattern] = draw.pick([
        [6, 0x40],
        [4, 0],
        [4, 0x10],
      ] as const);
      const value = draw.pick(WORDS);
      const name = draw.oneIn(2) && indexed !== undefined ? indexed[0] : draw.pick(NAMES);
      text +=
        name === indexed?.[0]
          ? encodeInteger(index, prefix, pattern)
          : encodeInteger(0, prefix, pattern) + string(name);
      text += string(value);
      list.push([name, value]);
      if (prefix === 6) {
        const bytes = name.length + value.length + 32;
        evict(most - bytes);
        if (bytes <= most) table.unshift([name, value]);
      }
    }
    return { text, list };
  };
  return [one(), ...draw.some(3, one)];
}

function decoded(decoder: HpackDecoder, text: string): readonly (readonly [string, string])[] | undefined {
  const list: (readonly [string, string])[] = [];
  const around = latin1(`\x82${text}\x82\x82`);
  const isSound = decoder.decode(around, 1, 1 + text.length, {
    field: ({ name, value }) => void list.push([name, value]),
  });
  return isSound ? list : undefined;
}

function blocksAreRead(given: readonly Block[]): void {
  const decoder = new HpackDecoder(TABLE_BYTES);
  for (const { text, list } of given) assert.equal(decoded(decoder, text)?.join('\n'), list.join('\n'));
}

const SOUND_BLOCKS = [
  '\x82\x86\x84\x41\x0fwww.example.com',
  '\x40\x0acustom-key\x0dcustom-header',
  '\x3f\x61\x82\xbe\xbf',
  '\x10\x08password\x06secret',
];
const BLOCK_PIECES = [
  '\x7f\xff\xff\xff\x07',
  '\xff\xff\xff\xff\xff',
  '\x82',
  '\xbe',
  '\x3f\xe1\x1f',
  '\x20',
  '\x40',
  '\0',
  '\xff',
  '\x85',
];

function damagedBlockIsHarmless({ text, around }: { readonly text: string; readonly around: string }): void {
  const outcomes = ['\0', '\xff'].map((other) => {
    const bytes = latin1(around + text + other.repeat(40));
    const heard: string[] = [];
    const decoder = new HpackDecoder(TABLE_BYTES);
    const isSound = decoder.decode(bytes, around.length, around.length + text.length, {
      field: ({ name, value }) => void heard.push(`${name}: ${value}`),
    });
    return `${isSound} ${heard.join('\n')}`;
  });
  assert.equal(outcomes[0], outcomes[1], 'what lies behind the block has been read');
}

const FROM: Downstream = {
  direction: 'ingress',
  scheme: 'http',
  peerAddress: '127.0.0.1',
  peerId: '',
  ownId: '',
  trustForwarded: false,
  listenerPort: 80,
};
const head = new RequestHead();
const again = new RequestHead();
const requestFields = new RequestFields();
const responseHead = new ResponseHead();
const responseFields = new ResponseFields();

const REQUEST_LIST = [
  [':method', 'GET'],
  [':method', 'POST'],
  [':scheme', 'https'],
  [':path', '/a?b=c'],
  [':authority', 'a.example'],
  ['host', 'a.example'],
  ['content-length', '3'],
  ['cookie', 'a=b'],
  ['cookie', 'c=d'],
  ['te', 'trailers'],
  ['connection', 'close'],
  ['transfer-encoding', 'chunked'],
  ['expect', '100-continue'],
  ['x-a', 'y'],
  [':protocol', 'websocket'],
] as const;
const PSEUDO_LIST = [REQUEST_LIST[0], REQUEST_LIST[2], REQUEST_LIST[3], REQUEST_LIST[4]];
const FIELD_PIECES = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  ':',
  '/',
  '?',
  '#',
  '@',
  ',',
  '%',
  'Host: b',
  ' HTTP/1.1',
  '0',
  '\xe9',
  'A',
  '\x7f',
  '\t',
];

interface List {
  readonly list: readonly (readonly [string, string])[];
  readonly last: boolean;
}

function damagedList(
  draw: Draw,
  sound: readonly (readonly [string, string])[],
  all: readonly (readonly [string, string])[],
): List {
  const list = [...sound, ...draw.some(4, () => draw.pick(all))].map(([name, value]) => {
    if (!draw.oneIn(6)) return [name, value] as const;
    return draw.oneIn(3)
      ? ([damaged(draw, [name], FIELD_PIECES), value] as const)
      : ([name, damaged(draw, [value], FIELD_PIECES)] as const);
  });
  if (draw.oneIn(8)) list.splice(draw.below(list.length), 1);
  if (draw.oneIn(8)) list.push(list.splice(draw.below(list.length), 1)[0] ?? ['x', 'y']);
  return { list, last: draw.oneIn(2) };
}

function translatedIsSound({ list, last }: List): void {
  requestFields.start(head);
  for (const [name, value] of list) requestFields.field(new Field(name, value));
  if (requestFields.finish(last) !== 'sound' || head.method === 'CONNECT') return;
  const { method, target, authority } = head;
  const draft = new RequestDraft(head, FROM);
  for (const filter of REQUEST_FILTERS) filter(draft);
  const rendered = renderRequest(draft, { target, host: authority, upgrade: '' }, undefined);
  assert.equal(rendered.indexOf('\r\n\r\n'), rendered.length - 4, 'one head, and nothing behind it');
  assert.equal(scanText(again, rendered), undefined);
  assert.deepEqual([again.method, again.target, again.authority], [method, target, authority]);
  const { error, fields } = secondOpinion('request', rendered);
  assert.ok(error === '' || error === 'HPE_INVALID_METHOD', `llhttp refuses what we forward: ${error}`);
  if (error !== '') return;
  const named = (name: string): number => fields.filter(([one]) => one.toLowerCase() === name).length;
  assert.equal(named('host'), 1);
  assert.ok(named('content-length') + named('transfer-encoding') <= 1, 'two framings');
  assert.equal(named('connection') + named('upgrade') + named('te'), 0);
  if (last)
    assert.equal(again.fields.chunked || again.fields.contentLength > 0, false, 'a body is told that does not come');
}

const RESPONSE_LIST = [
  [':status', '200'],
  [':status', '404'],
  [':status', '204'],
  ['content-length', '0'],
  ['content-type', 'text/plain'],
  ['transfer-encoding', 'chunked'],
  ['set-cookie', 'a=b'],
  ['x', 'y'],
] as const;

function answerIsSound({ list, last }: List): void {
  responseFields.start(responseHead, 'request');
  for (const [name, value] of list) responseFields.field(new Field(name, value));
  if (responseFields.finish(last, false) !== undefined) return;
  const { status, fields } = responseHead;
  assert.ok(status >= 100 && status <= 599 && status !== 101);
  assert.equal(list.filter(([name]) => name.startsWith(':')).length, 1);
  const lines = Array.from({ length: fields.count }, (_, at) => `${fields.name(at)}: ${fields.value(at)}\r\n`).join('');
  const { error } = secondOpinion('response', `HTTP/1.1 ${status} OK\r\n${lines}\r\n`, 'yes');
  assert.equal(error, '', 'llhttp refuses what we pass on');
  const trailers = new TrailerFields();
  for (const [name, value] of list) trailers.field(new Field(name, value));
  assert.match(trailers.lines, /^(?:[^:\r\n]+: [^\r\n\0]*\r\n)*$/);
}

/** What holds of everything that reads HTTP/2. */
export const HTTP2: readonly Property[] = [
  property('frames', 'frames are the same however they are cut into reads', wire, framesAreTheSame),
  property(
    'HPACK',
    'a Huffman string is what its bits say, one at a time',
    (draw) => damaged(draw, CODED_WORDS, ['\xff', '\0', '\x1f']),
    huffmanIsTheSame,
  ),
  property(
    'HPACK',
    'header blocks say what their sender put into them, with every means that HPACK has',
    blocks,
    blocksAreRead,
  ),
  property(
    'HPACK',
    'a damaged header block is read within its bounds or refused',
    (draw) => ({ text: damaged(draw, SOUND_BLOCKS, BLOCK_PIECES), around: draw.bytes(draw.below(4)) }),
    damagedBlockIsHarmless,
  ),
  property(
    'request list',
    'a list of fields that we take goes on as one sound head of HTTP/1.1, as llhttp reads it',
    (draw) => damagedList(draw, PSEUDO_LIST, REQUEST_LIST),
    translatedIsSound,
  ),
  property(
    'response list',
    'an answer’s list of fields is one sound head',
    (draw) => damagedList(draw, [RESPONSE_LIST[0]], RESPONSE_LIST),
    answerIsSound,
  ),
];
