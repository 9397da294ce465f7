import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Authority, openAuthority } from '../../certs/authority/authority.ts';
import { createKeyAndCsr } from '../../certs/workload/key-and-csr.ts';
import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';

export interface TestAuthority extends AsyncDisposable {
  readonly authority: Authority;
  id(serviceAccount: string): string;
  identity(serviceAccount: string, generation?: number): MeshIdentity;
}

/** A real authority of a trust domain, in a folder of its own. */
export async function testAuthority(trustDomain = 'tutti.local'): Promise<TestAuthority> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-proxy-ca-'));
  const authority = await openAuthority({ folder, trustDomain, clock: systemClock(), log: silentLog() });
  const id = (serviceAccount: string): string => `spiffe://${trustDomain}/ns/default/sa/${serviceAccount}`;
  return {
    authority,
    id,
    identity: (serviceAccount, generation = 1) => {
      const spiffeId = id(serviceAccount);
      const { csrPem, privateKeyPem } = createKeyAndCsr(spiffeId);
      const issued = authority.issueSvid({ spiffeId, csrPem });
      return { generation, spiffeId, privateKeyPem, trustBundlePem: authority.trustBundlePem, ...issued };
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
