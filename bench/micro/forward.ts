import { once } from 'node:events';
import net from 'node:net';
import { ServerConnection } from '../../proxy/http1/server-connection.ts';
import type { Runtime } from '../../proxy/runtime.ts';
import type { UpstreamConnection } from '../../proxy/upstream/upstream-connection.ts';
import { FROM, startEngine } from './engine.ts';
import type { Micro, Operation } from './measure.ts';
import { REQUEST, RESPONSE } from './sample.ts';
import { silence } from './silence.ts';
import { Turns } from './turns.ts';

const ANSWER = Buffer.from(RESPONSE + 'x'.repeat(100), 'latin1');

/** As many sockets have something to read in a turn, as with 64 connections on a busy core: what they have to say is written at its end. */
const CLIENTS = 8;

/**
 * A whole request and its answer through the engine, from the client's bytes to the bytes for the client: everything but sockets, whose
 * writes go nowhere. Eight clients ask in one turn of the event loop and are answered in the next.
 */
export const forwardRequest: Micro = {
  name: 'forward',
  about: 'a whole request and its answer, eight in a turn, without sockets',
  prepare,
};

async function prepare(): Promise<Operation> {
  const upstream = net.createServer((socket) => {
    socket.on('data', () => void socket.write(ANSWER));
    socket.on('error', () => undefined);
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as net.AddressInfo;
  const engine = await startEngine(port, 'http1');
  const { runtime, http } = engine;
  let written = 0;
  const count = (text: string): boolean => (written += text.length) > 0;
  const request = Buffer.from(REQUEST, 'latin1');
  const clients = Array.from({ length: CLIENTS }, () => {
    const socket = Object.assign(new net.Socket(), { write: count });
    return new ServerConnection(runtime, socket, FROM, http, () => undefined);
  });
  for (const client of clients) client.receive(request, request.length);
  const connections = await pooled(runtime);
  // From here on no byte leaves.
  for (const { socket } of connections) silence(socket, count);
  const turns = new Turns();
  const answerAll = (): void => {
    for (const connection of connections) connection.receive(ANSWER, ANSWER.length);
    turns.end();
  };
  let asked = 0;
  return {
    run: () => {
      clients[asked++ % CLIENTS]?.receive(request, request.length);
      if (asked % CLIENTS === 0) {
        turns.end();
        answerAll();
      }
      return written;
    },
    close: async () => {
      turns.close();
      for (const client of clients) client.close();
      await engine.close();
      upstream.close();
    },
  };
}

/** The connections that the first requests have made, once all wait for the next. */
async function pooled(runtime: Runtime): Promise<readonly UpstreamConnection[]> {
  for (;;) {
    for (const { idle } of runtime.cluster('app')?.endpoints ?? []) {
      if (idle.length === CLIENTS) return [...idle];
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
