import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { eventually, rawExchange, rawUpstream, startEngine } from '../../../proxy/test-support/harness.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../../../proxy/test-support/tables.ts';
import { cuts, damagedRequest, damagedResponse, piecesOf } from './damaged.ts';
import { Draw } from './draw.ts';

const STREAMS = 600;
const AT_ONCE = 20;
const SEED = 20_261_128;
const PROBE = 'GET /probe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const FINE = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine';

interface Case {
  readonly requests: readonly string[];
  readonly cuts: readonly number[];
  readonly response: string;
  readonly end: 'ends' | 'resets' | 'waits';
}

function caseOf(seed: number): Case {
  const draw = new Draw(seed);
  return {
    requests: [damagedRequest(draw), ...draw.some(2, () => damagedRequest(draw))],
    cuts: cuts(draw),
    response: damagedResponse(draw),
    end: draw.pick(['ends', 'resets', 'waits'] as const),
  };
}

/** One client with a damaged stream: gone when it or the proxy has had enough. */
function play(port: number, { requests, cuts: at, end }: Case): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    const patience = setTimeout(() => socket.destroy(), 500);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(patience);
      resolve();
    });
    socket.resume();
    socket.on('connect', () => void send(socket, piecesOf(requests.join(''), at), end));
  });
}

async function send(socket: net.Socket, pieces: readonly string[], end: Case['end']): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return;
    socket.write(piece, 'latin1');
    await new Promise((next) => setImmediate(next));
  }
  if (end === 'ends') socket.end();
  else if (end === 'resets') socket.resetAndDestroy();
}

test('whatever both sides send, and however they leave, nothing is left behind and the next client is served', async () => {
  const left = Array.from({ length: STREAMS }, (_, at) => caseOf(SEED + at));
  const answers = left.map(({ response }) => response);
  let turn = 0;
  await using app = await rawUpstream((socket, received) => {
    if (received.includes('GET /probe ')) {
      if (received.endsWith('\r\n\r\n')) socket.write(FINE);
    } else if (received.includes('\r\n\r\n')) {
      socket.write(answers[turn++ % answers.length] ?? '', 'latin1');
      if (turn % 3 === 0) socket.end();
      else if (turn % 7 === 0) socket.resetAndDestroy();
    }
  });
  await using proxy = await startEngine({
    tables: tables(
      [listener('in', 't', {}, { headerTimeoutMs: 200, idleTimeoutMs: 200 })],
      [routeTable('t', [route(forward('app', { timeoutMs: 500 }))])],
      [cluster('app', [app.port])],
    ),
  });
  const port = proxy.port('in');
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await play(port, next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const [load] = proxy.engine.load();
  await eventually(() => proxy.engine.load()[0]?.active === 0, `no request is left of ${load?.total}`);
  await eventually(() => proxy.engine.listeners()[0]?.connections === 0, 'no connection is left');
  assert.ok((load?.total ?? 0) > STREAMS / 10, 'some of the requests are sound');
  assert.equal(proxy.engine.clusters()[0]?.endpoints[0]?.active, 0);
  // Each client has but 200 ms for its head here: one that the machine holds up for as long is cut off, and comes again.
  const probes: string[] = [];
  do probes.push(await rawExchange(port, PROBE));
  while (!/^HTTP\/1\.1 200 OK\r\n[^]*fine$/.test(probes.at(-1) ?? '') && probes.length < 50);
  assert.match(probes.at(-1) ?? '', /^HTTP\/1\.1 200 OK\r\n[^]*fine$/);
});
