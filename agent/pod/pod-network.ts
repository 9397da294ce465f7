import type { Pod } from '../../api/kinds/pod.ts';
import { nextAddress } from '../node/address-pool.ts';
import type { PortPool } from '../node/port-pool.ts';
import { wantsSidecar } from '../sidecar/sidecar.ts';
import type { PodPlacement } from './pod-record.ts';

/** Gives each pod of the node its address and ports, and takes them back. */
export class PodNetwork {
  readonly #range: () => Promise<string>;
  readonly #ports: PortPool;
  readonly #addresses = new Set<string>();
  #last: string | undefined;

  /** `range` resolves to the node's podCIDR when the API server has given it. */
  constructor(range: () => Promise<string>, ports: PortPool) {
    this.#range = range;
    this.#ports = ports;
  }

  async place(pod: Pod): Promise<PodPlacement> {
    const range = await this.#range();
    const address = nextAddress(range, this.#addresses, this.#last);
    if (address === undefined) throw new Error(`address for a pod: all of ${range} are in use`);
    this.#addresses.add(address);
    this.#last = address;
    const appPorts: Record<string, number> = {};
    const hasSidecar = wantsSidecar(pod);
    for (const port of containerPorts(pod)) {
      // Without a sidecar nobody translates: callers dial the pod's address and the port as the Pod says it.
      appPorts[String(port)] = hasSidecar ? await this.#ports.take() : port;
    }
    return { address, appPorts, meshPort: hasSidecar ? await this.#ports.take() : undefined };
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

function containerPorts({ spec }: Pod): ReadonlySet<number> {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  return new Set(containers.flatMap(({ ports = [] }) => ports.map(({ containerPort }) => containerPort)));
}

function portsOf({ appPorts, meshPort }: PodPlacement): readonly number[] {
  return [...Object.values(appPorts), ...(meshPort === undefined ? [] : [meshPort])];
}
