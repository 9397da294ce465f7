import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import tls from 'node:tls';
import fc from 'fast-check';
import { testAuthority } from '../test-support/mesh.ts';
import { Outbox } from './outbox.ts';

type Connect = () => Promise<{ readonly writing: net.Socket; readonly reading: net.Socket }>;

const step = fc.oneof(
  fc.record({ kind: fc.constant('text' as const), bytes: fc.integer({ min: 1, max: 40_000 }) }),
  fc.record({ kind: fc.constant('small' as const), bytes: fc.integer({ min: 1, max: 200 }) }),
  fc.record({ kind: fc.constant('soon' as const), bytes: fc.integer({ min: 1, max: 20_000 }) }),
  fc.record({ kind: fc.constant('bytes' as const), bytes: fc.integer({ min: 1, max: 60_000 }) }),
  fc.record({ kind: fc.constant('stream' as const), bytes: fc.integer({ min: 1, max: 30_000 }) }),
  fc.record({ kind: fc.constant('turn' as const), bytes: fc.constant(0) }),
);

/** Whatever is written, by whichever way, comes in its order and whole, and then the end does. */
async function comesInOrder(connect: Connect, turns: 'with turns between' | 'all at once'): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.boolean(), async (steps, slow) => {
      const { writing, reading } = await connect();
      let got = '';
      let failure: Error | undefined;
      reading.on('data', (data: Buffer) => (got += data.toString('latin1')));
      for (const socket of [reading, writing]) socket.on('error', (error) => (failure = error));
      if (slow) reading.pause();
      const outbox = new Outbox(writing);
      let wanted = '';
      for (const [at, { kind, bytes }] of steps.entries()) {
        const piece = String.fromCharCode(97 + (at % 26)).repeat(bytes);
        wanted += piece;
        if (kind === 'turn') {
          if (turns === 'with turns between') await new Promise((resolve) => setImmediate(resolve));
        } else if (kind === 'bytes') outbox.bytes(Buffer.from(piece, 'latin1'), 0, bytes);
        else {
          if (kind === 'stream') {
            outbox.flush();
            writing.write(piece, 'latin1');
          } else outbox.text(piece);
          if (kind === 'soon') outbox.flushSoon();
          else outbox.flush();
        }
      }
      outbox.flush();
      writing.end();
      if (slow) setImmediate(() => reading.resume());
      await once(reading, 'end');
      writing.destroy();
      reading.destroy();
      assert.equal(failure, undefined);
      assert.equal(got, wanted);
    }),
    { numRuns: 20 },
  );
}

test('on a plain socket what is written directly and by the stream comes in order', async () => {
  const waiting: ((socket: net.Socket) => void)[] = [];
  const server = net.createServer((socket) => waiting.shift()?.(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  const connect: Connect = async () => {
    const accepted = new Promise<net.Socket>((resolve) => waiting.push(resolve));
    const reading = net.connect(port, '127.0.0.1');
    await once(reading, 'connect');
    return { writing: await accepted, reading };
  };
  try {
    await comesInOrder(connect, 'with turns between');
    await comesInOrder(connect, 'all at once');
  } finally {
    server.close();
  }
});

test('on a TLS socket too, on either side, and close_notify comes last', async () => {
  await using ca = await testAuthority();
  const { certificateChainPem: cert, privateKeyPem: key } = ca.identity('web');
  const waiting: ((socket: net.Socket) => void)[] = [];
  const server = tls.createServer({ cert, key, minVersion: 'TLSv1.3' }, (socket) => waiting.shift()?.(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  const pair = async (): Promise<readonly [client: net.Socket, server: net.Socket]> => {
    const accepted = new Promise<net.Socket>((resolve) => waiting.push(resolve));
    const client = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(client, 'secureConnect');
    return [client, await accepted];
  };
  try {
    for (const turns of ['with turns between', 'all at once'] as const) {
      await comesInOrder(async () => {
        const [reading, writing] = await pair();
        return { writing, reading };
      }, turns);
      await comesInOrder(async () => {
        const [writing, reading] = await pair();
        return { writing, reading };
      }, turns);
    }
  } finally {
    server.close();
  }
});

test('a reader that stops blocks the box, and is told of when it reads again', async () => {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  const reading = net.connect(port, '127.0.0.1');
  const [writing] = (await once(server, 'connection')) as [net.Socket];
  reading.pause();
  const outbox = new Outbox(writing);
  let sent = 0;
  do {
    outbox.text('x'.repeat(10_000));
    sent += 10_000;
    assert.ok(sent < 100_000_000, 'nothing ever blocks');
  } while (outbox.flush());
  assert.equal(outbox.isBlocked, true);
  let got = 0;
  reading.on('data', (data: Buffer) => (got += data.length));
  reading.resume();
  await once(writing, 'drain');
  assert.equal(outbox.isBlocked, false);
  writing.end();
  await once(reading, 'end');
  assert.equal(got, sent);
  server.close();
});

test('what may wait leaves when the turn ends, also for a hundred sockets, and not at all on one that is destroyed before', async () => {
  const server = net.createServer((socket) => void socket.on('error', () => undefined));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  const sockets = Array.from({ length: 100 }, () => net.connect(port, '127.0.0.1'));
  try {
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const boxes = sockets.map((socket) => new Outbox(socket));
    for (const [at, box] of boxes.entries()) {
      box.text('early ');
      box.flushSoon();
      box.text('late');
      box.flushSoon();
      if (at === 99) {
        assert.equal(box.written, false);
        sockets[at]?.destroy();
      }
    }
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    assert.deepEqual(
      boxes.map(({ written }) => written),
      boxes.map((_, at) => at !== 99),
    );
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});
