import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import type { ListeningSocket } from '../engine.ts';
import { descriptorOf } from '../socket/descriptor.ts';
import { awaitSuccessor } from './predecessor.ts';
import { takeOver } from './successor.ts';

const clock = systemClock();

/** A predecessor with so many listening sockets; both processes are this one. */
async function predecessor(count: number) {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-restart-'));
  const servers: net.Server[] = [];
  for (let at = 0; at < count; at++) {
    const server = net.createServer((socket) => socket.end(`old ${at}`));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    servers.push(server);
  }
  const sockets = (): readonly ListeningSocket[] =>
    servers.map((server, worker) => ({ worker, key: `socket ${worker}`, fd: descriptorOf(server) ?? -1 }));
  const close = async (): Promise<void> => {
    for (const server of servers) if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  const path = join(folder, 'restart.sock');
  const options = { path, workers: count, log: silentLog(), sockets: () => Promise.resolve(sockets()), leave: close };
  const waiting = await awaitSuccessor(options);
  return {
    path,
    waiting,
    ports: servers.map((server) => (server.address() as net.AddressInfo).port),
    [Symbol.asyncDispose]: async () => {
      await waiting.close();
      await close();
      rmSync(folder, { recursive: true });
    },
  };
}

async function answerOf(port: number): Promise<string> {
  let text = '';
  for await (const data of net.connect(port, '127.0.0.1')) text += String(data);
  return text;
}

test('each socket that listens is handed over, however many, and what waits in a backlog is served', async () => {
  await using before = await predecessor(230);
  const taken = await takeOver(before.path, clock);
  assert.equal(taken?.workers, 230);
  assert.equal(taken.sockets.length, 230);
  // The one before still accepts.
  assert.equal(await answerOf(before.ports[7] ?? 0), 'old 7');
  await taken.finish();
  await before.waiting.succeeded;
  // Nobody accepts now: these wait in the kernel.
  const asked = [0, 120, 229].map((at) => answerOf(before.ports[at] ?? 0));
  await clock.sleep(20);
  const successors = taken.sockets.map(({ fd, key }) =>
    net.createServer((socket) => socket.end(`new ${key}`)).listen({ fd }),
  );
  assert.deepEqual(await Promise.all(asked), ['new socket 0', 'new socket 120', 'new socket 229']);
  for (const successor of successors) successor.close();
});

test('a successor that gives up, or says something else, changes nothing for the one before', async () => {
  await using before = await predecessor(1);
  const taken = await takeOver(before.path, clock);
  taken?.abandon();
  const stranger = net.connect(before.path);
  stranger.write('x'.repeat(100));
  // Not once(): it fails when the connection is reset, which is as good an end.
  stranger.on('error', () => undefined);
  await new Promise((resolve) => stranger.on('close', resolve));
  assert.equal(await answerOf(before.ports[0] ?? 0), 'old 0');
  const again = await takeOver(before.path, clock);
  assert.equal(again?.sockets.length, 1);
  again.abandon();
});

test('where nobody runs, or one that was killed left its socket, there is nothing to take over', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-restart-'));
  assert.equal(await takeOver(join(folder, 'restart.sock'), clock), undefined);
  rmSync(folder, { recursive: true });
});
