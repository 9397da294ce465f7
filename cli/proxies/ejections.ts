import type { KubeObject } from '../../api/kinds/kind.ts';
import type { Proxy, ProxyEjection } from '../../api/kinds/proxy.ts';
import { humanDuration } from '../../api/meta/human-duration.ts';
import { MESH_ADDRESS } from '../../api/meta/well-known.ts';
import { renderTable } from '../output/table.ts';

interface Seen extends ProxyEjection {
  readonly by: string;
}

/** Whether `describe` has something to say of this kind beside the object itself. */
export function mayBeEjected(kind: string): boolean {
  return kind === 'Service' || kind === 'Pod';
}

/** Which proxies have ejected endpoints of a Service, or a pod, why and for how long; '' where none has. */
export function ejectionsText({ kind, metadata }: KubeObject, proxies: readonly Proxy[], nowMs: number): string {
  const { name, namespace = '', annotations } = metadata;
  const isMeant = ({ service, address }: ProxyEjection): boolean =>
    kind === 'Service' ? service === `${name}.${namespace}` : address === annotations?.[MESH_ADDRESS];
  const seen = proxies.flatMap(({ spec, status }) =>
    status.ejected.filter(isMeant).map((ejection): Seen => ({ ...ejection, by: spec.nodeId })),
  );
  if (seen.length === 0) return '';
  const rows = seen
    .toSorted((one, other) => one.address.localeCompare(other.address) || one.by.localeCompare(other.by))
    .map(({ address, service = '<none>', by, cause, until }) => {
      const leftMs = Date.parse(until) - nowMs;
      return [address, service, by, cause, leftMs > 0 ? `${humanDuration(leftMs)} more` : 'any moment'];
    });
  const table = renderTable(['ENDPOINT', 'SERVICE', 'BY', 'WHY', 'FOR'], rows);
  return `Ejected:\n${table.replaceAll(/^(?=.)/gm, '  ')}`;
}
