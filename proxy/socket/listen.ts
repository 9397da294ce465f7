import net from 'node:net';

/** Where to listen: an address and port, a Unix socket's path, or the descriptor of a socket that listens already. */
export type ListenAt = Pick<net.ListenOptions, 'host' | 'port' | 'path' | 'backlog' | 'reusePort'> & {
  readonly fd?: number;
};

// What net.Server.listen ends in when it has looked up the name and asked node:cluster who listens. Not public API, so it is looked for.
interface Direct {
  readonly _listen2?: (
    address: string,
    port: number,
    family: 4 | 6 | -1,
    backlog: number,
    fd: undefined,
    flags: 0,
  ) => void;
}

// Node's own (net.Server.listen).
const DEFAULT_BACKLOG = 511;
const PATH = -1;

/**
 * Resolves when the server takes connections; rejects when it cannot have the address. An address or a path is bound at once: a look-up of
 * what is an address already and node:cluster, which is loaded for it, are 15 ms of CPU of a proxy's start with 100 listeners.
 */
export function listen(server: net.Server, at: ListenAt): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    if (!listenDirectly(server, at)) server.listen(at);
  });
}

function listenDirectly(
  server: net.Server & Direct,
  { host, port, path, backlog = DEFAULT_BACKLOG, reusePort, fd }: ListenAt,
): boolean {
  if (fd !== undefined || reusePort === true || typeof server._listen2 !== 'function') return false;
  if (path !== undefined) {
    server._listen2(path, PATH, PATH, backlog, undefined, 0);
    return true;
  }
  const family = host === undefined ? 0 : net.isIP(host);
  if (host === undefined || port === undefined || (family !== 4 && family !== 6)) return false;
  server._listen2(host, port, family, backlog, undefined, 0);
  return true;
}
