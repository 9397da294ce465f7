import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../kit/clock.ts';
import { freePort } from '../../test/support/free-port.ts';
import { Forwarder, type Target } from './forwarder.ts';

const HOST = '127.0.0.1';

/** Answers each connection with its name, then with what it hears. */
async function leader(t: TestContext, name: string): Promise<Target & { readonly server: Server }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write(`${name}:`);
    socket.pipe(socket);
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  t.after(() => server.close());
  return { host: HOST, port: (server.address() as AddressInfo).port, server };
}

async function forwarder(t: TestContext, target: () => Target | undefined, port = 0): Promise<Forwarder> {
  const started = await Forwarder.listen({ host: HOST, port, target, clock: systemClock() });
  t.after(() => started.close());
  return started;
}

/** What comes back for a text; `cut` when the connection ends before. */
async function ask(port: number, text: string): Promise<string> {
  const socket = connect(port, HOST);
  socket.on('error', () => undefined);
  socket.write(text);
  let heard = '';
  return await new Promise((resolve) => {
    socket.on('data', (data) => {
      heard += data.toString();
      if (heard.endsWith(text)) {
        resolve(heard);
        socket.destroy();
      }
    });
    socket.on('close', () => resolve('cut'));
  });
}

test('a connection goes to the leader of its moment, byte by byte', async (t) => {
  const one = await leader(t, 'one');
  const two = await leader(t, 'two');
  let target: Target = one;
  const { port } = await forwarder(t, () => target);
  assert.equal(await ask(port, 'hello'), 'one:hello');
  target = two;
  const large = 'x'.repeat(1_000_000);
  assert.equal(await ask(port, large), `two:${large}`);
});

test('a client is held while nobody leads, and reaches whoever leads next', async (t) => {
  let target: Target | undefined;
  const { port } = await forwarder(t, () => target);
  const asking = ask(port, 'hello');
  target = await leader(t, 'late');
  assert.equal(await asking, 'late:hello');
});

test('closing frees the address and cuts off who is connected or held', async (t) => {
  // Of those that nobody else is given while it is free.
  const port = await freePort();
  const first = await forwarder(t, () => undefined, port);
  const held = ask(port, 'hello');
  const socket = connect(port, HOST);
  await once(socket, 'connect');
  socket.destroy();
  await first.close();
  assert.equal(await held, 'cut');
  const again = await Forwarder.listen({ host: HOST, port, target: () => undefined, clock: systemClock() });
  await again.close();
});
