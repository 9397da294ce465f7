import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { WebSocket } from 'ws';

/** Applications of HTTP/2 that take WebSockets (RFC 8441): Node's HTTP/2 server, and `ws` on its streams. */

type Http2Stream = http2.ClientHttp2Stream | http2.ServerHttp2Stream;

/** Private to ws, and what it does after a handshake of its own. */
export function webSocketOver(stream: Http2Stream, side: 'client' | 'server'): WebSocket {
  const options = { closeTimeout: 30_000 };
  const socket = new WebSocket(null as never, undefined, options as object) as WebSocket & {
    setSocket(on: object, head: Buffer, options: object): void;
  };
  const on = Object.assign(stream, { setNoDelay: () => stream });
  Object.assign(socket, { _isServer: side === 'server' });
  socket.setSocket(on, Buffer.alloc(0), { allowSynchronousEvents: true, maxPayload: 0, skipUTF8Validation: false });
  socket.on('error', () => undefined);
  return socket;
}

interface Http2App extends AsyncDisposable {
  readonly port: number;
  readonly heads: http2.IncomingHttpHeaders[];
  readonly streams: http2.ServerHttp2Stream[];
  readonly sessions: number;
}

type OnStream = (stream: http2.ServerHttp2Stream, head: http2.IncomingHttpHeaders) => void;

export async function http2App(
  onStream: OnStream,
  settings: http2.Settings = { enableConnectProtocol: true },
): Promise<Http2App> {
  const heads: http2.IncomingHttpHeaders[] = [];
  const streams: http2.ServerHttp2Stream[] = [];
  const sessions = new Set<http2.ServerHttp2Session>();
  const server = http2.createServer({ settings });
  let count = 0;
  server.on('session', (session) => {
    count++;
    sessions.add(session);
    session.on('error', () => undefined);
    session.on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream: http2.ServerHttp2Stream, head: http2.IncomingHttpHeaders) => {
    heads.push(head);
    streams.push(stream);
    stream.on('error', () => undefined);
    onStream(stream, head);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    heads,
    streams,
    get sessions() {
      return count;
    },
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Sends back each message. */
export const echoMessages: OnStream = (stream, head) => {
  stream.respond({
    ':status': 200,
    ...(head['sec-websocket-protocol'] === undefined ? {} : { 'sec-websocket-protocol': 'chat' }),
    'sec-websocket-accept': 'of no use',
    'x-path': head[':path'] ?? '',
  });
  const socket = webSocketOver(stream, 'server');
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
};
