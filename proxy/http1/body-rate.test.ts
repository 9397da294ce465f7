import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { eventually } from '../test-support/harness.ts';
import { beforeSlowBodies, type SlowBodies } from '../test-support/slow-bodies.ts';
import { BodyRate } from './body-rate.ts';

test('a body has 20 s, and one more for each 500 bytes; what we hold back is not its time', () => {
  const rate = new BodyRate(1000);
  assert.equal(rate.dueMs(0, 1000), 21_000);
  assert.equal(rate.dueMs(5000, 9000), 31_000);
  rate.hold(10_000);
  rate.hold(11_000);
  assert.equal(rate.dueMs(5000, 14_000), 35_000);
  rate.release(15_000);
  rate.release(16_000);
  assert.equal(rate.dueMs(5000, 90_000), 36_000);
});

interface Setup extends SlowBodies {
  /** A client that has sent a head that announces a body; what it got so far. */
  client(head?: string): Promise<{ readonly socket: net.Socket; readonly answer: () => string }>;
}

const HEAD = 'POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n';

async function setUp(...given: Parameters<typeof beforeSlowBodies>): Promise<Setup> {
  const set = await beforeSlowBodies(...given);
  const sockets: net.Socket[] = [];
  return {
    ...set,
    client: async (head = HEAD) => {
      const socket = net.connect({ port: set.proxy.port('in'), host: '127.0.0.1' });
      sockets.push(socket);
      let answer = '';
      socket.on('data', (data) => void (answer += data.toString()));
      socket.on('error', () => undefined);
      const before = set.upstream.connections;
      socket.write(head);
      await eventually(() => set.upstream.connections > before || answer !== '', 'the request');
      return { socket, answer: () => answer };
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await set[Symbol.asyncDispose]();
    },
  };
}

test('at the edge a body that trickles ends with 408, one that comes at a modem’s rate does not', async () => {
  await using set = await setUp();
  const [trickle, modem] = [await set.client(), await set.client()];
  const received = (connection: number): number => set.upstream.received[connection]?.split('\r\n\r\n')[1]?.length ?? 0;
  let sent = 0;
  for (let second = 1; second <= 40; second++) {
    if (second % 10 === 0) trickle.socket.write('x');
    modem.socket.write('x'.repeat(600));
    sent += 600;
    await eventually(() => received(1) === sent, 'the bytes');
    await set.clock.advance(1000);
    if (second === 18) assert.equal(trickle.answer(), '');
  }
  await eventually(() => trickle.answer().startsWith('HTTP/1.1 408 '), 'the refusal');
  assert.equal(modem.answer(), '');
  assert.equal(set.proxy.engine.clusters()[0]?.active, 1);
});

test('inside the mesh, and while the upstream has not said 100 Continue, nobody is hurried', async () => {
  await using inside = await setUp('inbound');
  const { answer } = await inside.client();
  await inside.clock.advance(600_000);
  assert.equal(answer(), '');
  assert.equal(inside.proxy.engine.clusters()[0]?.active, 1);
  await using edge = await setUp();
  const waiting = await edge.client(HEAD.replace('Host', 'Expect: 100-continue\r\nHost'));
  await edge.clock.advance(600_000);
  assert.equal(waiting.answer(), '');
  assert.equal(edge.proxy.engine.clusters()[0]?.active, 1);
});
