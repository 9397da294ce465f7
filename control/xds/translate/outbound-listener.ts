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

/**
 * Each pod has one for each Service, at its own address. Bytes are put together when they are asked for, which is when they are sent: kept,
 * they would be most of what the control plane holds.
 */
export function outboundListener({ name, bytes }: ListenerBody, address: string, port: number): Resource {
  // Fields of a message may come in any order.
  const value = (): Uint8Array =>
    Buffer.concat([bytes, Listener.encode({ address: { socketAddress: { address, portValue: port } } }).finish()]);
  return {
    kind: 'listener',
    name,
    version: versionOfBytes(value()),
    get value() {
      return value();
    },
    carries: NOTHING,
  };
}

const NOTHING: readonly string[] = [];
