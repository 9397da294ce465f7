import { createServer } from 'node:net';
import type { Pod } from '../../api/kinds/pod.ts';
import { type Random, randomInt } from '../../kit/random.ts';
import { addressesOf, nextAddress } from '../node/address-pool.ts';
import { type Claim, claim } from '../node/claim.ts';
import type { PortPool } from '../node/port-pool.ts';
import { ADMIN_PORT } from '../sidecar/proxy-settings.ts';
import { wantsSidecar } from '../sidecar/sidecar.ts';
import type { PodPlacement } from './pod-record.ts';

/** Gives each pod of the node its address and ports, and takes them back. */
export class PodNetwork {
  readonly #range: () => Promise<string>;
  readonly #ports: PortPool;
  readonly #random: Random;
  readonly #addresses = new Map<string, Promise<Claim | undefined>>();
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
   * Another cluster on this machine has the same range: an address that another agent has claimed for a pod, or on which a sidecar listens
   * whose agent is gone, is passed over. The first is chosen by chance, so that two do not go the same way.
   */
  async #freeAddress(range: string): Promise<string> {
    const { count, at } = addressesOf(range);
    const others = new Set<string>();
    for (;;) {
      this.#last ??= at(randomInt(this.#random, count));
      const address = nextAddress(range, others.union(this.#addresses), this.#last);
      if (address === undefined) throw new Error(`address for a pod: all of ${range} are in use`);
      this.#last = address;
      if ((await this.#claim(address)) !== undefined && (await isFree(address))) return address;
      await this.#giveBack(address);
      others.add(address);
    }
  }

  /** What an earlier agent gave out. */
  keep(placement: PodPlacement): void {
    void this.#claim(placement.address);
    this.#last ??= placement.address;
    for (const port of portsOf(placement)) this.#ports.keep(port);
  }

  release(placement: PodPlacement): void {
    void this.#giveBack(placement.address);
    for (const port of portsOf(placement)) this.#ports.release(port);
  }

  /** Lets other agents have what is not in use. */
  async close(): Promise<void> {
    await Promise.all([...this.#addresses.keys()].map((address) => this.#giveBack(address)));
    await this.#ports.close();
  }

  #claim(address: string): Promise<Claim | undefined> {
    const claimed = claim(address, ADMIN_PORT);
    this.#addresses.set(address, claimed);
    return claimed;
  }

  async #giveBack(address: string): Promise<void> {
    const claimed = this.#addresses.get(address);
    this.#addresses.delete(address);
    (await claimed)?.release();
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
