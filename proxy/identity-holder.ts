import { workloadSpiffeId } from '../api/meta/well-known.ts';
import { WorkloadApiSource } from '../certs/workload/spiffe-api/workload-api-source.ts';
import type { Shared } from './assemble.ts';
import type { Bootstrap } from './bootstrap/bootstrap.ts';
import { openSvidCall } from './channel/svid-call.ts';

/** WorkloadApiSource, or IdentitySource where no agent serves the Workload API. */
export type IdentityHolder = Pick<WorkloadApiSource, 'current' | 'onChange' | 'start' | 'close'>;

/** What asks the API server itself is loaded only where it is needed. */
export async function identityHolder(
  { trustDomain, namespace, serviceAccount, workloadApi, api, svidTtlSeconds }: Bootstrap,
  shared: Shared,
): Promise<IdentityHolder> {
  const spiffeId = workloadSpiffeId(trustDomain, namespace, serviceAccount);
  if (workloadApi !== undefined) {
    const open = (address: string) => openSvidCall(address, shared.clock);
    return new WorkloadApiSource({ ...shared, address: workloadApi, spiffeId, open });
  }
  if (api === undefined) throw new Error('bootstrap: names no source of the identity');
  const { IdentitySource } = await import('../certs/workload/identity-source.ts');
  const { svidClient } = await import('../certs/workload/svid-client.ts');
  const ttl = svidTtlSeconds === undefined ? {} : { ttlSeconds: svidTtlSeconds };
  return new IdentitySource({ ...shared, obtain: svidClient({ ...api, ...ttl }), spiffeId });
}
