import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { type TestContext, test } from 'node:test';
import * as fc from 'fast-check';
import { FakeClock } from '../../../kit/fake-clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { seededRandom } from '../../../kit/random.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { sampleRegistry } from '../../testing/sample-cluster.ts';
import { Forwarder } from '../forward.ts';
import { Responder } from '../responder.ts';
import type { Upstream } from '../upstream.ts';
import { CLASS, RCODE, TYPE } from '../wire/codes.ts';
import { encodeMessage } from '../wire/encode.ts';
import { type Message, record } from '../wire/message.ts';
import { parseMessage } from '../wire/parse.ts';
import { buildZone } from '../zone.ts';
import { type Batch, openBatch } from './batch.ts';
import { BATCH } from './memory.ts';
import { UdpServer } from './serve.ts';
import { readSocketAddress } from './socket-address.ts';

const zone = buildZone(sampleRegistry(), {
  domain: 'cluster.local',
  serial: 1,
  serverAddress: '127.0.0.1',
  complete: true,
});
const WEB = 'web.default.svc.cluster.local';

/** Where Node has FFI the tests must not quietly go the other way. */
const canBatch = process.platform === 'linux' && Number.parseInt(process.versions.node, 10) >= 26;
const WAYS = canBatch ? (['batched', 'single'] as const) : (['single'] as const);
type Way = (typeof WAYS)[number];

function query(id: number, name = WEB, changes: Partial<Message> = {}): Uint8Array {
  const flags = { response: false, authoritative: false, truncated: false, recursionDesired: true };
  const rest = { recursionAvailable: false, checkingDisabled: false, answers: [], authority: [], additional: [] };
  const questions = [{ name, type: TYPE.A, class: CLASS.IN }];
  return encodeMessage({ id, opcode: 0, rcode: 0, ...flags, ...rest, questions, edns: undefined, ...changes }, 65_535);
}

function responder(upstreams: readonly Upstream[] = []): { responder: Responder; close: () => void } {
  const log = silentLog();
  // The clock stands still: a machine that stalls makes no upstream silent.
  const forwarder = new Forwarder({ upstreams, clock: new FakeClock(), log });
  return {
    responder: new Responder({ zone: () => zone, forwarder, random: seededRandom(1), log }),
    close: () => forwarder.close(),
  };
}

async function bound(address: string): Promise<Socket> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4').bind(0, address);
  await once(socket, 'listening');
  return socket;
}

interface Served {
  readonly udp: Socket;
  readonly address: string;
  readonly port: number;
  /** How many datagrams each `receive` gave. */
  readonly received: number[];
}

interface ServeOptions {
  readonly address?: string;
  readonly upstreams?: readonly Upstream[];
  /** Looks at, or changes, what a batch has just received. */
  readonly onReceived?: (batch: Batch, count: number) => void;
}

async function serve(context: TestContext, way: Way, options: ServeOptions = {}): Promise<Served> {
  const { address = '127.0.0.1', upstreams, onReceived } = options;
  const udp = await bound(address);
  const received: number[] = [];
  const real = way === 'batched' ? openBatch() : undefined;
  const batch: Batch | undefined = real && {
    ...real,
    receive: (descriptor) => {
      const count = real.receive(descriptor);
      received.push(count);
      onReceived?.(real, count);
      return count;
    },
  };
  const answering = responder(upstreams);
  const server = new UdpServer({ udp, responder: answering.responder, batch, log: silentLog() });
  assert.equal(server.batched, way === 'batched');
  context.after(async () => {
    answering.close();
    await server.close();
  });
  return { udp, address, port: udp.address().port, received };
}

interface Asker {
  readonly socket: Socket;
  /** Sends all before the server can have read one, and gives the answers once there are so many. */
  readonly ask: (packets: readonly Uint8Array[], answers: number) => Promise<Buffer[]>;
}

async function asker(context: TestContext, { address, port }: Served): Promise<Asker> {
  const socket = await bound(address);
  context.after(() => socket.close());
  let got: Buffer[] = [];
  let enough = (): void => {};
  let wanted = 0;
  socket.on('message', (answer) => {
    got.push(answer);
    if (got.length === wanted) enough();
  });
  return {
    socket,
    ask: async (packets, answers) => {
      got = [];
      wanted = answers;
      const there = new Promise<void>((resolve) => {
        enough = resolve;
      });
      for (const packet of packets) socket.send(packet, port, address);
      if (answers > 0) await there;
      return got;
    },
  };
}

const idOf = (packet: Uint8Array): number => ((packet[0] ?? 0) << 8) | (packet[1] ?? 0);
const ids = (packets: readonly Uint8Array[]): number[] => packets.map(idOf).sort((a, b) => a - b);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

