import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../kit/clock.ts';

export interface Target {
  readonly host: string;
  readonly port: number;
}

export interface ForwarderOptions {
  readonly host: string;
  /** 0 for the system's choice. */
  readonly port: number;
  /** Where the leader serves, as far as is known. */
  readonly target: () => Target | undefined;
  readonly clock: Clock;
}

/** While nobody leads, a client is held so long before it is let go: a take-over takes less. */
const HOLD_MS = 10_000;
const LOOK_AGAIN_MS = 100;
const MAX_CONNECTIONS = 10_000;

/**
 * What a control plane that stands by answers with: its clients' connections go to the leader as they are, byte by byte, so that TLS and
 * the client's certificate are between the client and the leader. A client is held for a while when nobody leads.
 */
export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #closed = false;

  private constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#server = createServer((client) => void this.#accept(client));
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** Resolves when it listens; rejects when the address cannot be had. */
  static async listen(options: ForwarderOptions): Promise<Forwarder> {
    const forwarder = new Forwarder(options);
    forwarder.#server.listen(options.port, options.host);
    await once(forwarder.#server, 'listening');
    return forwarder;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Frees the address and cuts off who is connected: they connect again, to whoever serves here then. */
  async close(): Promise<void> {
    this.#closed = true;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #accept(client: Socket): Promise<void> {
    this.#keep(client);
    client.pause();
    const leader = await this.#leader(client);
    if (leader === undefined) {
      client.destroy();
      return;
    }
    this.#keep(leader);
    client.pipe(leader);
    leader.pipe(client);
    client.on('close', () => leader.destroy());
    leader.on('close', () => client.destroy());
  }

  /** A connection to the leader; undefined when there was none in time, or the client has gone. */
  async #leader(client: Socket): Promise<Socket | undefined> {
    const { clock, target } = this.#options;
    const deadline = clock.monotonic() + HOLD_MS;
    while (!this.#closed && !client.destroyed && clock.monotonic() < deadline) {
      const to = target();
      const socket = to === undefined ? undefined : await connected(to);
      if (socket !== undefined && !this.#closed && !client.destroyed) return socket;
      socket?.destroy();
      await clock.sleep(LOOK_AGAIN_MS);
    }
    return undefined;
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, HOLD_MS);
    // Why one side broke is told to the other by its end.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

function connected({ host, port }: Target): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => {
      socket.off('error', onError);
      resolve(socket);
    });
    const onError = (): void => resolve(undefined);
    socket.once('error', onError);
  });
}
