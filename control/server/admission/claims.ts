import type { KubeObject } from '../../../api/kinds/kind.ts';
import type { Node } from '../../../api/kinds/node.ts';
import type { Service } from '../../../api/kinds/service.ts';
import { OUTBOUND_PORTS } from '../../../api/meta/well-known.ts';
import { outboundPorts, type Pool, podRanges, serviceAddresses } from './pool.ts';

const CLAIMS = '/claims/';

export function claimsPrefix(pool: Pool): string {
  return `${CLAIMS}${pool.name}/`;
}

export function isClaim(key: string): boolean {
  return key.startsWith(CLAIMS);
}

/** The item that a claim's key names. */
export function claimedItem(pool: Pool, key: string): string {
  return key.slice(claimsPrefix(pool).length);
}

/**
 * Keys of what an object holds of the pools. They are written, compared with "must not exist", in the transaction that
 * writes the object, and deleted with it: no two objects ever hold the same, whoever writes, and nothing needs
 * to be rebuilt after a restart.
 */
export function claimsOf(object: KubeObject): readonly string[] {
  if (object.apiVersion !== 'v1') return [];
  if (object.kind === 'Service') return serviceClaims(object as Service);
  return object.kind === 'Node' ? claim(podRanges, (object as Node).spec.podCIDR) : [];
}

/** The ports that a Service was given, by port name or number. */
export function outboundPortsOf(service: Pick<Service, 'metadata'>): Readonly<Record<string, number>> {
  const text = service.metadata.annotations?.[OUTBOUND_PORTS];
  if (text === undefined) return {};
  try {
    const ports: unknown = JSON.parse(text);
    if (typeof ports !== 'object' || ports === null) return {};
    const valid = Object.entries(ports).filter((entry) => outboundPorts.indexOf(String(entry[1])) !== undefined);
    return Object.fromEntries(valid);
  } catch {
    return {};
  }
}

function serviceClaims(service: Service): readonly string[] {
  const ports = Object.values(outboundPortsOf(service)).map(String);
  return [...claim(serviceAddresses, service.spec.clusterIP), ...ports.flatMap((port) => claim(outboundPorts, port))];
}

function claim(pool: Pool, item: string | undefined): readonly string[] {
  return item === undefined || pool.indexOf(item) === undefined ? [] : [claimsPrefix(pool) + item];
}
