import { buildConnector } from 'undici';

/** Dials the servers of one cluster: the one that answered last, and when it does not, the others in turn. */
export class FallbackConnector {
  readonly #servers: readonly URL[];
  #dial: buildConnector.connector;
  #present = 0;

  constructor(servers: readonly string[], tls: buildConnector.BuildOptions) {
    this.#servers = servers.map((server) => new URL(server));
    this.#dial = buildConnector(tls);
  }

  /** Connections from now on are made so; no session of before is resumed. */
  setTls(tls: buildConnector.BuildOptions): void {
    this.#dial = buildConnector(tls);
  }

  /** For undici's Agent. */
  readonly connect: buildConnector.connector = (options, callback) => {
    if (this.#servers.length === 1) this.#dial(options, callback);
    else this.#try(options, callback, this.#servers.length);
  };

  /** The server in use does not answer on its connections. False where there is no other. */
  next(): boolean {
    this.#present = (this.#present + 1) % this.#servers.length;
    return this.#servers.length > 1;
  }

  #try(options: buildConnector.Options, callback: buildConnector.Callback, triesLeft: number): void {
    const asked = this.#present;
    const { hostname, host, port, protocol } = this.#servers[asked] as URL;
    // Without a name of its own the dialled host's is verified.
    const { servername: _, ...rest } = options;
    this.#dial({ ...rest, hostname, host, protocol, port: port === '' ? '443' : port }, (...outcome) => {
      if (outcome[0] === null) {
        callback(...outcome);
        return;
      }
      if (this.#present === asked) this.next();
      if (triesLeft > 1) this.#try(options, callback, triesLeft - 1);
      else callback(...outcome);
    });
  }
}
