import type net from 'node:net';
import type tls from 'node:tls';
import type { Connection } from './connection.ts';

/**
 * Gives a connection whose first bytes were ours to the TLS server, with what came behind them. It must not have read into the shared buffer.
 * From then on it is the TLS server's: `onClose` is called as if it had ended.
 */
export function handOverToTls(socket: net.Socket, server: tls.Server, onClose: () => void): Connection {
  socket.removeAllListeners('data');
  socket.pause();
  process.nextTick(() => {
    onClose();
    if (!socket.destroyed) server.emit('connection', socket);
  });
  return {
    // TLSSocket reads what a socket has been given back before it reads on.
    receive: (from, count) => socket.unshift(Buffer.from(from.subarray(0, count))),
    retire: () => undefined,
    close: () => socket.destroy(),
  };
}
