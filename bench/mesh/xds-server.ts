import type { Client } from '../../api/client/client.ts';
import type { Authority } from '../../certs/authority/authority.ts';
import { createKeyAndCsr } from '../../certs/workload/key-and-csr.ts';
import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import { startXds } from '../../control/xds/run.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import { systemRandom } from '../../kit/random.ts';

export interface MeshServer {
  readonly port: number;
  readonly issue: (spiffeId: string) => MeshIdentity;
}

/** The xDS server as the control plane has it, on a port of the system's choice, and identities of the authority that it trusts. */
export async function startMeshServer(options: {
  readonly client: Client;
  readonly authority: Authority;
  readonly clock: Clock;
  readonly log: Logger;
}): Promise<MeshServer> {
  const { authority, ...rest } = options;
  const { trustDomain, trustBundlePem } = authority;
  const issue = (spiffeId: string): MeshIdentity => {
    const { privateKeyPem, csrPem } = createKeyAndCsr(spiffeId);
    return { generation: 1, spiffeId, privateKeyPem, trustBundlePem, ...authority.issueSvid({ csrPem, spiffeId }) };
  };
  const control = issue(`spiffe://${trustDomain}/tutti/control`);
  const identity = { current: () => control, onChange: () => () => {} };
  const random = systemRandom();
  const { port } = await startXds({ ...rest, random, address: '127.0.0.1', port: 0, identity, trustDomain });
  return { port, issue };
}
