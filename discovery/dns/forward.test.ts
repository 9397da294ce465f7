import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Clock } from '../../kit/clock.ts';
import { FakeClock } from '../../kit/fake-clock.ts';
import { silentLog } from '../../kit/log.ts';
import { seededRandom } from '../../kit/random.ts';
import { eventually } from '../../test/support/eventually.ts';
import { sampleRegistry } from '../testing/sample-cluster.ts';
import { Forwarder } from './forward.ts';
import { Responder } from './responder.ts';
import { FrameReader, frame } from './tcp-frames.ts';
import { parseResolvConf, type Upstream } from './upstream.ts';
import { CLASS, RCODE, TYPE } from './wire/codes.ts';
import { encodeMessage } from './wire/encode.ts';
import { type Message, type ResourceRecord, record } from './wire/message.ts';
import { parseMessage } from './wire/parse.ts';
import { buildZone } from './zone.ts';

type Answer = (query: Message, transport: 'udp' | 'tcp') => Partial<Message> | 'silent' | Uint8Array;

interface FakeUpstream extends Upstream {
  readonly asked: { readonly transport: 'udp' | 'tcp'; readonly query: Message }[];
}

/** A DNS server that says what the test tells it, on a port of the system's choice. */
async function upstream(context: TestContext, answer: Answer): Promise<FakeUpstream> {
  const asked: FakeUpstream['asked'] = [];
  const reply = (bytes: Uint8Array, transport: 'udp' | 'tcp'): Uint8Array | undefined => {
    const parsed = parseMessage(bytes);
    assert.ok(parsed.ok);
    asked.push({ transport, query: parsed.message });
    const said = answer(parsed.message, transport);
    if (said === 'silent') return undefined;
    return said instanceof Uint8Array ? said : encodeMessage({ ...parsed.message, response: true, ...said }, 65_535);
  };
  const answerTcp = (socket: Socket): void => {
    const frames = new FrameReader();
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      for (const query of frames.push(chunk)) {
        const bytes = reply(query, 'tcp');
        if (bytes !== undefined) socket.write(frame(bytes));
      }
    });
  };
  const { tcp, udp, port } = await bindBoth(answerTcp);
  udp.on('message', (query, from) => {
    const bytes = reply(query, 'udp');
    if (bytes !== undefined) udp.send(bytes, from.port, from.address);
  });
  context.after(() => {
    udp.close();
    tcp.close();
  });
  return { address: '127.0.0.1', port, asked };
}

/** A port that is free for TCP may be taken for UDP: then another is tried. */
async function bindBoth(onConnection: (socket: Socket) => void) {
  for (;;) {
    const tcp = createServer(onConnection).listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const { port } = tcp.address() as AddressInfo;
    const udp = createSocket('udp4').bind(port, '127.0.0.1');
    try {
      await once(udp, 'listening');
      return { tcp, udp, port };
    } catch {
      tcp.close();
      udp.close();
    }
  }
}

/** By a clock that stands still unless told: a machine that stalls makes no upstream silent. */
function forwarder(context: TestContext, upstreams: readonly Upstream[], clock: Clock = new FakeClock()): Forwarder {
  const made = new Forwarder({ upstreams, clock, log: silentLog() });
  context.after(() => made.close());
  return made;
}

function query(name = 'www.example.com', changes: Partial<Message> = {}): Message {
  return {
    id: 99,
    response: false,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: false,
    checkingDisabled: false,
    rcode: 0,
    questions: [{ name, type: TYPE.A, class: CLASS.IN }],
    answers: [],
    authority: [],
    additional: [],
    edns: undefined,
    ...changes,
  };
}

const address = (name: string): ResourceRecord => record(name, 300, { type: 'A', address: '192.0.2.53' });
const known: Answer = ({ questions }) => ({ answers: questions.map(({ name }) => address(name)) });

async function resolved(from: Forwarder, asked = query()): Promise<Message | string> {
  const forwarded = await from.resolve(asked);
  if (!forwarded.ok) return forwarded.reason;
  const parsed = parseMessage(forwarded.bytes);
  assert.ok(parsed.ok);
  return parsed.message;
}

const addresses = (message: Message | string): unknown =>
  typeof message === 'string' ? message : message.answers.map(({ data }) => 'address' in data && data.address);

