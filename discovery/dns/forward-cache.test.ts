import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FakeClock } from '../../kit/fake-clock.ts';
import { ForwardCache } from './forward-cache.ts';
import { CLASS, RCODE, TYPE } from './wire/codes.ts';
import { encodeMessage } from './wire/encode.ts';
import { type Message, type RecordData, type ResourceRecord, record } from './wire/message.ts';

function message(name: string, changes: Partial<Message> = {}): Message {
  return {
    id: 7,
    response: false,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: true,
    checkingDisabled: false,
    rcode: RCODE.NOERROR,
    questions: [{ name, type: TYPE.A, class: CLASS.IN }],
    answers: [],
    authority: [],
    additional: [],
    edns: undefined,
    ...changes,
  };
}

const NAME = 'www.example.com';
const address = (ttlSeconds: number): ResourceRecord => record(NAME, ttlSeconds, { type: 'A', address: '192.0.2.1' });
const other = (code: number): RecordData => ({ type: 'other', code, bytes: new Uint8Array([1, 2]) });

function soa(ttlSeconds: number, minimumSeconds: number): ResourceRecord {
  const times = { serial: 1, refreshSeconds: 1, retrySeconds: 1, expireSeconds: 1, minimumSeconds };
  return record('example.com', ttlSeconds, {
    type: 'SOA',
    primary: 'ns.example.com',
    mailbox: 'a.example.com',
    ...times,
  });
}

/** For how many whole seconds the answer is kept. */
async function keptFor(answer: Partial<Message>): Promise<number> {
  const clock = new FakeClock();
  const cache = new ForwardCache(clock);
  cache.put(message(NAME), encodeMessage(message(NAME, { response: true, ...answer }), 65_535));
  let seconds = 0;
  while (seconds < 100 && cache.get(message(NAME)) !== undefined) {
    await clock.advance(1000);
    seconds++;
  }
  return seconds;
}

const lifetimes: readonly (readonly [what: string, answer: Partial<Message>, seconds: number])[] = [
  ['the lowest TTL of the answers', { answers: [address(20), address(9)] }, 9],
  ['no more than 30 s, whatever the TTL', { answers: [address(86_400)] }, 30],
  ['not at all with TTL 0', { answers: [address(0)] }, 0],
  ['no such name: the minimum of the SOA (RFC 2308)', { rcode: RCODE.NXDOMAIN, authority: [soa(20, 8)] }, 8],
  ['no such record: the TTL of the SOA when that is lower', { authority: [soa(5, 8)] }, 5],
  ['not at all without a SOA', { rcode: RCODE.NXDOMAIN }, 0],
  ['not at all when the server failed', { rcode: RCODE.SERVFAIL, answers: [address(20)] }, 0],
  ['not at all when it was cut', { truncated: true, answers: [address(20)] }, 0],
  ['a record of a later type (HTTPS) as any', { answers: [record(NAME, 20, other(65))] }, 20],
  ['not at all with a type whose names may point elsewhere (AFSDB)', { answers: [record(NAME, 20, other(18))] }, 0],
];

for (const [what, answer, seconds] of lifetimes) {
  test(`an answer is kept for ${what}`, async () => assert.equal(await keptFor(answer), seconds));
}

test('askers with other EDNS or CD, and other types and classes of the name, have answers of their own', () => {
  const cache = new ForwardCache(new FakeClock());
  cache.put(message(NAME), encodeMessage(message(NAME, { response: true, answers: [address(20)] }), 65_535));
  const questions = [{ name: NAME, type: TYPE.AAAA, class: CLASS.IN }];
  const others: readonly Partial<Message>[] = [
    { checkingDisabled: true },
    { edns: { payloadSizeBytes: 1232, version: 0, dnssecOk: false } },
    { edns: { payloadSizeBytes: 1232, version: 0, dnssecOk: true } },
    { questions },
  ];
  for (const changes of others) assert.equal(cache.get(message(NAME, changes)), undefined);
  assert.notEqual(cache.get(message(NAME)), undefined);
});

test('whatever an upstream sends, keeping it neither throws nor is kept beyond 2,048 answers', () => {
  const cache = new ForwardCache(new FakeClock());
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      cache.put(message(NAME), bytes);
    }),
    { numRuns: 2000 },
  );
  const answer = (name: string): Uint8Array =>
    encodeMessage(
      message(name, { response: true, answers: [record(name, 20, { type: 'A', address: '192.0.2.1' })] }),
      512,
    );
  const names = Array.from({ length: 3000 }, (_, at) => `n${at}.example`);
  for (const name of names) cache.put(message(name), answer(name));
  assert.equal(names.filter((name) => cache.get(message(name)) !== undefined).length, 2048);
  assert.notEqual(cache.get(message('n2999.example')), undefined);
});
