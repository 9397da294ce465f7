import type { Cluster } from '../cluster/context.ts';
import { listProxies } from '../cluster/list-proxies.ts';
import type { BackendCount } from './decide.ts';

/** What every proxy has counted since it began, by proxy and by service: one reading for {@link measureShares}. */
export async function readCounts(cluster: Cluster, namespace: string): Promise<Map<string, Map<string, BackendCount>>> {
  const counts = new Map<string, Map<string, BackendCount>>();
  for (const proxy of await listProxies(cluster)) {
    const services = new Map<string, BackendCount>();
    for (const load of proxy.status.load) {
      // The control plane's name of a Service's cluster: service/<namespace>/<service>/<port>.
      const [what, serviceNamespace, service = ''] = load.cluster.split('/');
      if (what !== 'service' || serviceNamespace !== namespace) continue;
      const sum = services.get(service);
      const requests = load.total + (sum?.requests ?? 0);
      services.set(service, { service, requests, errors: load.error + (sum?.errors ?? 0) });
    }
    counts.set(proxy.metadata.name, services);
  }
  return counts;
}
