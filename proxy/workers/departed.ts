import { endpointKey } from '../cluster/endpoint-state.ts';
import type { ProxyTables } from '../tables.ts';
import type { WorkerFigures } from './messages.ts';

/** Of what workers that have failed left behind: the part that is about what the tables still have, as with those that live. */
export function stillKnown(departed: WorkerFigures, { clusters }: ProxyTables): WorkerFigures {
  const services = new Set(['', ...[...clusters.values()].map(({ service }) => service)]);
  const { telemetry } = departed;
  const requests = new Map([...telemetry.requests].filter(([, { service }]) => services.has(service)));
  let requestsForgotten = telemetry.requestsForgotten;
  for (const [key, { count }] of telemetry.requests) if (!requests.has(key)) requestsForgotten += count;
  return {
    ...departed,
    telemetry: { ...telemetry, requests, requestsForgotten },
    listeners: [],
    load: departed.load.filter(({ cluster }) => clusters.has(cluster)),
    clusters: departed.clusters.flatMap((status) => {
      const config = clusters.get(status.name);
      if (config === undefined) return [];
      const keys = new Set(config.endpoints.map(endpointKey));
      return [{ ...status, endpoints: status.endpoints.filter(({ address }) => keys.has(address)) }];
    }),
  };
}
