import type { Proxy } from '../../api/kinds/proxy.ts';
import type { Cluster } from './context.ts';

/** Every proxy that the control plane knows, in all namespaces unless one is named. */
export async function listProxies(cluster: Cluster, namespace?: string): Promise<readonly Proxy[]> {
  const where = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  const list = (await cluster.get(`/apis/tutti.dev/v1alpha1${where}/proxies`)) as { readonly items: readonly Proxy[] };
  return list.items;
}
