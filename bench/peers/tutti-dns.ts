import { endpointSliceKind } from '../../api/kinds/endpoint-slice.ts';
import { serviceKind } from '../../api/kinds/service.ts';
import { startDns } from '../../discovery/dns/server.ts';
import { openBatch } from '../../discovery/dns/udp/batch.ts';
import { buildZone } from '../../discovery/dns/zone.ts';
import { buildRegistry } from '../../discovery/registry/registry.ts';
import { systemClock } from '../../kit/clock.ts';
import { createLog } from '../../kit/log.ts';
import { systemRandom } from '../../kit/random.ts';
import { headless, PORT, services } from '../load/dns-names.ts';

// The agent's DNS server over the scenario's Services. Usage: tutti-dns.ts PORT batched|single
const [port, wanted] = process.argv.slice(2);
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
const { datagrams } = await startDns({
  address: '127.0.0.1',
  port: Number(port),
  zone: () => zone,
  forwardTo: [],
  clock: systemClock(),
  random: systemRandom(),
  log: createLog({ level: 'warn', format: 'text' }),
  openBatch: wanted === 'single' ? () => undefined : openBatch,
});
if (datagrams !== wanted)
  throw new Error(`DNS reads datagrams ${datagrams}: the figures would be of another way than ${wanted}`);