function read(packet: Uint8Array | undefined): Message {
  const parsed = parseMessage(packet ?? new Uint8Array());
  assert.ok(parsed.ok);
  return parsed.message;
}

for (const way of WAYS) {
  for (const address of ['127.0.0.1', '::1']) {
    test(`${way}: many questions at once to ${address} are all answered, each with its own`, async (context) => {
      const served = await serve(context, way, { address });
      const { ask } = await asker(context, served);
      const names = [WEB, 'dual.default.svc.cluster.local', 'nobody.default.svc.cluster.local'];
      const packets = upTo(150).map((id) => query(id, names[id % 3]));
      const answers = await ask(packets, 150);
      assert.deepEqual(ids(answers), upTo(150));
      for (const answer of answers.map(read)) {
        const name = names[answer.id % 3];
        assert.equal(answer.questions[0]?.name, name);
        assert.equal(answer.rcode, name?.startsWith('nobody') === true ? RCODE.NXDOMAIN : RCODE.NOERROR);
      }
    });
  }

  test(`${way}: questions for other servers are answered when those have, among others that are answered at once`, async (context) => {
    const upstream = await bound('127.0.0.1');
    context.after(() => upstream.close());
    const served = await serve(context, way, { upstreams: [{ address: '127.0.0.1', port: upstream.address().port }] });
    const held: (() => void)[] = [];
    upstream.on('message', (packet, from) => {
      const asked = read(packet);
      const name = asked.questions[0]?.name ?? '';
      const answers = [record(name, 60, { type: 'A', address: '192.0.2.7' })];
      held.push(() =>
        upstream.send(encodeMessage({ ...asked, response: true, answers }, 512), from.port, from.address),
      );
    });
    const { socket, ask } = await asker(context, served);
    const packets = upTo(60).map((id) => query(id, id % 3 === 0 ? `www${id}.example.com` : WEB));
    assert.deepEqual(
      ids(await ask(packets, 40)),
      upTo(60).filter((id) => id % 3 !== 0),
    );
    await eventually('all are forwarded', () => held.length === 20);
    const late: Message[] = [];
    socket.on('message', (packet) => late.push(read(packet)));
    for (const release of held) release();
    await eventually('all are answered', () => late.length === 20);
    for (const { id, questions, answers } of late) {
      assert.equal(questions[0]?.name, `www${id}.example.com`);
      assert.deepEqual(
        answers.map(({ data }) => 'address' in data && data.address),
        ['192.0.2.7'],
      );
    }
  });

  test(`${way}: a question that is under way when the server closes is answered to nobody`, async () => {
    const silent = await bound('127.0.0.1');
    const answering = responder([{ address: '127.0.0.1', port: silent.address().port }]);
    const udp = await bound('127.0.0.1');
    const batch = way === 'batched' ? openBatch() : undefined;
    const server = new UdpServer({ udp, responder: answering.responder, batch, log: silentLog() });
    const socket = await bound('127.0.0.1');
    for (const id of upTo(3)) socket.send(query(id, `www${id}.example.com`), udp.address().port, '127.0.0.1');
    const asked: unknown[] = [];
    silent.on('message', (packet) => asked.push(packet));
    await eventually('all are forwarded', () => asked.length === 3);
    const closed = server.close();
    // The forwarder gives up, and its answers find the socket closed: what node throws then would end the process.
    answering.close();
    await closed;
    await new Promise((resolve) => setImmediate(resolve));
    silent.close();
    socket.close();
  });

  test(`${way}: a question that says it comes from port 0 is not answered, and ends nothing`, async (context) => {
    const served = await serve(context, way);
    served.udp.emit('message', Buffer.from(query(1)), { address: '127.0.0.1', family: 'IPv4', port: 0, size: 0 });
    const { ask } = await asker(context, served);
    assert.deepEqual(ids(await ask([query(2)], 1)), [2]);
  });

  test(`${way}: 100,000 hostile packets: each is answered as it would be alone, none with more than was sent unless it asked`, async (context) => {
    const served = await serve(context, way);
    const { ask } = await asker(context, served);
    const alone = responder().responder;
    const size = 100;
    await fc.assert(
      fc.asyncProperty(fc.array(hostilePacket, { minLength: size, maxLength: size }), async (packets) => {
        const wanted: string[] = [];
        for (const packet of packets) {
          const answer = await alone.respond(Buffer.from(packet), 'udp');
          if (answer === undefined) continue;
          if (!parseMessage(packet).ok) assert.ok(answer.length <= packet.length);
          wanted.push(Buffer.from(answer).toString('hex'));
        }
        const answers = await ask(packets, wanted.length);
        assert.deepEqual(answers.map((answer) => answer.toString('hex')).sort(), wanted.sort());
      }),
      { numRuns: (way === 'batched' ? 100_000 : 10_000) / size },
    );
    const inBatches = served.received.reduce((sum, count) => sum + count, 0);
    if (way === 'batched') assert.ok(inBatches > 90_000, `${inBatches} in batches`);
  });
}

