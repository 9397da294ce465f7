import type { Cluster } from '../cluster/context.ts';
import { listProxies } from '../cluster/list-proxies.ts';
import type { BackendCount } from './decide.ts';

/** What every proxy has counted since it began: one reading. */
export interface Reading {
  /** By proxy and by service, for measureShares. */
  readonly counts: ReadonlyMap<string, ReadonlyMap<string, BackendCount>>;
  /** Proxies whose next report still tells of requests by the routes that they had before. */
  readonly late: readonly string[];
}

export async function readCounts(cluster: Cluster, namespace: string): Promise<Reading> {
  const late: string[] = [];
  const counts = new Map<string, Map<string, BackendCount>>();
  for (const proxy of await listProxies(cluster)) {
    const { connected, loadCurrent } = proxy.status;
    // Of several gRPC clients in a pod one alone reports, and one that is away does not.
    if (connected && !loadCurrent && proxy.spec.mode !== 'grpc') late.push(proxy.metadata.name);
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
  return { counts, late };
}
