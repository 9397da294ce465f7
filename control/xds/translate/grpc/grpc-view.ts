import type { HttpRoute } from '../../../../api/kinds/http-route.ts';
import { RouteConfiguration } from '../../../../xds/messages.js';
import { makeResource, type Resource, type Snapshot } from '../../resource.ts';
import { resolveBackend } from '../backend.ts';
import { clusterKey, endpointsOf } from '../cluster.ts';
import { routesFor } from '../mesh-routes.ts';
import { isExportedTo, type MeshPort } from '../mesh-service.ts';
import { outboundName, UNAVAILABLE_CLUSTER } from '../names.ts';
import { byPrecedence } from '../precedence.ts';
import type { RankedRoute } from '../rule.ts';
import { serviceNames, withPort } from '../service-host.ts';
import { backendsOf, carriedRoutes, type Pass, refsOf, setOf } from '../view.ts';
import { keyOf } from '../world.ts';
import { grpcCluster, noGrpcEndpoints, unavailableGrpcCluster } from './grpc-cluster.ts';
import { grpcListener } from './grpc-listener.ts';
import { grpcPortOf } from './grpc-port.ts';
import { grpcForwardTo, grpcRules } from './grpc-rule.ts';

/** All that gRPC's clients in a namespace may ask for, each part by its name. */
export function grpcSnapshot(namespace: string, pass: Pass): Snapshot {
  const { memo, ports } = pass;
  const reachable = offered([...ports.values()]).filter(({ service }) => isExportedTo(service, namespace));
  const tables = reachable.map((port) => tableOf(port, namespace, pass));
  const backends = new Set([
    ...reachable.map(({ cluster }) => cluster),
    ...tables.flatMap(({ routes }) => routes.flatMap((route) => backendsOf(route, pass.world, 'grpc'))),
  ]);
  const found = [...backends].flatMap((name) => ports.get(name) ?? []);
  const listeners = reachable.flatMap((port) => listenersOf(port, namespace, pass));
  return {
    cluster: setOf(
      `grpc clusters ${namespace}`,
      [...found.flatMap((port) => clusterOf(port, pass)), nowhere(pass)],
      memo,
    ),
    endpoints: setOf(
      `grpc endpoints ${namespace}`,
      [...found.flatMap((port) => endpointsOf(port, memo)), memo.take('grpc endpoints', [], noGrpcEndpoints)],
      memo,
    ),
    listener: setOf(`grpc listeners ${namespace}`, listeners, memo),
    route: setOf(
      `grpc routes ${namespace}`,
      tables.map(({ table }) => table),
      memo,
    ),
  };
}

/** Ports that a client reaches by them: of a pod with a sidecar there is one (`grpc-port.ts`), and a call must not come to another. */
function offered(ports: readonly MeshPort[]): readonly MeshPort[] {
  const own = ports.filter(({ protocol }) => protocol === 'grpc');
  const services = [...new Set(own.map(({ service }) => service))];
  return own.filter(
    ({ meshed, containerPort, endpoints }) =>
      !meshed || endpoints.every(({ pod }) => pod === undefined || grpcPortOf(pod, services) === containerPort),
  );
}

function listenersOf(port: MeshPort, namespace: string, { memo }: Pass): readonly Resource[] {
  const names = withPort(serviceNames(port.serviceName, port.namespace, namespace), port.port);
  const table = outboundName(port.namespace, port.serviceName, port.port);
  return names.map((name) => memo.take(`grpc listener ${name} ${table}`, [], () => grpcListener(name, table)));
}

function clusterOf(port: MeshPort, { memo }: Pass): readonly Resource[] {
  const made = memo.attempt(`grpc cluster ${port.cluster}`, [clusterKey(port)], () => grpcCluster(port), undefined);
  return made === undefined ? [] : [made];
}

function nowhere({ memo }: Pass): Resource {
  return memo.take('grpc cluster unavailable', [], unavailableGrpcCluster);
}

interface Table {
  readonly routes: readonly HttpRoute[];
  readonly table: Resource;
}

function tableOf(port: MeshPort, namespace: string, pass: Pass): Table {
  const routes = routesFor(port, namespace, pass.meshRoutes);
  const rules = routes.map((route) => rulesOf(route, pass));
  const name = outboundName(port.namespace, port.serviceName, port.port);
  const table = pass.memo.take(`grpc routes ${namespace} ${name}`, rules, () => {
    const ranked = routes.length === 0 ? [grpcForwardTo(port.cluster)] : byPrecedence(rules.flat());
    // Whatever name the client has: its table is of one port alone.
    const host = { name: port.cluster, domains: ['*'], routes: ranked.map(({ message }) => message) };
    return makeResource('route', RouteConfiguration, { name, virtualHosts: [host] }, carriedRoutes(routes));
  });
  return { routes, table };
}

function rulesOf(route: HttpRoute, { world, memo }: Pass): readonly RankedRoute[] {
  const resolved = refsOf(route).map((ref) => {
    const backend = resolveBackend(ref, route, world, 'grpc');
    return backend.ok ? backend.cluster : backend.reason;
  });
  return memo.attempt(
    `grpc rules ${keyOf(route)}`,
    [route, resolved.join('\n')],
    () => grpcRules(route, (ref) => resolveBackend(ref, route, world, 'grpc')),
    [grpcForwardTo(UNAVAILABLE_CLUSTER)],
  );
}
