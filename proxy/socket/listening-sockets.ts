import type { ListenAt } from './listen.ts';

/** What a listener asks with. */
interface Address {
  readonly address: string;
  readonly port: number;
}

/** What one worker has of an address: descriptors of sockets that listen already, and how many it is to bind beside them. */
export interface SocketShare {
  readonly descriptors: readonly number[];
  readonly fresh: number;
}

/** By `ListeningSockets.keyOf` the address. */
export type TakenOver = ReadonlyMap<string, SocketShare>;

export interface ListeningSocketsOptions {
  /** Several sockets may be bound to one address, and the kernel deals out connections among them (SO_REUSEPORT). */
  readonly shared?: boolean;
  readonly takenOver?: TakenOver;
}

/** Where listeners get their sockets: bound anew, or taken over from the process before. */
export class ListeningSockets {
  readonly #shared: boolean;
  readonly #takenOver: Map<string, SocketShare>;

  constructor({ shared = false, takenOver = new Map() }: ListeningSocketsOptions = {}) {
    this.#shared = shared;
    this.#takenOver = new Map(takenOver);
  }

  static keyOf({ address, port }: Address): string {
    return `${address} ${port}`;
  }

  /** For `listen`, once for each; one and more. Sockets that were taken over are given once. */
  whereTo(wanted: Address): readonly [ListenAt, ...ListenAt[]] {
    const key = ListeningSockets.keyOf(wanted);
    const { descriptors, fresh } = this.#takenOver.get(key) ?? { descriptors: [], fresh: 1 };
    this.#takenOver.delete(key);
    const { address: host, port } = wanted;
    const anew: ListenAt = this.#shared ? { host, port, reusePort: true } : { host, port };
    const [first = anew, ...others] = [
      ...descriptors.map((fd): ListenAt => ({ fd })),
      ...Array.from({ length: fresh }, () => anew),
    ];
    return [first, ...others];
  }

  /** Descriptors that nobody asked for; they are the caller's to close. */
  takeRest(): readonly number[] {
    const rest = [...this.#takenOver.values()].flatMap(({ descriptors }) => descriptors);
    this.#takenOver.clear();
    return rest;
  }
}
