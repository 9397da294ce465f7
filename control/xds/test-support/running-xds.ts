import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Authority, openAuthority } from '../../../certs/authority/authority.ts';
import { createKeyAndCsr } from '../../../certs/workload/key-and-csr.ts';
import type { MeshIdentity } from '../../../certs/workload/mesh-identity.ts';
import { type Clock, systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { systemRandom } from '../../../kit/random.ts';
import { startXds, type Xds } from '../run.ts';
import { FakeClient } from './fake-client.ts';

const TRUST_DOMAIN = 'tutti.local';
const CONTROL_ID = `spiffe://${TRUST_DOMAIN}/tutti/control`;

export interface RunningXds {
  readonly xds: Xds;
  readonly client: FakeClient;
  readonly clock: Clock;
  readonly authority: Authority;
  issue(spiffeId: string): MeshIdentity;
  close(): Promise<void>;
}

/** The xDS server on a port of the system's choice, with an authority and an API server of its own. */
export async function runningXds(options: { readonly port?: number } = {}): Promise<RunningXds> {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-xds-'));
  const [clock, log] = [systemClock(), silentLog()];
  const authority = await openAuthority({ folder, trustDomain: TRUST_DOMAIN, clock, log });
  const issue = (spiffeId: string): MeshIdentity => {
    const { privateKeyPem, csrPem } = createKeyAndCsr(spiffeId);
    const issued = authority.issueSvid({ csrPem, spiffeId });
    return { generation: 1, spiffeId, privateKeyPem, trustBundlePem: authority.trustBundlePem, ...issued };
  };
  const shown = issue(CONTROL_ID);
  const client = new FakeClient();
  const xds = await startXds({
    client,
    clock,
    random: systemRandom(),
    log,
    address: '127.0.0.1',
    port: options.port ?? 0,
    identity: { current: () => shown, onChange: () => () => {} },
    trustDomain: TRUST_DOMAIN,
  });
  const close = async (): Promise<void> => {
    await xds.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { xds, client, clock, authority, issue, close };
}
