import { type FilterChainInput, Listener, TrafficDirection } from '../../../xds/messages.js';
import { type Resource, versionOfBytes } from '../resource.ts';
import {
  DETECTED_HTTP,
  HTTP_DETECTION,
  HTTP_INSPECTOR,
  type HttpOptions,
  httpFilter,
  tcpFilter,
} from './http-listener.ts';

/** All of an outbound listener but where it binds: what every pod's listener of that name has in common. */
export interface ListenerBody {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What a listener makes of what apps send. */
export type OutboundTraffic =
  | { readonly kind: 'http'; readonly http: HttpOptions }
  /** HTTP where the first bytes say so, bytes for the cluster otherwise. */
  | { readonly kind: 'detected'; readonly http: HttpOptions; readonly cluster: string }
  | { readonly kind: 'tcp'; readonly cluster: string };

export function outboundBody(name: string, traffic: OutboundTraffic): ListenerBody {
  const detection = traffic.kind === 'detected' ? { ...HTTP_DETECTION, listenerFilters: [HTTP_INSPECTOR] } : {};
  const filterChains = chainsOf(name, traffic);
  const message = { name, trafficDirection: TrafficDirection.OUTBOUND, ...detection, filterChains };
  return { name, bytes: new Uint8Array(Listener.encode(message).finish()) };
}

function chainsOf(name: string, traffic: OutboundTraffic): readonly FilterChainInput[] {
  switch (traffic.kind) {
    case 'http':
      return [{ name, filters: [httpFilter(traffic.http)] }];
    case 'tcp':
      return [{ name, filters: [tcpFilter(traffic.cluster, 'outbound')] }];
    case 'detected':
      return [
        { name, filterChainMatch: { applicationProtocols: DETECTED_HTTP }, filters: [httpFilter(traffic.http)] },
        { name: `${name}/tcp`, filters: [tcpFilter(traffic.cluster, 'outbound')] },
      ];
    default:
      return traffic satisfies never;
  }
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
