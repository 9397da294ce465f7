import { isIP } from 'node:net';

/** A server that other names are asked from. */
export interface Upstream {
  readonly address: string;
  readonly port: number;
}

/** resolv.conf(5): more than three are not used. */
const MAX_UPSTREAMS = 3;
const DNS_PORT = 53;

/** The `nameserver` lines of a resolv.conf(5). What is no address is passed over, as the system's resolver does. */
export function parseResolvConf(text: string): Upstream[] {
  return text
    .split('\n')
    .map((line) => /^nameserver\s+(\S+)/.exec(line)?.[1] ?? '')
    .filter((address) => isIP(address.replace(/%.*$/, '')) !== 0)
    .slice(0, MAX_UPSTREAMS)
    .map((address) => ({ address, port: DNS_PORT }));
}
