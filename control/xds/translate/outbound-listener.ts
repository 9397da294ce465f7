import { Listener, TrafficDirection } from '../../../xds/messages.js';
import { type Resource, versionOfBytes } from '../resource.ts';
import { type HttpOptions, httpFilter } from './http-listener.ts';

/** All of an outbound listener but where it binds: what every pod's listener of that name has in common. */
export interface ListenerBody {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export function outboundBody(name: string, http: HttpOptions): ListenerBody {
  const filterChains = [{ name, filters: [httpFilter(http)] }];
  const bytes = Listener.encode({ name, trafficDirection: TrafficDirection.OUTBOUND, filterChains }).finish();
  return { name, bytes: new Uint8Array(bytes) };
}

export function outboundListener(body: ListenerBody, address: string, port: number): Resource {
  return new BoundListener(body, address, port);
}

const NOTHING: readonly string[] = [];

/**
 * Each pod has one for each Service, at its own address. Bytes are put together when they are asked for, which is when they are sent: kept,
 * they would be most of what the control plane holds. A class, so that the getter is one for tens of thousands of them.
 */
class BoundListener implements Resource {
  readonly kind = 'listener';
  readonly name: string;
  readonly version: string;
  readonly carries = NOTHING;
  readonly #body: Uint8Array;
  readonly #address: string;
  readonly #port: number;

  constructor({ name, bytes }: ListenerBody, address: string, port: number) {
    this.name = name;
    this.#body = bytes;
    this.#address = address;
    this.#port = port;
    this.version = versionOfBytes(this.value);
  }

  get value(): Uint8Array {
    const socketAddress = { address: this.#address, portValue: this.#port };
    // Fields of a message may come in any order.
    return Buffer.concat([this.#body, Listener.encode({ address: { socketAddress } }).finish()]);
  }
}
