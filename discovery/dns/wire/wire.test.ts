import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import { decode, encode } from 'dns-packet';
import * as fc from 'fast-check';
import { addressBytes, addressText } from './address.ts';
import { CLASS, TYPE } from './codes.ts';
import { encodeMessage, MAX_MESSAGE_BYTES } from './encode.ts';
import { type Message, type RecordData, type ResourceRecord, record } from './message.ts';
import { encodeName, isEncodable, labelsOf, readName } from './name.ts';
import { parseMessage } from './parse.ts';

const label = fc.stringMatching(/^[a-zA-Z0-9_]([-a-zA-Z0-9_]{0,12}[a-zA-Z0-9_])?$/);
const name = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => labels.join('.'));
const uint16 = fc.integer({ min: 0, max: 0xffff });
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const text = fc.string({ unit: fc.constantFrom('a', 'Z', '0', ' ', '.', '"', '\\'), maxLength: 255 });
const address4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(addressText);
const address6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(addressText);

const data: fc.Arbitrary<RecordData> = fc.oneof(
  address4.map((address) => ({ type: 'A', address }) as const),
  address6.map((address) => ({ type: 'AAAA', address }) as const),
  fc.record({ type: fc.constantFrom('NS', 'CNAME', 'PTR'), target: name }),
  fc.record({ type: fc.constant('SRV'), priority: uint16, weight: uint16, port: uint16, target: name }),
  fc.record({ type: fc.constant('MX'), preference: uint16, target: name }),
  fc.record({ type: fc.constant('TXT'), texts: fc.array(text, { minLength: 1, maxLength: 3 }) }),
  fc.record({ type: fc.constant('HINFO'), cpu: text, os: text }),
  fc.record({
    type: fc.constant('SOA'),
    primary: name,
    mailbox: name,
    serial: uint32,
    refreshSeconds: uint32,
    retrySeconds: uint32,
    expireSeconds: uint32,
    minimumSeconds: uint32,
  }),
);
const entry = fc
  .record({ name, ttlSeconds: uint32, data })
  .map((each): ResourceRecord => record(each.name, each.ttlSeconds, each.data));
const section = fc.array(entry, { maxLength: 4 });

const message: fc.Arbitrary<Message> = fc.record({
  id: uint16,
  response: fc.boolean(),
  opcode: fc.integer({ min: 0, max: 15 }),
  authoritative: fc.boolean(),
  truncated: fc.boolean(),
  recursionDesired: fc.boolean(),
  recursionAvailable: fc.boolean(),
  checkingDisabled: fc.boolean(),
  rcode: fc.integer({ min: 0, max: 15 }),
  questions: fc.array(fc.record({ name, type: uint16, class: uint16 }), { maxLength: 2 }),
  answers: section,
  authority: section,
  additional: section,
  edns: fc.option(
    fc.record({ payloadSizeBytes: uint16, version: fc.integer({ min: 0, max: 255 }), dnssecOk: fc.boolean() }),
    { nil: undefined },
  ),
});

/** Compression gives a name the case of what it points to. */
function lowerCase(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).toLowerCase());
}

const query: Message = {
  id: 7,
  response: false,
  opcode: 0,
  authoritative: false,
  truncated: false,
  recursionDesired: true,
  recursionAvailable: false,
  checkingDisabled: false,
  rcode: 0,
  questions: [{ name: 'web.default.svc.cluster.local', type: TYPE.A, class: CLASS.IN }],
  answers: [],
  authority: [],
  additional: [],
  edns: undefined,
};

test('what is encoded reads back the same', () => {
  fc.assert(
    fc.property(message, (original) => {
      const parsed = parseMessage(encodeMessage(original, MAX_MESSAGE_BYTES));
      assert.ok(parsed.ok, 'malformed');
      assert.deepEqual(lowerCase(parsed.message), lowerCase(original));
    }),
  );
});

test('dns-packet reads what we encode as it was meant', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 8 }), (answers) => {
      const packet = decode(Buffer.from(encodeMessage({ ...query, response: true, answers }, MAX_MESSAGE_BYTES)));
      const seen = packet.answers?.map(({ type, name, ttl, data }) => ({ type, name, ttl, data }));
      const wanted = answers.map((each) => ({
        type: each.data.type,
        name: each.name,
        ttl: each.ttlSeconds,
        data: asDnsPacket(each.data),
      }));
      assert.deepEqual(lowerCase(seen?.map(withBytes)), lowerCase(wanted.map(withBytes)));
    }),
  );
});

