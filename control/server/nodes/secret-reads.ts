import { type Pod, podKind } from '../../../api/kinds/pod.ts';
import { secretKind } from '../../../api/kinds/secret.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { nodeOf, type User } from '../authn/user.ts';
import type { RequestInfo } from '../http/request-info.ts';
import type { StoredObjects } from '../verbs/stored-objects.ts';

const READS = ['get', 'list', 'watch'];

/**
 * An agent may read a Secret by its name when a pod bound to its node names it (plugin/pkg/auth/authorizer/node): whoever
 * has taken one machine does not have the secrets of all. Throws ApiError 403.
 */
export async function refuseForeignSecret(
  user: User,
  info: RequestInfo,
  { query, objects }: { readonly query: URLSearchParams; readonly objects: StoredObjects },
): Promise<void> {
  const node = nodeOf(user);
  if (node === undefined || info.type !== 'resource') return;
  if (info.group !== '' || info.resource !== 'secrets' || !READS.includes(info.verb)) return;
  const name = info.name || nameSelected(query.get('fieldSelector'));
  const { namespace } = info;
  if (name === undefined || namespace === '') {
    throw forbidden(name ?? '', `node "${node}" can only read Secrets one by one, by namespace and name`);
  }
  const { objects: pods } = await objects.page(podKind, namespace, {});
  if (pods.some((pod) => pod.spec.nodeName === node && secretsOf(pod).has(name))) return;
  throw forbidden(name, `no pod on node "${node}" names it`);
}

function nameSelected(fieldSelector: string | null): string | undefined {
  return /^metadata\.name==?([^,!=]+)$/.exec(fieldSelector ?? '')?.[1];
}

/** Where a Secret's name may stand, by the field that holds it. */
function secretsOf({ spec }: Pod): ReadonlySet<string> {
  const found = new Set((spec.imagePullSecrets ?? []).flatMap(({ name }) => name ?? []));
  for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) {
    for (const { valueFrom } of container.env ?? []) add(found, valueFrom?.secretKeyRef?.name);
    for (const { secretRef } of container.envFrom ?? []) add(found, secretRef?.name);
  }
  for (const { secret, projected } of spec.volumes ?? []) {
    add(found, secret?.secretName);
    for (const source of projected?.sources ?? []) add(found, source.secret?.name);
  }
  return found;
}

function add(found: Set<string>, name: string | undefined): void {
  if (name !== undefined && name !== '') found.add(name);
}

function forbidden(name: string, why: string): ApiError {
  return ApiError.forbidden(secretKind, name, why);
}
