import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Proxy } from '../../api/kinds/proxy.ts';
import { type Authority, type IssuedCredentials, openAuthority } from '../../certs/authority/authority.ts';
import { type ApiServer, type ApiServerOptions, startApiServer } from '../../control/server/api-server.ts';
import { serviceAccountKeys } from '../../control/server/authn/service-account-keys.ts';
import { openMemoryStore } from '../../control/store/memory/memory-store.ts';
import type { Store } from '../../control/store/store.ts';
import { type Clock, systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { seededRandom } from '../../kit/random.ts';

export const TEST_TRUST_DOMAIN = 'test.local';

/** A real API server on a free port over a store in memory, with a certificate authority of its own. */
export interface TestApiServer extends ApiServer {
  readonly server: string;
  readonly store: Store;
  readonly authority: Authority;
  /** Of the group system:masters. */
  readonly admin: IssuedCredentials;
  /** The path of a kubeconfig with the administrator's credentials. */
  readonly kubeconfig: string;
  /** Ends with the server unless it was given. */
  readonly folder: string;
}

export interface TestApiServerOptions extends Partial<ApiServerOptions> {
  readonly proxies?: readonly Proxy[];
  /** Kept when the server closes, so that the next one there has the same authority; a new one of its own unless told. */
  readonly folder?: string;
}

export async function startTestApiServer(options: TestApiServerOptions = {}): Promise<TestApiServer> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'tutti-api-')));
  const clock: Clock = options.clock ?? systemClock();
  const log = silentLog();
  const authority = await openAuthority({ folder: join(folder, 'ca'), trustDomain: TEST_TRUST_DOMAIN, clock, log });
  const serving = authority.issueServing({ dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] });
  const own = authority.issueClient({ user: 'system:tutti:control', groups: ['system:masters'] });
  const admin = authority.issueClient({ user: 'admin', groups: ['system:masters'] });
  const store = options.store ?? openMemoryStore({ clock });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const api = await startApiServer({
    store,
    clock,
    random: seededRandom(1),
    log,
    address: '127.0.0.1',
    port: 0,
    tls: {
      certificatePem: serving.certificateChainPem,
      privateKeyPem: serving.privateKeyPem,
      clientCaPem: authority.trustBundlePem,
    },
    serviceAccountKeys: serviceAccountKeys(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    trustDomain: TEST_TRUST_DOMAIN,
    signSvid: (csrPem, { namespace, serviceAccount, ...ttl }) => ({
      ...authority.issueSvid({
        csrPem,
        spiffeId: `spiffe://${TEST_TRUST_DOMAIN}/ns/${namespace}/sa/${serviceAccount}`,
        ...ttl,
      }),
      trustBundlePem: authority.trustBundlePem,
    }),
    signNode: (request) => ({ ...authority.issueNode(request), trustBundlePem: authority.trustBundlePem }),
    listProxies: () => options.proxies ?? [],
    agentCredentials: () => ({
      certificatePem: own.certificateChainPem,
      privateKeyPem: own.privateKeyPem,
      caPem: authority.trustBundlePem,
    }),
    ...options,
  });
  const server = `https://127.0.0.1:${api.port}`;
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, kubeconfigText(server, authority.trustBundlePem, admin), { mode: 0o600 });
  return {
    ...api,
    server,
    store,
    authority,
    admin,
    kubeconfig,
    folder,
    close: async () => {
      await api.close();
      await store.close();
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

function kubeconfigText(
  server: string,
  caPem: string,
  { certificateChainPem, privateKeyPem }: IssuedCredentials,
): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const user = {
    'client-certificate-data': base64(certificateChainPem),
    'client-key-data': base64(privateKeyPem),
  };
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': base64(caPem) } }],
    users: [{ name: 'admin', user }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin', namespace: 'default' } }],
    'current-context': 'test',
  });
}
