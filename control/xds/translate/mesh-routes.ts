import type { ParentReference } from '../../../api/kinds/gateway-shapes.ts';
import type { HttpRoute } from '../../../api/kinds/http-route.ts';
import { isServiceRef } from './attachment.ts';
import type { MeshPort } from './mesh-service.ts';
import { unsupportedRoute } from './unsupported-rules.ts';
import { keyOf, type World } from './world.ts';

/** Routes whose parent is a Service (the Gateway API's mesh profile, GAMMA), by the Service's key. */
export type MeshRoutes = ReadonlyMap<string, readonly MeshRoute[]>;

interface MeshRoute {
  readonly route: HttpRoute;
  readonly ref: ParentReference;
}

export function indexMeshRoutes(world: World): MeshRoutes {
  const all = world.httpRoutes
    .filter((route) => unsupportedRoute(route) === undefined)
    .flatMap((route) => (route.spec.parentRefs ?? []).filter(isServiceRef).map((ref) => ({ route, ref })));
  return Map.groupBy(all, ({ route, ref }) => `${ref.namespace ?? route.metadata.namespace ?? ''}/${ref.name}`);
}

/**
 * The routes that callers in a namespace follow for a Service's port. Routes of the Service's own namespace are for all
 * callers; routes of the caller's namespace are for its callers alone and stand in place of those (GEP-1294, producer and
 * consumer routes). Hostnames mean nothing on a Service.
 */
export function routesFor(port: MeshPort, callerNamespace: string, routes: MeshRoutes): readonly HttpRoute[] {
  const name = port.service.spec.ports?.find((one) => one.port === port.port)?.name;
  const fitting = (routes.get(keyOf(port.service)) ?? [])
    .filter(
      ({ ref }) =>
        (ref.port === undefined || ref.port === port.port) &&
        (ref.sectionName === undefined || ref.sectionName === name),
    )
    .map(({ route }) => route);
  const consumer = fitting.filter(({ metadata }) => metadata.namespace === callerNamespace);
  const producer = fitting.filter(({ metadata }) => metadata.namespace === port.namespace);
  return [...new Set(consumer.length > 0 ? consumer : producer)];
}
