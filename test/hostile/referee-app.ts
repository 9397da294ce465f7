import http from 'node:http';
import net from 'node:net';

export interface RefereeApp extends AsyncDisposable {
  readonly port: number;
  /** What came since the last look. */
  take(): Seen;
}

export interface Seen {
  /** Whole requests: method, target, body. */
  readonly requests: readonly string[];
  /** Every byte, connection by connection. */
  readonly raw: string;
  /** What llhttp refused: nothing that a proxy lets through may end here. */
  readonly unparsed: readonly string[];
}

/**
 * The application behind a proxy under test. It reads with Node's own parser, llhttp in its strict mode, which nobody here wrote: so
 * where one request ends and the next begins is a second opinion. Each answer says what was seen.
 */
export async function refereeApp(listenOn: { readonly port: number } | { readonly path: string }): Promise<RefereeApp> {
  let requests: string[] = [];
  let unparsed: string[] = [];
  let raw = new Map<net.Socket, string>();
  const sockets = new Set<net.Socket>();
  const parser = http.createServer({ maxHeaderSize: 256 * 1024, keepAliveTimeout: 60_000 }, (request, response) => {
    let body = '';
    request.setEncoding('latin1');
    request.on('data', (piece: string) => void (body += piece));
    request.on('end', () => {
      requests.push(`${request.method} ${request.url} ${body}`);
      response.end(`saw ${JSON.stringify([request.method, request.url, body])}\n`);
    });
  });
  parser.on('clientError', (error, socket) => {
    // A connection that a proxy cuts is no misunderstanding.
    if ('code' in error && String(error.code).startsWith('HPE_') && error.code !== 'HPE_INVALID_EOF_STATE')
      unparsed.push(error.message);
    socket.destroy();
  });
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    parser.emit('connection', socket);
    // Behind the parser: a listener before it would see nothing, since the parser then reads from the handle itself.
    socket.on('data', (data) => raw.set(socket, (raw.get(socket) ?? '') + data.toString('latin1')));
  });
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', ...listenOn }, resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    take: () => {
      const seen = { requests, unparsed, raw: [...raw.values()].join('\n') };
      requests = [];
      unparsed = [];
      raw = new Map();
      return seen;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
