import { createServer } from 'node:net';
import type { Pod } from '../../api/kinds/pod.ts';
import { type Random, randomInt } from '../../kit/random.ts';
import { addressesOf, nextAddress } from '../node/address-pool.ts';
import type { PortPool } from '../node/port-pool.ts';
import { ADMIN_PORT } from '../sidecar/proxy-settings.ts';
import { wantsSidecar } from '../sidecar/sidecar.ts';
import type { PodPlacement } from './pod-record.ts';

/** Gives each pod of the node its address and ports, and takes them back. */
export class PodNetwork {
  readonly #range: () => Promise<string>;
  readonly #ports: PortPool;
  readonly #random: Random;
  readonly #addresses = new Set<string>();
  #last: string | undefined;

  /** `range` resolves to the node's podCIDR when the API server has given it. */
  constructor(range: () => Promise<string>, ports: PortPool, random: Random) {
    this.#range = range;
    this.#ports = ports;
    this.#random = random;
  }

  async place(pod: Pod): Promise<PodPlacement> {
    const address = await this.#freeAddress(await this.#range());
    const appPorts: Record<string, number> = {};
    const hasSidecar = wantsSidecar(pod);
    for (const port of containerPorts(pod)) {
      // Without a sidecar nobody translates: callers dial the pod's address and the port as the Pod says it.
      appPorts[String(port)] = hasSidecar ? await this.#ports.take() : port;
    }
    return { address, appPorts, meshPort: hasSidecar ? await this.#ports.take() : undefined };
  }

  /**
   * Another cluster on this machine has the same range: an address on which another's sidecar listens is passed over. The first is chosen by
   * chance, so that two that start together do not both find the same one free.
   */
  async #freeAddress(range: string): Promise<string> {
    const { count, at } = addressesOf(range);
    const others = new Set<string>();
    for (;;) {
      this.#last ??= at(randomInt(this.#random, count));
      const address = nextAddress(range, this.#addresses.union(others), this.#last);
      if (address === undefined) throw new Error(`address for a pod: all of ${range} are in use`);
      this.#addresses.add(address);
      this.#last = address;
      if (await isFree(address)) return address;
      this.#addresses.delete(address);
      others.add(address);
    }
  }

  /** What an earlier agent gave out. */
  keep(placement: PodPlacement): void {
    this.#addresses.add(placement.address);
    this.#last ??= placement.address;
    for (const port of portsOf(placement)) this.#ports.keep(port);
  }

  release(placement: PodPlacement): void {
    this.#addresses.delete(placement.address);
    for (const port of portsOf(placement)) this.#ports.release(port);
  }
}

function isFree(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    // What else may be wrong with the address, the sidecar will say.
    server.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'EADDRINUSE'));
    server.listen({ port: ADMIN_PORT, host: address, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

function containerPorts({ spec }: Pod): ReadonlySet<number> {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  return new Set(containers.flatMap(({ ports = [] }) => ports.map(({ containerPort }) => containerPort)));
}

function portsOf({ appPorts, meshPort }: PodPlacement): readonly number[] {
  return [...Object.values(appPorts), ...(meshPort === undefined ? [] : [meshPort])];
}
