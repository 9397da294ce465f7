import { once } from 'node:events';
import net from 'node:net';
import { ServerConnection } from '../../proxy/http1/server-connection.ts';
import type { Runtime } from '../../proxy/runtime.ts';
import type { UpstreamConnection } from '../../proxy/upstream/upstream-connection.ts';
import { FROM, startEngine } from './engine.ts';
import type { Micro, Operation } from './measure.ts';
import { REQUEST, RESPONSE } from './sample.ts';

const ANSWER = Buffer.from(RESPONSE + 'x'.repeat(100), 'latin1');

/**
 * A whole request and its answer through the engine, from the client's bytes to the bytes for the client: everything but sockets, whose
 * writes go nowhere.
 */
export const forwardRequest: Micro = {
  name: 'forward',
  about: 'a whole request and its answer, without sockets',
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
  const socket = new net.Socket();
  let written = 0;
  const count = (text: string): boolean => (written += text.length) > 0;
  Object.assign(socket, { write: count });
  const client = new ServerConnection(runtime, socket, FROM, http, () => undefined);
  const request = Buffer.from(REQUEST, 'latin1');
  client.receive(request, request.length);
  const connection = await pooled(runtime);
  // From here on no byte leaves.
  Object.assign(connection.socket, { write: count });
  return {
    run: () => {
      client.receive(request, request.length);
      connection.receive(ANSWER, ANSWER.length);
      return written;
    },
    close: async () => {
      client.close();
      await engine.close();
      upstream.close();
    },
  };
}

/** The connection that the first request has made, once it waits for the next. */
async function pooled(runtime: Runtime): Promise<UpstreamConnection> {
  for (;;) {
    for (const endpoint of runtime.cluster('app')?.endpoints ?? []) {
      const [connection] = endpoint.idle;
      if (connection !== undefined) return connection;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
