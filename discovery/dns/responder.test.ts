import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FakeClock } from '../../kit/fake-clock.ts';
import { silentLog } from '../../kit/log.ts';
import { seededRandom } from '../../kit/random.ts';
import { buildRegistry } from '../registry/registry.ts';
import { sampleRegistry, service, slice } from '../testing/sample-cluster.ts';
import { Forwarder } from './forward.ts';
import type { Transport } from './plain-question.ts';
import { Responder } from './responder.ts';
import { CLASS, RCODE, TYPE } from './wire/codes.ts';
import { encodeMessage } from './wire/encode.ts';
import type { Message } from './wire/message.ts';
import { parseMessage } from './wire/parse.ts';
import { buildZone, type Zone } from './zone.ts';

const zoneOptions = { domain: 'cluster.local', serial: 1, serverAddress: '127.0.0.1', complete: true };
const sampleZone = buildZone(sampleRegistry(), zoneOptions);

function responder(zone: () => Zone = () => sampleZone): Responder {
  const log = silentLog();
  const forwarder = new Forwarder({ upstreams: [], clock: new FakeClock(), log });
  return new Responder({ zone, forwarder, random: seededRandom(1), log });
}

function query(changes: Partial<Message> = {}): Message {
  return {
    id: 0x1234,
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
    ...changes,
  };
}

async function ask(to: Responder, message: Message, transport: Transport = 'udp'): Promise<Message> {
  const bytes = await to.respond(Buffer.from(encodeMessage(message, 65_535)), transport);
  assert.ok(bytes, 'no answer');
  const parsed = parseMessage(bytes);
  assert.ok(parsed.ok, 'malformed answer');
  return parsed.message;
}

const edns = { payloadSizeBytes: 4096, version: 0, dnssecOk: true };

test('an answer has the question, the id and RD of the asker, and says that it is authoritative', async () => {
  const answer = await ask(responder(), query());
  assert.deepEqual(
    [
      answer.id,
      answer.response,
      answer.authoritative,
      answer.recursionDesired,
      answer.recursionAvailable,
      answer.rcode,
    ],
    [0x1234, true, true, true, true, RCODE.NOERROR],
  );
  assert.deepEqual(answer.questions, query().questions);
});

test('who sends EDNS gets EDNS with DO as it was; who does not, does not', async () => {
  assert.deepEqual((await ask(responder(), query({ edns }))).edns, {
    payloadSizeBytes: 1232,
    version: 0,
    dnssecOk: true,
  });
  assert.equal((await ask(responder(), query())).edns, undefined);
});

const refusals: readonly (readonly [what: string, changes: Partial<Message>, keyof typeof RCODE])[] = [
  ['another opcode', { opcode: 4 }, 'NOTIMP'],
  ['a later version of EDNS', { edns: { ...edns, version: 1 } }, 'BADVERS'],
  ['no question', { questions: [] }, 'FORMERR'],
  ['two questions', { questions: [...query().questions, ...query().questions] }, 'FORMERR'],
  ['another class', { questions: [{ name: 'version.bind', type: TYPE.TXT, class: 3 }] }, 'REFUSED'],
  ['a zone transfer', { questions: [{ name: 'cluster.local', type: TYPE.AXFR, class: CLASS.IN }] }, 'REFUSED'],
  [
    'a name elsewhere, without an upstream',
    { questions: [{ name: 'example.com', type: TYPE.A, class: CLASS.IN }] },
    'REFUSED',
  ],
];

for (const [what, changes, rcode] of refusals) {
  test(`${what} is answered ${rcode}`, async () => {
    const answer = await ask(responder(), query(changes));
    assert.equal(answer.rcode, RCODE[rcode]);
    assert.equal(answer.id, 0x1234);
    assert.deepEqual(answer.answers, []);
  });
}

test('every truncation of a query is answered FORMERR, or not at all when there is no header', async () => {
  const bytes = Buffer.from(encodeMessage(query({ edns }), 512));
  const to = responder();
  for (let length = 0; length < bytes.length; length++) {
    const answer = await to.respond(bytes.subarray(0, length), 'udp');
    if (length < 12) assert.equal(answer, undefined);
    else assert.equal((answer?.[3] ?? 0) & 0xf, RCODE.FORMERR, `${length} bytes`);
  }
});

test('answers are never answered', () => {
  assert.equal(responder().respond(Buffer.from(encodeMessage(query({ response: true }), 512)), 'udp'), undefined);
});