test('we read what dns-packet encodes as it was meant', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 8 }), (answers) => {
      const packet = encode({
        id: 7,
        type: 'response',
        answers: answers.map((each) => ({
          type: each.data.type,
          name: each.name,
          ttl: each.ttlSeconds,
          data: asDnsPacket(each.data),
        })),
        additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 1400, flags: 0x8000 }],
      });
      const parsed = parseMessage(packet);
      assert.ok(parsed.ok, 'malformed');
      assert.deepEqual(lowerCase(parsed.message.answers), lowerCase(answers));
      assert.deepEqual(parsed.message.edns, { payloadSizeBytes: 1400, version: 0, dnssecOk: true });
    }),
  );
});

function asDnsPacket(data: RecordData): unknown {
  switch (data.type) {
    case 'A':
    case 'AAAA':
      return data.address;
    case 'NS':
    case 'CNAME':
    case 'PTR':
      return data.target;
    case 'SRV':
      return { priority: data.priority, weight: data.weight, port: data.port, target: data.target };
    case 'MX':
      return { preference: data.preference, exchange: data.target };
    case 'TXT':
      return data.texts.map((each) => Buffer.from(each));
    case 'HINFO':
      return { cpu: data.cpu, os: data.os };
    case 'SOA':
      return {
        mname: data.primary,
        rname: data.mailbox,
        serial: data.serial,
        refresh: data.refreshSeconds,
        retry: data.retrySeconds,
        expire: data.expireSeconds,
        minimum: data.minimumSeconds,
      };
    case 'other':
      return data.bytes;
    default:
      return data satisfies never;
  }
}

/** dns-packet gives texts as Buffers, and IPv6 addresses in a form of its own. */
function withBytes(each: { readonly type: string; readonly data?: unknown }): unknown {
  const texts = Array.isArray(each.data) ? each.data.map(String) : each.data;
  return { ...each, data: each.type === 'AAAA' ? addressText(addressBytes(String(texts)) ?? new Uint8Array()) : texts };
}

test('no bytes make the parser throw: it says what is malformed', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      assert.equal(typeof parseMessage(bytes).ok, 'boolean');
    }),
    { numRuns: 20_000 },
  );
});

test('a valid message with some bytes changed never makes the parser throw or run on', () => {
  const change = fc.tuple(fc.nat(2000), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(message, fc.array(change, { minLength: 1, maxLength: 8 }), (original, changes) => {
      const bytes = encodeMessage(original, MAX_MESSAGE_BYTES);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      assert.equal(typeof parseMessage(bytes).ok, 'boolean');
    }),
    { numRuns: 2000 },
  );
});

test('every truncation of a valid message is malformed', () => {
  fc.assert(
    fc.property(message, (original) => {
      const bytes = encodeMessage(original, MAX_MESSAGE_BYTES);
      for (let length = 0; length < bytes.length; length++) {
        assert.equal(parseMessage(bytes.subarray(0, length)).ok, false, `${length} of ${bytes.length} bytes`);
      }
    }),
    { numRuns: 30 },
  );
});

const malformed: readonly (readonly [what: string, name: readonly number[]])[] = [
  ['a pointer to itself', [0xc0, 12]],
  ['a pointer forward', [0xc0, 200]],
  ['two pointers to each other', [0xc0, 14, 0xc0, 12]],
  ['a label that leads back to itself', [1, 0x61, 0xc0, 12]],
  ['the reserved label type 01', [0x41, 0x61, 0]],
  ['the reserved label type 10', [0x81, 0x61, 0]],
  ['a label that runs out of the message', [60, 0x61]],
  ['a name without an end', [1, 0x61]],
  ['a name of more than 255 bytes', [...Array.from({ length: 64 }, () => [3, 0x61, 0x61, 0x61]).flat(), 0]],
];

for (const [what, bytes] of malformed) {
  test(`${what} in a question is malformed, and the header is still there to be answered`, () => {
    const parsed = parseMessage(Uint8Array.from([0, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...bytes, 0, 1, 0, 1]));
    assert.equal(parsed.ok, false);
    assert.equal(!parsed.ok && parsed.header?.id, 9);
  });
}

