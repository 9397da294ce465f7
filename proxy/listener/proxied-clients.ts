import type net from 'node:net';
import type { Client } from './tcp-connection.ts';

/** Handshakes that failed leave theirs behind: then the oldest go. */
const MAX_KEPT = 10_000;

/** Who the clients are of connections whose TLS is still being settled: the TLS server gives back another socket than it was given. */
export class ProxiedClients {
  readonly #clients = new Map<string, Client>();

  keep(socket: net.Socket, client: Client): void {
    const key = keyOf(socket);
    this.#clients.delete(key);
    this.#clients.set(key, client);
    const [oldest] = this.#clients.keys();
    if (this.#clients.size > MAX_KEPT && oldest !== undefined) this.#clients.delete(oldest);
  }

  take(socket: net.Socket): Client | undefined {
    const key = keyOf(socket);
    const client = this.#clients.get(key);
    this.#clients.delete(key);
    return client;
  }
}

function keyOf({ remoteAddress, remotePort }: net.Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
