import type { EndpointSlice } from '../../../api/kinds/endpoint-slice.ts';
import type { Gateway } from '../../../api/kinds/gateway.ts';
import type { GatewayClass } from '../../../api/kinds/gateway-class.ts';
import type { HttpRoute } from '../../../api/kinds/http-route.ts';
import type { Namespace } from '../../../api/kinds/namespace.ts';
import type { Node } from '../../../api/kinds/node.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import type { Secret } from '../../../api/kinds/secret.ts';
import type { Service } from '../../../api/kinds/service.ts';
import type { TcpRoute } from '../../../api/kinds/tcp-route.ts';
import type { TlsRoute } from '../../../api/kinds/tls-route.ts';
import { GATEWAY_CONTROLLER } from '../../../api/meta/well-known.ts';

/** All objects that the translation reads, as they are at one moment. */
export interface WorldObjects {
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
  readonly pods: readonly Pod[];
  readonly nodes: readonly Node[];
  readonly namespaces: readonly Namespace[];
  readonly gatewayClasses: readonly GatewayClass[];
  readonly gateways: readonly Gateway[];
  readonly httpRoutes: readonly HttpRoute[];
  readonly tlsRoutes: readonly TlsRoute[];
  readonly tcpRoutes: readonly TcpRoute[];
  /** Those that Gateways show to clients: type kubernetes.io/tls. */
  readonly tlsSecrets: readonly Secret[];
}

/** The objects by what the translation looks them up by. Keys are `<namespace>/<name>`. */
export interface World {
  readonly trustDomain: string;
  readonly services: ReadonlyMap<string, Service>;
  readonly slicesOfService: ReadonlyMap<string, readonly EndpointSlice[]>;
  readonly pods: ReadonlyMap<string, Pod>;
  readonly nodes: ReadonlyMap<string, Node>;
  readonly namespaces: ReadonlyMap<string, Namespace>;
  readonly tlsSecrets: ReadonlyMap<string, Secret>;
  /** Only those of a class of ours, oldest first. */
  readonly gateways: readonly Gateway[];
  /** Oldest first, then by name: the order in which the Gateway API settles ties. */
  readonly httpRoutes: readonly HttpRoute[];
  /** In the same order, as are the next. */
  readonly tlsRoutes: readonly TlsRoute[];
  readonly tcpRoutes: readonly TcpRoute[];
}

// kubernetes.io/service-name: discovery.k8s.io/v1, LabelServiceName.
const SERVICE_NAME = 'kubernetes.io/service-name';

interface Named {
  readonly metadata: {
    readonly namespace?: string | undefined;
    readonly name: string;
    readonly creationTimestamp: string;
  };
}

export function indexWorld(objects: WorldObjects, trustDomain: string): World {
  const ours = new Set(
    objects.gatewayClasses
      .filter(({ spec }) => spec.controllerName === GATEWAY_CONTROLLER)
      .map(({ metadata }) => metadata.name),
  );
  return {
    trustDomain,
    services: byKey(objects.services),
    slicesOfService: Map.groupBy(
      [...objects.endpointSlices].sort(byAge),
      ({ metadata }) => `${metadata.namespace ?? ''}/${metadata.labels?.[SERVICE_NAME] ?? ''}`,
    ),
    pods: byKey(objects.pods),
    nodes: new Map(objects.nodes.map((node) => [node.metadata.name, node])),
    namespaces: new Map(objects.namespaces.map((namespace) => [namespace.metadata.name, namespace])),
    tlsSecrets: byKey(objects.tlsSecrets),
    gateways: objects.gateways.filter(({ spec }) => ours.has(spec.gatewayClassName)).sort(byAge),
    httpRoutes: [...objects.httpRoutes].sort(byAge),
    tlsRoutes: [...objects.tlsRoutes].sort(byAge),
    tcpRoutes: [...objects.tcpRoutes].sort(byAge),
  };
}

export function keyOf({ metadata }: Named): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

function byAge(left: Named, right: Named): number {
  return (
    compare(left.metadata.creationTimestamp, right.metadata.creationTimestamp) || compare(keyOf(left), keyOf(right))
  );
}

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function byKey<T extends Named>(objects: readonly T[]): ReadonlyMap<string, T> {
  return new Map(objects.map((object) => [keyOf(object), object]));
}
