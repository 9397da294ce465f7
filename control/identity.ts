import { isIP } from 'node:net';
import { controlSpiffeId, workloadSpiffeId } from '../api/meta/well-known.ts';
import type { Authority } from '../certs/authority/authority.ts';
import { IdentitySource } from '../certs/workload/identity-source.ts';
import type { Clock } from '../kit/clock.ts';
import type { Logger } from '../kit/log.ts';
import type { Random } from '../kit/random.ts';
import type { ApiServerOptions } from './server/api-server.ts';

export interface OwnIdentityOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly svidTtlSeconds: number;
}

/** The control plane's SVID, which proxies check when they open their stream; renewed as every other. */
export function ownIdentity(
  authority: Authority,
  { clock, random, log, svidTtlSeconds }: OwnIdentityOptions,
): IdentitySource {
  const spiffeId = controlSpiffeId(authority.trustDomain);
  return new IdentitySource({
    spiffeId,
    clock,
    random,
    log: log.child({ component: 'identity' }),
    obtain: async (csrPem) => {
      const { certificateChainPem } = authority.issueSvid({ csrPem, spiffeId, ttlSeconds: svidTtlSeconds });
      return { certificateChainPem, trustBundlePem: authority.trustBundlePem };
    },
  });
}

/** Signs for workloads: the identity is the one of the asker's token, never one of the request's own. */
export function signerOf(authority: Authority): ApiServerOptions['signSvid'] {
  return (csrPem, { namespace, serviceAccount, ttlSeconds }) => {
    const spiffeId = workloadSpiffeId(authority.trustDomain, namespace, serviceAccount);
    const issued = authority.issueSvid({ csrPem, spiffeId, ...(ttlSeconds === undefined ? {} : { ttlSeconds }) });
    return { ...issued, trustBundlePem: authority.trustBundlePem };
  };
}

/** Signs for machines that join, and for nodes that renew. */
export function nodeSignerOf(authority: Authority): ApiServerOptions['signNode'] {
  return (request) => ({ ...authority.issueNode(request), trustBundlePem: authority.trustBundlePem });
}

/** What the API server shows its clients at these addresses, and what it shows agents when it fetches logs and figures from them. */
export function authorityCredentials(
  authority: Authority,
  addresses: readonly string[],
): Pick<ApiServerOptions, 'tls' | 'agentCredentials'> {
  const caPem = authority.trustBundlePem;
  const serving = authority.issueServing({
    dnsNames: [
      'localhost',
      ...addresses.filter((address) => isIP(address) === 0),
      'kubernetes',
      'kubernetes.default',
      'kubernetes.default.svc',
      'kubernetes.default.svc.cluster.local',
    ],
    ipAddresses: [...new Set(['127.0.0.1', '::1', ...addresses.filter((address) => isIP(address) !== 0)])],
  });
  const toAgents = authority.issueClient({ user: 'tutti:control', groups: ['system:masters'] });
  return {
    tls: { certificatePem: serving.certificateChainPem, privateKeyPem: serving.privateKeyPem, clientCaPem: caPem },
    agentCredentials: () => ({
      certificatePem: toAgents.certificateChainPem,
      privateKeyPem: toAgents.privateKeyPem,
      caPem,
    }),
  };
}
