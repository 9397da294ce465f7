import { join } from 'node:path';
import type { Pod } from '../../api/kinds/pod.ts';
import { INGRESS_NAMESPACE, INGRESS_SERVICE_ACCOUNT, workloadSpiffeId } from '../../api/meta/well-known.ts';
import type { ProxySettings } from '../sidecar/proxy-settings.ts';
import { WorkloadIdentity } from './workload-identity.ts';

/** The audience of the tokens with which SVIDs are asked for (docs/architecture.md). */
const TOKEN_AUDIENCE = 'tutti';

/** The kubelet's default for projected tokens. */
const TOKEN_SECONDS = 3600;

/** Who a pod is: its service account, for as long as there is the pod. */
export function podIdentity(pod: Pod, podFolder: string, settings: ProxySettings): WorkloadIdentity {
  const { name, uid, namespace = '' } = pod.metadata;
  const account = { namespace, serviceAccount: pod.spec.serviceAccountName ?? 'default' };
  return identityOf(account, join(podFolder, 'identity'), settings, { kind: 'Pod', name, uid });
}

export function ingressIdentity(folder: string, settings: ProxySettings): WorkloadIdentity {
  const account = { namespace: INGRESS_NAMESPACE, serviceAccount: INGRESS_SERVICE_ACCOUNT };
  return identityOf(account, folder, settings);
}

interface Account {
  readonly namespace: string;
  readonly serviceAccount: string;
}

function identityOf(
  account: Account,
  folder: string,
  settings: ProxySettings,
  boundTo?: { readonly kind: 'Pod'; readonly name: string; readonly uid: string },
): WorkloadIdentity {
  const { api, trustDomain, svidTtlSeconds, workloadApi, trustGeneration, issue, clock, random, log } = settings;
  return new WorkloadIdentity({
    spiffeId: workloadSpiffeId(trustDomain, account.namespace, account.serviceAccount),
    tokenFile: join(folder, 'token'),
    order: {
      ...account,
      audience: TOKEN_AUDIENCE,
      expirationSeconds: TOKEN_SECONDS,
      ...(boundTo === undefined ? {} : { boundTo }),
    },
    api,
    ...(svidTtlSeconds === undefined ? {} : { svidTtlSeconds }),
    generation: trustGeneration,
    asker: workloadApi === undefined ? 'proxy' : 'agent',
    issue,
    clock,
    random,
    log,
  });
}
