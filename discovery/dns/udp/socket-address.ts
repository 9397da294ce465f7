import { networkInterfaces } from 'node:os';
import { addressText } from '../wire/address.ts';

/** An address as node:dgram gives and takes it. */
export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

const AF_INET = 2;
const AF_INET6 = 10;

/**
 * Reads a struct sockaddr_in or sockaddr_in6 of Linux (ip(7), ipv6(7)) on a machine that puts the lowest byte first. Undefined for any
 * other family.
 */
export function readSocketAddress(bytes: Uint8Array): SocketAddress | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // The family is in the machine's byte order, the port in the network's.
  const family = view.getUint16(0, true);
  const port = view.getUint16(2);
  if (family === AF_INET) return { address: addressText(bytes.subarray(4, 8)), port };
  if (family !== AF_INET6) return undefined;
  const address = addressText(bytes.subarray(8, 24));
  const scope = view.getUint32(24, true);
  return { address: scope === 0 ? address : `${address}%${interfaceName(scope)}`, port };
}

/** A link-local address says nothing without its interface. */
function interfaceName(scope: number): string {
  const found = Object.entries(networkInterfaces()).find(([, addresses]) =>
    addresses?.some((each) => each.family === 'IPv6' && each.scopeid === scope),
  );
  return found?.[0] ?? String(scope);
}
