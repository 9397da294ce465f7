import { endpointSliceKind } from '../../api/kinds/endpoint-slice.ts';
import { serviceKind } from '../../api/kinds/service.ts';
import { startDns } from '../../discovery/dns/server.ts';
import { buildZone } from '../../discovery/dns/zone.ts';
import { buildRegistry } from '../../discovery/registry/registry.ts';
import { systemClock } from '../../kit/clock.ts';
import { createLog } from '../../kit/log.ts';
import { systemRandom } from '../../kit/random.ts';
import { headless, PORT, services } from '../load/dns-names.ts';

// The agent's DNS server over the scenario's Services. Usage: tutti-dns.ts PORT
const [port = 0] = process.argv.slice(2).map(Number);
const metadata = (name: string): object => ({ name, namespace: 'default' });
const registry = buildRegistry(
  [
    ...services.map(({ name, address }) =>
      serviceKind.schema.parse({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: metadata(name),
        spec: { clusterIP: address, ports: [{ name: 'http', port: PORT }] },
      }),
    ),
    ...headless.map(({ name }) =>
      serviceKind.schema.parse({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: metadata(name),
        spec: { clusterIP: 'None', ports: [{ name: 'db', port: 5432 }] },
      }),
    ),
  ],
  headless.map(({ name, addresses }) =>
    endpointSliceKind.schema.parse({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata(name), labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      endpoints: addresses.map((address) => ({ addresses: [address] })),
      ports: [{ name: 'db', port: 5432 }],
    }),
  ),
);
const zone = buildZone(registry, { domain: 'cluster.local', serial: 1, serverAddress: '127.0.0.1', complete: true });
await startDns({
  address: '127.0.0.1',
  port,
  zone: () => zone,
  forwardTo: [],
  clock: systemClock(),
  random: systemRandom(),
  log: createLog({ level: 'warn', format: 'text' }),
});