test('bytes behind the message, two OPT records, and OPT outside the additional section are malformed', () => {
  const plain = encodeMessage({ ...query, edns: { payloadSizeBytes: 512, version: 0, dnssecOk: false } }, 512);
  assert.equal(parseMessage(plain).ok, true);
  assert.equal(parseMessage(Uint8Array.from([...plain, 0])).ok, false);
  const two = Uint8Array.from([...plain, ...plain.subarray(-11)]);
  two[11] = 2;
  assert.equal(parseMessage(two).ok, false);
  const misplaced = Uint8Array.from(plain);
  misplaced[7] = 1;
  misplaced[11] = 0;
  assert.equal(parseMessage(misplaced).ok, false);
});

test('an answer too large for the asker is cut at a record, flagged, and keeps its OPT', () => {
  fc.assert(
    fc.property(message, fc.integer({ min: 200, max: 700 }), (original, limit) => {
      const whole = encodeMessage(original, MAX_MESSAGE_BYTES);
      const cut = encodeMessage(original, limit);
      const parsed = parseMessage(cut);
      assert.ok(parsed.ok, 'malformed');
      assert.equal(parsed.message.edns === undefined, original.edns === undefined);
      const { answers, authority } = parsed.message;
      const lost = answers.length < original.answers.length || authority.length < original.authority.length;
      assert.equal(parsed.message.truncated, original.truncated || lost);
      if (whole.length <= limit) assert.deepEqual(cut, whole);
      else assert.ok(cut.length <= Math.max(limit, encodeMessage({ ...original, ...NO_RECORDS }, limit).length));
    }),
  );
});

const NO_RECORDS = { answers: [], authority: [], additional: [] };

test('names are compressed, and read with the case of the question', () => {
  const answers = [1, 2, 3].map((host) =>
    record('web.default.svc.cluster.local', 5, { type: 'A', address: `127.96.0.${host}` }),
  );
  const asked = { ...query, questions: [{ name: 'WeB.default.SVC.cluster.local', type: TYPE.A, class: CLASS.IN }] };
  const bytes = encodeMessage({ ...asked, answers }, 512);
  assert.equal(bytes.length, 12 + 31 + 4 + 3 * 16);
  const parsed = parseMessage(bytes);
  assert.equal(parsed.ok && parsed.message.answers[0]?.name, 'WeB.default.SVC.cluster.local');
});

test("an SRV record's target is not compressed (RFC 2782)", () => {
  const srv = { type: 'SRV', priority: 0, weight: 1, port: 80, target: 'web.default.svc.cluster.local' } as const;
  const bytes = encodeMessage({ ...query, answers: [record('web.default.svc.cluster.local', 5, srv)] }, 512);
  assert.equal(bytes.length, 12 + 35 + 2 + 10 + 6 + 31);
});

test('any bytes in a label survive the text form, and different names have different texts', () => {
  const labels = fc.array(fc.uint8Array({ minLength: 1, maxLength: 20 }), { maxLength: 5 });
  fc.assert(
    fc.property(labels, (original) => {
      const wire = Uint8Array.from([...original.flatMap((each) => [each.length, ...each]), 0]);
      const read = readName(wire, 0);
      assert.ok(read);
      assert.equal(isEncodable(read.name), true);
      assert.equal(labelsOf(read.name).length, original.length);
      assert.deepEqual(encodeName(read.name, 0, undefined), [...wire]);
    }),
  );
});

test('texts that are no names are not encodable', () => {
  for (const text of ['.', 'a..b', 'a.', '.a', 'a'.repeat(64), 'ü€.x', 'a\\', `${'abc.'.repeat(63)}abc`]) {
    assert.equal(isEncodable(text), false, text);
  }
  assert.equal(isEncodable(''), true);
});

test('addresses are read as the system reads them, and written in the form of RFC 5952', () => {
  const character = fc.constantFrom(...'0123456789abf:.:.'.split(''));
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string({ unit: character, maxLength: 20 })), (text) => {
      const bytes = addressBytes(text);
      assert.equal(bytes?.length ?? 0, ADDRESS_BYTES[isIP(text)], text);
      if (bytes !== undefined) assert.deepEqual(addressBytes(addressText(bytes)), bytes);
    }),
    { numRuns: 2000 },
  );
  const table = [
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::ffff:1.2.3.4', '::ffff:102:304'],
  ] as const;
  for (const [text, written] of table) assert.equal(addressText(addressBytes(text) ?? new Uint8Array(4)), written);
});

/** By what node:net's isIP says. */
const ADDRESS_BYTES: Readonly<Record<number, number>> = { 0: 0, 4: 4, 6: 16 };
