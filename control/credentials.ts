import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { formatKubeconfig } from '../api/client/kubeconfig.ts';
import type { Authority } from '../certs/authority/authority.ts';
import { readTextIfPresent, writeFileAtomic } from '../kit/disk.ts';

/** Who may read them: their owner. They are as good as a password. */
const SECRET = { mode: 0o600 };

export interface CredentialFiles {
  readonly kubeconfig: string;
  readonly agentKubeconfig: string;
}

/** The node whose agent shares this state folder. */
export interface OwnNode {
  readonly name: string;
  readonly address: string;
}

/**
 * Writes the administrator's kubeconfig, and for the agent of this machine a kubeconfig and a serving certificate
 * (`agent-serving.json`). Anew at each start: they are valid for a year, and addresses may have changed.
 */
export async function writeCredentials(
  stateFolder: string,
  server: string,
  authority: Authority,
  node: OwnNode,
): Promise<CredentialFiles> {
  const kubeconfig = join(stateFolder, 'kubeconfig');
  const agentKubeconfig = join(stateFolder, 'agent.kubeconfig');
  for (const [path, name, user, groups] of [
    [kubeconfig, 'tutti', 'tutti:admin', ['system:masters']],
    [agentKubeconfig, 'tutti-agent', `system:node:${node.name}`, ['system:nodes']],
  ] as const) {
    const { certificateChainPem, privateKeyPem } = authority.issueClient({ user, groups });
    const content = formatKubeconfig({
      name,
      server,
      caPem: authority.trustBundlePem,
      certificatePem: certificateChainPem,
      keyPem: privateKeyPem,
    });
    await writeFileAtomic(path, content, SECRET);
  }
  const { certificateChainPem, privateKeyPem } = authority.issueServing({
    dnsNames: ['localhost', node.name],
    ipAddresses: [...new Set(['127.0.0.1', node.address])],
    spiffeId: `spiffe://${authority.trustDomain}/tutti/agent/${node.name}`,
  });
  const serving = { certificatePem: certificateChainPem, privateKeyPem, clientCaPem: authority.trustBundlePem };
  await writeFileAtomic(join(stateFolder, 'agent-serving.json'), `${JSON.stringify(serving)}\n`, SECRET);
  return { kubeconfig, agentKubeconfig };
}

/** The key that signs service-account tokens; made on the first start, kept beside the authority's. */
export async function openTokenKey(folder: string): Promise<string> {
  const path = join(folder, 'service-account.key');
  const kept = await readTextIfPresent(path);
  if (kept !== undefined) return kept;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  await writeFileAtomic(path, pem, SECRET);
  return pem;
}
