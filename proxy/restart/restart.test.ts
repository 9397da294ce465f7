import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import tls from 'node:tls';
import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import type { ListeningSocket } from '../engine.ts';
import { descriptorOf } from '../socket/descriptor.ts';
import { ListeningSockets } from '../socket/listening-sockets.ts';
import { answering, rawExchange, rawUpstream, startEngine } from '../test-support/harness.ts';
import { testAuthority } from '../test-support/mesh.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../test-support/tables.ts';
import { dealSockets } from './deal-sockets.ts';
import { awaitSuccessor } from './predecessor.ts';
import { shareAddress } from './share-address.ts';
import { takeOver } from './successor.ts';

const clock = systemClock();

/** The key of a listener whose port is the system's choice: here that of the sockets that are handed over. */
const ANY_PORT = ListeningSockets.keyOf({ address: '127.0.0.1', port: 0 });

/** A predecessor with so many listening sockets, of one address where it is shared; both processes are this one. */
async function predecessor(count: number, { shared = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-restart-'));
  const servers: net.Server[] = [];
  let port = 0;
  for (let at = 0; at < count; at++) {
    const server = net.createServer((socket) => socket.end(`old ${at}`));
    await once(server.listen({ port, host: '127.0.0.1', reusePort: shared }), 'listening');
    if (shared) ({ port } = server.address() as net.AddressInfo);
    servers.push(server);
  }
  const sockets = (): readonly ListeningSocket[] =>
    servers.map((server, worker) => ({
      worker,
      key: shared ? ANY_PORT : `socket ${worker}`,
      fd: descriptorOf(server) ?? -1,
    }));
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

const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

/** More than any one of the sockets is dealt by chance: that one of three gets none of them is (2/3)^60. */
const ASKED = 60;

async function exchangeOverTls(port: number, { certificateChainPem, privateKeyPem }: MeshIdentity): Promise<string> {
  const socket = tls.connect({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    cert: certificateChainPem,
    key: privateKeyPem,
  });
  let answer = '';
  socket.on('data', (data: Buffer) => void (answer += data.toString()));
  socket.on('error', (error) => void (answer += error.message));
  socket.on('secureConnect', () => socket.write(GET));
  await new Promise((resolve) => socket.on('close', resolve));
  return answer;
}

for (const how of ['shared', 'events', 'tls'] as const) {
  test(`one engine serves all the sockets that three workers had (${how}), and what waited in them`, async () => {
    await using ca = await testAuthority();
    await using app = await rawUpstream(answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    await using before = await predecessor(3, { shared: true });
    const taken = await takeOver(before.path, clock);
    await taken?.finish();
    await before.waiting.succeeded;
    const port = before.ports[0] ?? 0;
    const client = ca.identity('client');
    const ask = (): Promise<string> => (how === 'tls' ? exchangeOverTls(port, client) : rawExchange(port, GET));
    // Nobody accepts now: these wait in the kernel.
    const waiting = Array.from({ length: ASKED }, ask);
    const [own] = dealSockets(taken?.sockets ?? [], 1);
    const plain = listener('in', 't');
    const chains = plain.chains.map((chain) => ({ ...chain, tls: { kind: 'mesh' } as const }));
    await using proxy = await startEngine({
      sockets: new ListeningSockets(own === undefined ? {} : { takenOver: own }),
      identity: ca.identity('web'),
      readMode: how === 'events' ? 'events' : 'shared',
      tables: tables(
        [how === 'tls' ? { ...plain, chains } : plain],
        [routeTable('t', [route(forward('app'))])],
        [cluster('app', [app.port])],
      ),
    });
    assert.equal((await proxy.engine.listening()).length, 3);
    for (const answer of await Promise.all([...waiting, ...Array.from({ length: ASKED }, ask)]))
      assert.match(answer, /ok$/);
    await proxy.engine.leave();
    assert.deepEqual(await proxy.engine.listening(), []);
  });
}

test('an address that one worker had for itself is shared with others once that is asked for, and with none before', async () => {
  await using before = await predecessor(1);
  const taken = await takeOver(before.path, clock);
  const another = (): net.Server =>
    net.createServer().listen({ port: before.ports[0] ?? 0, host: '127.0.0.1', reusePort: true });
  const [refused] = (await once(another(), 'error')) as [NodeJS.ErrnoException];
  assert.equal(refused.code, 'EADDRINUSE');
  assert.equal(shareAddress(taken?.sockets.map(({ fd }) => fd) ?? []), true);
  const beside = another();
  await once(beside, 'listening');
  beside.close();
  assert.equal(shareAddress([-1]), false);
  taken?.abandon();
});
