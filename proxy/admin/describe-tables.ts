import type { FilterChain } from '../listener/listener-config.ts';
import type { ProxyTables } from '../tables.ts';

/** The tables as JSON for people: lists instead of maps, and no private key. */
export function describeTables(tables: ProxyTables): Readonly<Record<string, unknown>> {
  return {
    listeners: [...tables.listeners.values()].map((listener) => ({
      ...listener,
      chains: listener.chains.map(withoutKey),
    })),
    routeTables: [...tables.routeTables.values()],
    clusters: [...tables.clusters.values()],
  };
}

function withoutKey(chain: FilterChain): unknown {
  if (chain.tls?.kind !== 'certificate') return chain;
  return { ...chain, tls: { kind: 'certificate', certificatePem: chain.tls.certificatePem } };
}