/** Any bytes; and real questions with some of their bytes changed, which get further into the parser. */
const hostilePacket = fc.oneof(
  fc.uint8Array({ maxLength: 100 }),
  fc
    .record({
      name: fc.constantFrom(WEB, '_pg._tcp.db.default.svc.cluster.local', 'a.example'),
      type: fc.constantFrom(...Object.values(TYPE)),
      changes: fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 4 }),
    })
    .map(({ name, type, changes }) => {
      const edns = { payloadSizeBytes: 4096, version: 0, dnssecOk: true };
      const bytes = query(0x1234, name, { edns, questions: [{ name, type, class: CLASS.IN }] });
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      return bytes;
    }),
);

const batchedOnly = { skip: canBatch ? false : 'needs node:ffi' };

test(
  'one batch goes with each datagram of node, however many wait, so that others get their turn',
  batchedOnly,
  async (context) => {
    const served = await serve(context, 'batched');
    let events = 0;
    served.udp.on('message', () => events++);
    const { ask } = await asker(context, served);
    await ask(
      upTo(150).map((id) => query(id)),
      150,
    );
    assert.equal(served.received.length, events);
    assert.equal(
      served.received.reduce((sum, count) => sum + count, events),
      150,
    );
    assert.ok(served.received.every((count) => count <= BATCH));
    assert.ok(served.received.includes(BATCH), String(served.received));
  },
);

test('the askers in a batch are who node says they are', batchedOnly, async (context) => {
  for (const address of ['127.0.0.1', '::1']) {
    const seen: unknown[] = [];
    const onReceived = ({ slots }: Batch, count: number): void =>
      void seen.push(...slots.slice(0, count).map(({ asker: from }) => readSocketAddress(from)));
    const served = await serve(context, 'batched', { address, onReceived });
    const { socket, ask } = await asker(context, served);
    await ask(
      upTo(20).map((id) => query(id)),
      20,
    );
    const { port } = socket.address();
    assert.deepEqual(
      seen,
      Array.from({ length: 19 }, () => ({ address, port })),
    );
  }
});

test('what the system does not send stops nothing else of its batch', batchedOnly, async (context) => {
  // The system sends to a broadcast address for nobody who did not ask to (EACCES), and to port 0 for nobody at all (EINVAL).
  const unsendable = [0, 1, 7, 12, 18];
  const onReceived = ({ slots }: Batch): void => {
    for (const at of unsendable) slots[at]?.asker.set(at % 2 === 0 ? [0, 0] : [0, 53, 255, 255, 255, 255], 2);
  };
  const served = await serve(context, 'batched', { onReceived });
  const { ask } = await asker(context, served);
  // The first is node's, so the one in slot 0 is the second.
  const answers = await ask(
    upTo(20).map((id) => query(id)),
    20 - unsendable.length,
  );
  assert.deepEqual(
    ids(answers),
    upTo(20).filter((id) => !unsendable.includes(id - 1)),
  );
});

test('a datagram as large as there are is read whole', batchedOnly, async (context) => {
  const lengths: number[] = [];
  const onReceived = (batch: Batch, count: number): void =>
    void lengths.push(...batch.slots.slice(0, count).map((slot) => batch.queryBytes(slot)));
  const served = await serve(context, 'batched', { onReceived });
  const { ask } = await asker(context, served);
  const answers = await ask([query(1), new Uint8Array(65_507), query(2)], 3);
  assert.deepEqual(lengths, [65_507, query(2).length]);
  assert.deepEqual(ids(answers), [0, 1, 2]);
});

test('a socket that is closed is not read from', batchedOnly, async () => {
  const udp = await bound('127.0.0.1');
  const descriptors: number[] = [];
  const batch = openBatch();
  assert.ok(batch);
  const receive = (descriptor: number): number => descriptors.push(descriptor) * 0;
  const server = new UdpServer({
    udp,
    responder: responder().responder,
    batch: { ...batch, receive },
    log: silentLog(),
  });
  const message = [Buffer.from(query(1)), { address: '127.0.0.1', family: 'IPv4', port: 9, size: 0 }] as const;
  udp.emit('message', ...message);
  assert.equal(descriptors.length, 1);
  const closed = server.close();
  udp.emit('message', ...message);
  await closed;
  udp.emit('message', ...message);
  assert.equal(descriptors.length, 1);
});