test('a question goes to the upstream with an id of its own and recursion wanted, and its answer comes back', async (context) => {
  const server = await upstream(context, known);
  const from = forwarder(context, [server]);
  const ids = new Set<number>();
  for (let asks = 0; asks < 4; asks++) {
    assert.deepEqual(addresses(await resolved(from, query(`www${asks}.example.com`))), ['192.0.2.53']);
    const seen = server.asked.at(-1)?.query;
    assert.equal(seen?.recursionDesired, true);
    assert.equal(seen?.edns, undefined);
    ids.add(seen?.id ?? -1);
  }
  assert.ok(ids.size > 1, 'ids cannot be guessed');
});

test("the asker's EDNS is for one hop: the upstream gets ours, with DO as it was", async (context) => {
  const server = await upstream(context, known);
  await resolved(
    forwarder(context, [server]),
    query('a.example', { edns: { payloadSizeBytes: 4096, version: 0, dnssecOk: true } }),
  );
  assert.deepEqual(server.asked[0]?.query.edns, { payloadSizeBytes: 1232, version: 0, dnssecOk: true });
});

test('a truncated answer is asked for again over TCP', async (context) => {
  const many = Array.from({ length: 100 }, () => address('www.example.com'));
  const server = await upstream(context, (_, transport) =>
    transport === 'udp' ? { truncated: true } : { answers: many },
  );
  const message = await resolved(forwarder(context, [server]));
  assert.equal((addresses(message) as unknown[]).length, 100);
  assert.deepEqual(
    server.asked.map(({ transport }) => transport),
    ['udp', 'tcp'],
  );
});

for (const rcode of ['SERVFAIL', 'REFUSED'] as const) {
  test(`an upstream that says ${rcode} is passed over for the next, which is asked first from then on`, async (context) => {
    const unable = await upstream(context, () => ({ rcode: RCODE[rcode] }));
    const able = await upstream(context, known);
    const from = forwarder(context, [unable, able]);
    assert.deepEqual(addresses(await resolved(from, query('one.example'))), ['192.0.2.53']);
    assert.deepEqual(addresses(await resolved(from, query('two.example'))), ['192.0.2.53']);
    assert.deepEqual([unable.asked.length, able.asked.length], [1, 2]);
  });
}

test('"no such name" is an answer: no other upstream is asked', async (context) => {
  const first = await upstream(context, () => ({ rcode: RCODE.NXDOMAIN }));
  const second = await upstream(context, known);
  const message = await resolved(forwarder(context, [first, second]));
  assert.equal(typeof message !== 'string' && message.rcode, RCODE.NXDOMAIN);
  assert.equal(second.asked.length, 0);
});

test('an upstream where nothing listens is passed over at once', async (context) => {
  const able = await upstream(context, known);
  // tcpmux, which has no UDP.
  const closed = { address: '127.0.0.1', port: 1 };
  // A clock that stands still: only the refusal itself can move it on.
  assert.deepEqual(addresses(await resolved(forwarder(context, [closed, able], new FakeClock()))), ['192.0.2.53']);
});

test('an upstream that is silent is passed over after its time, and all silent is no answer', async (context) => {
  const clock = new FakeClock();
  const silent = await upstream(context, () => 'silent');
  const able = await upstream(context, known);
  const first = resolved(forwarder(context, [silent, able], clock));
  await eventually('the silent upstream is asked', () => silent.asked.length === 1 || undefined);
  await clock.advance(1500);
  assert.deepEqual(addresses(await first), ['192.0.2.53']);

  const none = resolved(forwarder(context, [silent], clock));
  for (const tries of [2, 3, 4]) {
    await eventually('the silent upstream is asked again', () => silent.asked.length === tries || undefined);
    await clock.advance(1500);
  }
  assert.equal(await none, 'no answer');
  assert.equal(clock.pendingTimers, 0);
});

test('answers that a forger could send are passed over: another id, another question, no answer at all', async (context) => {
  const clock = new FakeClock();
  const other = query('www.example.org').questions;
  const forged: readonly Answer[] = [
    ({ id }) => ({ id: (id + 1) & 0xffff, answers: [address('www.example.com')] }),
    () => ({ questions: other }),
    () => ({ response: false }),
    ({ questions }) => ({ questions: questions.map((each) => ({ ...each, name: each.name.toUpperCase() })) }),
    () => new Uint8Array(3),
  ];
  for (const answer of forged) {
    const server = await upstream(context, answer);
    const result = resolved(forwarder(context, [server], clock));
    for (const tries of [1, 2, 3]) {
      await eventually('the upstream is asked', () => server.asked.length === tries || undefined);
      await clock.advance(1500);
    }
    assert.equal(await result, 'no answer');
  }
});