const names = [...sampleZone.names.keys(), 'nobody.default.svc.cluster.local'];
const questions = fc.record({
  id: fc.integer({ min: 0, max: 0xffff }),
  recursionDesired: fc.boolean(),
  checkingDisabled: fc.boolean(),
  edns: fc.constantFrom(undefined, edns, { ...edns, dnssecOk: false }, { ...edns, payloadSizeBytes: 100 }),
  name: fc.constantFrom(...names),
  type: fc.constantFrom(...Object.values(TYPE)),
  upper: fc.array(fc.boolean(), { minLength: 80, maxLength: 80 }),
  transport: fc.constantFrom<Transport>('udp', 'tcp'),
});

test('a cached answer is the answer that the zone gives, but for the turn of equal addresses', async () => {
  const cached = responder();
  await fc.assert(
    fc.asyncProperty(questions, async ({ name, type, upper, transport, ...changes }) => {
      const asked = name.replaceAll(/./g, (letter, at) =>
        upper[Number(at) % 80] === true ? letter.toUpperCase() : letter,
      );
      const message = query({ ...changes, questions: [{ name: asked, type, class: CLASS.IN }] });
      const [fresh, again] = [await ask(responder(), message, transport), await ask(cached, message, transport)];
      const sorted = ({ answers, ...rest }: Message) => ({
        ...rest,
        answers: answers.map((each) => JSON.stringify(each)).sort(),
      });
      assert.deepEqual(sorted(again), sorted(fresh));
      assert.equal(again.questions[0]?.name, asked);
    }),
    { numRuns: 2000 },
  );
});

test('the addresses of a headless Service take turns in front', async () => {
  const to = responder();
  const asked = query({ questions: [{ name: 'db.default.svc.cluster.local', type: TYPE.A, class: CLASS.IN }] });
  const first = new Map<string, number>();
  for (let asks = 0; asks < 300; asks++) {
    const { answers } = await ask(to, asked);
    assert.equal(new Set(answers.map(({ data }) => JSON.stringify(data))).size, 3);
    const front = JSON.stringify(answers[0]?.data);
    first.set(front, (first.get(front) ?? 0) + 1);
  }
  assert.equal(first.size, 3);
  for (const count of first.values()) assert.ok(count > 60, `${count} of 300`);
});

test('a new zone is answered from at once', async () => {
  let zone = sampleZone;
  const to = responder(() => zone);
  assert.equal((await ask(to, query())).answers.length, 1);
  zone = buildZone(buildRegistry([], []), zoneOptions);
  assert.equal((await ask(to, query())).rcode, RCODE.NXDOMAIN);
  zone = sampleZone;
  assert.equal((await ask(to, query())).answers.length, 1);
});

test('an answer too large for UDP is cut and flagged there, and whole over TCP', async () => {
  const endpoints = Array.from({ length: 200 }, (_, at) => ({ addresses: [`127.64.1.${at}`] }));
  const registry = buildRegistry(
    [service('many', { clusterIP: 'None', ports: [{ port: 80 }] })],
    [slice('many', { name: 'many-1', endpoints })],
  );
  const to = responder(() => buildZone(registry, zoneOptions));
  const asked = { questions: [{ name: 'many.default.svc.cluster.local', type: TYPE.A, class: CLASS.IN }] };
  for (const [message, limit] of [
    [query(asked), 512],
    [query({ ...asked, edns }), 1232],
    [query({ ...asked, edns: { ...edns, payloadSizeBytes: 700 } }), 700],
    [query({ ...asked, edns: { ...edns, payloadSizeBytes: 0 } }), 512],
  ] as const) {
    const bytes = await to.respond(Buffer.from(encodeMessage(message, 512)), 'udp');
    assert.ok(bytes && bytes.length <= limit && bytes.length > limit - 40, `${bytes?.length} of ${limit}`);
    assert.equal((await ask(to, message)).truncated, true);
  }
  const whole = await ask(to, query(asked), 'tcp');
  assert.deepEqual([whole.truncated, whole.answers.length], [false, 200]);
});

test('a defect behind the zone is answered SERVFAIL instead of ending the server', async () => {
  const broken = responder(() => ({ ...sampleZone, names: undefined }) as unknown as Zone);
  assert.equal((await ask(broken, query())).rcode, RCODE.SERVFAIL);
});
