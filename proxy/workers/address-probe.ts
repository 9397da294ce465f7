import net from 'node:net';
import type { ListenerConfig } from '../listener/listener-config.ts';

/**
 * Binds the address for itself alone, and lets it go: sockets that share an address would share it with another program's too,
 * and take half of its connections, where one that does not share says that the address is in use. Gives the port, which the
 * system chose where none was asked for.
 */
export function probe({ address, port }: Pick<ListenerConfig, 'address' | 'port'>): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen({ host: address, port }, () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === 'object' && bound !== null ? bound.port : port));
    });
  });
}
