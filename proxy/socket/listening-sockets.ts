import type { ListenOptions } from 'node:net';

/** What a listener asks with. */
interface Address {
  readonly address: string;
  readonly port: number;
}

export interface ListeningSocketsOptions {
  /** Several sockets may be bound to one address, and the kernel deals out connections among them (SO_REUSEPORT). */
  readonly shared?: boolean;
  /** Descriptors of sockets that listen already, by `keyOf`. */
  readonly takenOver?: ReadonlyMap<string, number>;
}

/** Where listeners get their sockets: bound anew, or taken over from the process before. */
export class ListeningSockets {
  readonly #shared: boolean;
  readonly #takenOver: Map<string, number>;

  constructor({ shared = false, takenOver = new Map() }: ListeningSocketsOptions = {}) {
    this.#shared = shared;
    this.#takenOver = new Map(takenOver);
  }

  static keyOf({ address, port }: Address): string {
    return `${address} ${port}`;
  }

  /** For `net.Server.listen`. A socket that was taken over is given once. */
  whereTo(wanted: Address): ListenOptions & { readonly fd?: number } {
    const key = ListeningSockets.keyOf(wanted);
    const fd = this.#takenOver.get(key);
    if (fd !== undefined) {
      this.#takenOver.delete(key);
      return { fd };
    }
    const { address: host, port } = wanted;
    return this.#shared ? { host, port, reusePort: true } : { host, port };
  }

  /** Descriptors that nobody asked for; they are the caller's to close. */
  takeRest(): readonly number[] {
    const rest = [...this.#takenOver.values()];
    this.#takenOver.clear();
    return rest;
  }
}
