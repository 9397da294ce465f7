import type { Client } from '../../api/client/client.ts';
import { endpointSliceKind } from '../../api/kinds/endpoint-slice.ts';
import { gatewayKind } from '../../api/kinds/gateway.ts';
import { isGrpcPort } from '../../api/kinds/grpc-port.ts';
import { httpRouteKind } from '../../api/kinds/http-route.ts';
import { serviceKind } from '../../api/kinds/service.ts';
import { renderTable } from '../output/table.ts';
import type { Terminal } from '../output/terminal.ts';

export interface Summary {
  readonly client: Client;
  readonly terminal: Terminal;
  /** The kubeconfig's path as the user would type it. */
  readonly kubeconfig: string;
}

/** The end of a start: what runs where, and the three things to try next. */
export async function printSummary({ client, terminal, kubeconfig }: Summary): Promise<void> {
  const [services, slices, gateways, routes] = await Promise.all([
    client.list(serviceKind),
    client.list(endpointSliceKind),
    client.list(gatewayKind),
    client.list(httpRouteKind),
  ]);
  const rows = services.items.map(({ metadata, spec }) => {
    const own = slices.items.filter(
      ({ metadata: slice }) =>
        slice.namespace === metadata.namespace && slice.labels?.['kubernetes.io/service-name'] === metadata.name,
    );
    const endpoints = own.flatMap((slice) => slice.endpoints ?? []);
    const ready = endpoints.filter(({ conditions }) => conditions?.ready !== false).length;
    const ports = (spec.ports ?? []).map(({ port }) => port).join(', ');
    const host = `${metadata.name}.${metadata.namespace ?? 'default'}`;
    const grpc = spec.ports?.find(isGrpcPort);
    return [
      metadata.namespace ?? '',
      metadata.name,
      `${ready}/${endpoints.length}`,
      spec.clusterIP ?? '',
      ports,
      grpc === undefined ? `http://${host}/` : `xds:///${host}:${grpc.port}`,
    ];
  });
  if (rows.length > 0)
    terminal.out(`\n${renderTable(['NAMESPACE', 'SERVICE', 'READY', 'ADDRESS', 'PORTS', 'IN THE MESH'], rows)}`);

  const listeners = gateways.items.flatMap(({ spec }) => spec.listeners);
  const [entry] = listeners.flatMap(({ port, protocol }) =>
    protocol === 'HTTP' || protocol === 'HTTPS' ? `${protocol.toLowerCase()}://localhost:${port}/` : [],
  );
  const split = routes.items.find(({ spec }) => spec.parentRefs?.some(({ kind }) => kind === 'Service') === true);
  const backends = split?.spec.rules?.[0]?.backendRefs?.map(({ name }) => name) ?? [];
  const tries = [
    ...(entry === undefined ? [] : [['open the shop', entry]]),
    ...(split === undefined || backends[1] === undefined
      ? []
      : [['shift a canary', `npx tutti canary ${split.metadata.name} --to ${backends[1]} --weight 10`]]),
    ['run kubectl', `kubectl --kubeconfig ${kubeconfig} get pods`],
  ];
  terminal.out(
    `\nTry next:\n${tries.map(([what = '', how = '']) => `  ${what.padEnd(16)}${terminal.style('cyan', how)}\n`).join('')}\nCtrl-C stops everything that was started here.\n`,
  );
}
