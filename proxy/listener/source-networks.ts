import { BlockList, isIPv6 } from 'node:net';
import type { AcceptProxyProtocol } from './listener-config.ts';

const compiled = new WeakMap<AcceptProxyProtocol, BlockList>();

/** Whether an address may connect to a listener that takes others' word for who their clients are. */
export function isFromSource(config: AcceptProxyProtocol, address: string): boolean {
  if (config.sources.length === 0) return true;
  let networks = compiled.get(config);
  if (networks === undefined) {
    networks = new BlockList();
    for (const source of config.sources) {
      const [network = '', prefix = ''] = source.split('/');
      networks.addSubnet(network, Number(prefix), isIPv6(network) ? 'ipv6' : 'ipv4');
    }
    compiled.set(config, networks);
  }
  // Where a socket listens for both families, IPv4 comes in IPv6's form.
  const plain = address.replace(/^::ffff:/, '');
  return networks.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
}
