import net from 'node:net';
import type { HostileResponse } from './responses.ts';

export interface HostileApp extends AsyncDisposable {
  readonly port: number;
  readonly connections: number;
  /** What `/x` is answered with from now on. */
  play(row: HostileResponse): void;
}

/** Answers `/x` with exactly a row's bytes, and everything else as it should. */
export async function hostileApp(listenOn: { readonly port: number } | { readonly path: string }): Promise<HostileApp> {
  let row: HostileResponse | undefined;
  let connections = 0;
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    socket.on('close', () => sockets.delete(socket));
    let text = '';
    socket.on('data', (data) => {
      text += data.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const [, method = '', path = ''] = /^(\S+) (\S+)/.exec(text) ?? [];
        text = text.slice(end + 4);
        if (path === '/x' && row !== undefined) void play(socket, row);
        else {
          const body = `saw ${JSON.stringify([method, path, ''])}\n`;
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
        }
      }
    });
  });
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', ...listenOn }, resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    get connections() {
      return connections;
    },
    play: (next) => void (row = next),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function play(socket: net.Socket, row: HostileResponse): Promise<void> {
  for (const piece of row.pieces) {
    if (socket.destroyed) return;
    await new Promise<void>((resolve) => socket.write(piece, 'latin1', () => resolve()));
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (row.ends) socket.end();
}
