import diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import net from 'node:net';
import { ServerConnection } from '../../proxy/http2/server-connection.ts';
import type { Runtime } from '../../proxy/runtime.ts';
import type { Http2Connection } from '../../proxy/upstream/http2-connection.ts';
import {
  DATA,
  END_HEADERS,
  END_STREAM,
  field,
  frame,
  HEADERS,
  largestWindows,
  MESSAGE,
  PREFACE,
} from '../load/http2-frames.ts';
import { FROM, startEngine } from './engine.ts';
import type { Micro, Operation } from './measure.ts';
import { silence } from './silence.ts';
import { Turns } from './turns.ts';

/** As the benchmark of the whole has them (scenarios.ts): so many are alive when the collector comes. */
const IN_FLIGHT = 64;
/** What many streams say in one turn leaves together. */
const CALLS_A_TURN = 8;
// What a client's first call puts into the table, and how every later one says it: 62 is the newest entry.
const FIRST_HEAD = `\x83\x86${['\x41', '\x44', '\x7a', '\x5f', '\x40\x02te'].map(remembered).join('')}`;
const NEXT_HEAD = '\x83\x86\xc2\xc1\xc0\xbf\xbe';
const ANSWER_HEAD = `\x88${field('content-type', 'application/grpc')}`;
const TRAILERS = field('grpc-status', '0');

function remembered(name: string, at: number): string {
  const value = ['127.0.0.1:8080', '/shop.Catalog/List', 'grpc-go/1.60', 'application/grpc', 'trailers'][at] ?? '';
  return `${name}${String.fromCharCode(value.length)}${value}`;
}

/**
 * A whole call of gRPC through the engine, over HTTP/2 on both sides, with 63 others under way: everything but sockets, whose writes go
 * nowhere.
 */
export const forwardGrpc: Micro = {
  name: 'forward-grpc',
  about: 'a whole gRPC call over HTTP/2 on both sides, 63 others under way, without sockets',
  prepare,
};

async function prepare(): Promise<Operation> {
  const upstream = net.createServer((socket) => {
    socket.write(largestWindows(), 'latin1');
    socket.resume();
    socket.on('error', () => undefined);
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as net.AddressInfo;
  const engine = await startEngine(port, 'http2');
  const { runtime, http } = engine;
  let written = 0;
  const count = (text: string): boolean => (written += text.length) > 0;
  const socket = Object.assign(new net.Socket(), { write: count });
  const client = new ServerConnection(runtime, socket, FROM, http, () => undefined);
  const call = new Frames(frame(HEADERS, END_HEADERS, 1, NEXT_HEAD) + frame(DATA, END_STREAM, 1, MESSAGE));
  const answer = new Frames(
    frame(HEADERS, END_HEADERS, 1, ANSWER_HEAD) +
      frame(DATA, 0, 1, MESSAGE) +
      frame(HEADERS, END_HEADERS | END_STREAM, 1, TRAILERS),
  );
  const dialled: net.Socket[] = [];
  const onDial = (message: unknown): void => void dialled.push((message as { readonly socket: net.Socket }).socket);
  diagnostics.subscribe('net.client.socket', onDial);
  receive(client, Buffer.from(PREFACE + largestWindows(), 'latin1'));
  receive(client, Buffer.from(frame(HEADERS, END_HEADERS | END_STREAM, 1, FIRST_HEAD), 'latin1'));
  const connection = await opened(runtime);
  diagnostics.unsubscribe('net.client.socket', onDial);
  // From here on no byte leaves.
  for (const each of dialled) silence(each, count);
  receive(connection, answer.of(1));
  let asked = 1;
  for (; asked < IN_FLIGHT; asked++) receive(client, call.of(1 + 2 * asked));
  await new Promise((resolve) => setImmediate(resolve));
  const turns = new Turns();
  return {
    run: () => {
      receive(client, call.of(1 + 2 * asked));
      receive(connection, answer.of(1 + 2 * (asked - IN_FLIGHT + 1)));
      if (++asked % CALLS_A_TURN === 0) turns.end();
      return written;
    },
    close: async () => {
      turns.close();
      client.close();
      await engine.close();
      upstream.close();
    },
  };
}

function receive(receiver: ServerConnection | Http2Connection, bytes: Buffer): void {
  receiver.receive(bytes, bytes.length);
}

/** The connection that the first call has made, once the server has greeted it. */
async function opened(runtime: Runtime): Promise<Http2Connection> {
  for (;;) {
    for (const endpoint of runtime.cluster('app')?.endpoints ?? []) {
      const connection = endpoint.shared[0];
      if (connection !== undefined && !connection.isConnecting && connection.session.frames > 1) return connection;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Frames whose stream is named anew each time. */
class Frames {
  readonly #bytes: Buffer;
  readonly #streamIdsAt: number[] = [];

  constructor(text: string) {
    this.#bytes = Buffer.from(text, 'latin1');
    for (let at = 0; at < text.length; at += 9 + this.#bytes.readUIntBE(at, 3)) this.#streamIdsAt.push(at + 5);
  }

  of(streamId: number): Buffer {
    for (const at of this.#streamIdsAt) this.#bytes.writeUInt32BE(streamId, at);
    return this.#bytes;
  }
}
