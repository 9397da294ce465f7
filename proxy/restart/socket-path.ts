import { join, relative } from 'node:path';
import { SOCKET_NAME } from './words.ts';

/** A Unix socket's path has room for 107 bytes (unix(7)); agents start proxies near their state. */
export function socketPath(stateFolder: string): string {
  const path = join(stateFolder, SOCKET_NAME);
  const near = relative(process.cwd(), path);
  return near.length < path.length ? near : path;
}