test('more than 500 questions under way are refused at once, and close ends those that wait', async (context) => {
  const silent = await upstream(context, () => 'silent');
  const from = forwarder(context, [silent], new FakeClock());
  const waiting = Array.from({ length: 500 }, (_, at) => resolved(from, query(`name${at}.example`)));
  assert.equal(await resolved(from), 'busy');
  from.close();
  assert.deepEqual(new Set(await Promise.all(waiting)), new Set(['no answer']));
});

test('a question that is under way is not asked a second time, and each asker has the answer', async (context) => {
  const server = await upstream(context, known);
  const from = forwarder(context, [server]);
  const all = await Promise.all(Array.from({ length: 20 }, () => resolved(from)));
  for (const message of all) assert.deepEqual(addresses(message), ['192.0.2.53']);
  assert.equal(server.asked.length, 1);
});

test('an answer is kept for its time: asked again in another case it comes at once, spelled as asked, its TTL lower', async (context) => {
  const clock = new FakeClock();
  const server = await upstream(context, ({ questions }) => ({
    answers: questions.map(({ name }) => record(name, 20, { type: 'A', address: '192.0.2.53' })),
  }));
  const from = forwarder(context, [server], clock);
  await resolved(from);
  await clock.advance(7000);
  const again = await resolved(from, query('WWW.example.com'));
  assert.ok(typeof again !== 'string');
  assert.deepEqual(again.questions[0]?.name, 'WWW.example.com');
  assert.deepEqual(
    again.answers.map(({ ttlSeconds }) => ttlSeconds),
    [13],
  );
  assert.equal(server.asked.length, 1);
  await clock.advance(13_000);
  await resolved(from);
  assert.equal(server.asked.length, 2);
});

test('without upstreams there is nobody to ask', async (context) => {
  assert.equal(await resolved(forwarder(context, [])), 'no upstream');
});

const zone = buildZone(sampleRegistry(), {
  domain: 'cluster.local',
  serial: 1,
  serverAddress: '127.0.0.1',
  complete: true,
});

function responder(context: TestContext, upstreams: readonly Upstream[]): Responder {
  const random = seededRandom(1);
  return new Responder({ zone: () => zone, forwarder: forwarder(context, upstreams), random, log: silentLog() });
}

async function respond(to: Responder, asked: Message): Promise<Message> {
  const bytes = await to.respond(Buffer.from(encodeMessage(asked, 512)), 'udp');
  const parsed = parseMessage(bytes ?? new Uint8Array());
  assert.ok(parsed.ok);
  return parsed.message;
}

test("a relayed answer has the asker's id, and is cut to what the asker takes", async (context) => {
  const many = Array.from({ length: 60 }, () => address('www.example.com'));
  const server = await upstream(context, ({ questions }) => ({
    answers: questions[0]?.name === 'many.example' ? many : many.slice(0, 1),
  }));
  const to = responder(context, [server]);
  const whole = await respond(to, query());
  assert.deepEqual([whole.id, whole.truncated, whole.answers.length], [99, false, 1]);
  const cut = await respond(to, query('many.example'));
  assert.deepEqual([cut.id, cut.truncated, cut.answers.length, cut.rcode], [99, true, 0, RCODE.NOERROR]);
});

test('an ExternalName outside the cluster is followed, and is SERVFAIL when its target cannot be asked for', async (context) => {
  const server = await upstream(context, known);
  const answer = await respond(responder(context, [server]), query('outside.default.svc.cluster.local'));
  assert.deepEqual(
    answer.answers.map(({ name, data }) => [name, data.type]),
    [
      ['outside.default.svc.cluster.local', 'CNAME'],
      ['www.example.com', 'A'],
    ],
  );
  const failed = await respond(responder(context, []), query('outside.default.svc.cluster.local'));
  assert.deepEqual([failed.rcode, failed.answers.length], [RCODE.SERVFAIL, 0]);
});

test('resolv.conf: the first three addresses, and nothing that is no address', () => {
  const text = `# generated
search example.com
nameserver 10.0.0.1
 nameserver 10.0.0.9
nameserver not-an-address
nameserver fe80::1%eth0
options ndots:5
nameserver\t10.0.0.2
nameserver 10.0.0.3`;
  assert.deepEqual(parseResolvConf(text), [
    { address: '10.0.0.1', port: 53 },
    { address: 'fe80::1%eth0', port: 53 },
    { address: '10.0.0.2', port: 53 },
  ]);
  assert.deepEqual(parseResolvConf(''), []);
});
