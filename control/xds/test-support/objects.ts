import { type EndpointSlice, endpointSliceKind } from '../../../api/kinds/endpoint-slice.ts';
import { type Gateway, gatewayKind } from '../../../api/kinds/gateway.ts';
import { type GatewayClass, gatewayClassKind } from '../../../api/kinds/gateway-class.ts';
import { type HttpRoute, httpRouteKind } from '../../../api/kinds/http-route.ts';
import type { Kind, KubeObject } from '../../../api/kinds/kind.ts';
import { apiVersionOf } from '../../../api/kinds/kind.ts';
import { type Pod, podKind } from '../../../api/kinds/pod.ts';
import { type Service, serviceKind } from '../../../api/kinds/service.ts';
import { type TcpRoute, tcpRouteKind } from '../../../api/kinds/tcp-route.ts';
import { type TlsRoute, tlsRouteKind } from '../../../api/kinds/tls-route.ts';
import { APP_PORTS, GATEWAY_CONTROLLER, MESH_ADDRESS, OUTBOUND_PORTS } from '../../../api/meta/well-known.ts';
import type { WorldObjects } from '../translate/world.ts';

/** Objects as the API server would hand them out, made by their own schemas: for tests of the translation. */

let count = 0;

interface Meta {
  readonly name: string;
  readonly namespace?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly generation?: number;
}

export function made<T extends KubeObject>(kind: Kind<T>, metadata: Meta, rest: object): T {
  count += 1;
  const filled = {
    generation: 1,
    creationTimestamp: '2030-01-01T00:00:00Z',
    uid: `uid-${metadata.name}-${count}`,
    resourceVersion: String(count),
    ...(kind.namespaced ? { namespace: 'default' } : {}),
    ...metadata,
  };
  return kind.schema.parse({ apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: filled, ...rest });
}

export interface PodPlan {
  readonly namespace?: string;
  readonly serviceAccount?: string;
  /** The last number of the pod's address, from which its ports follow. */
  readonly at?: number;
  readonly appPorts?: Readonly<Record<string, number>>;
  readonly leaving?: boolean;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function pod(name: string, plan: PodPlan = {}): Pod {
  const { namespace = 'default', serviceAccount = 'default', at = 2, appPorts = { 8080: 41_000 + at } } = plan;
  const annotations = {
    [MESH_ADDRESS]: `127.0.0.1:${42_000 + at}`,
    [APP_PORTS]: JSON.stringify(appPorts),
    ...plan.annotations,
  };
  const leaving = plan.leaving === true ? { deletionTimestamp: '2030-01-01T00:01:00Z' } : {};
  return made(
    podKind,
    { name, namespace, annotations, ...leaving },
    {
      spec: { serviceAccountName: serviceAccount, containers: [{ name: 'app', image: 'app' }] },
      status: { podIP: `127.64.0.${at}` },
    },
  );
}

export interface ServicePlan {
  readonly namespace?: string;
  readonly port?: number;
  readonly targetPort?: number;
  readonly appProtocol?: string;
  readonly clusterIP?: string;
  readonly outboundPort?: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function service(name: string, plan: ServicePlan = {}): Service {
  const {
    namespace = 'default',
    port = 80,
    targetPort = 8080,
    appProtocol,
    clusterIP = '127.96.0.9',
    outboundPort,
  } = plan;
  const ports = outboundPort === undefined ? {} : { [OUTBOUND_PORTS]: JSON.stringify({ http: outboundPort }) };
  const protocol = appProtocol === undefined ? {} : { appProtocol };
  return made(
    serviceKind,
    { name, namespace, annotations: { ...ports, ...plan.annotations } },
    {
      spec: { clusterIP, selector: { app: name }, ports: [{ name: 'http', port, targetPort, ...protocol }] },
    },
  );
}

/** The EndpointSlice of a Service's `http` port. */
export function slice(serviceName: string, pods: readonly Pod[], port = 8080, ready = true): EndpointSlice {
  const namespace = pods[0]?.metadata.namespace ?? 'default';
  const labels = { 'kubernetes.io/service-name': serviceName };
  return made(
    endpointSliceKind,
    { name: `${serviceName}-1`, namespace, labels },
    {
      addressType: 'IPv4',
      ports: [{ name: 'http', port }],
      endpoints: pods.map(({ metadata, status }) => ({
        addresses: [status.podIP],
        conditions: { ready },
        targetRef: { kind: 'Pod', name: metadata.name, namespace, uid: metadata.uid },
      })),
    },
  );
}

export function gatewayClass(): GatewayClass {
  return made(gatewayClassKind, { name: 'tutti' }, { spec: { controllerName: GATEWAY_CONTROLLER } });
}

export function gateway(name: string, listeners: readonly object[], meta: Partial<Meta> = {}): Gateway {
  return made(gatewayKind, { name, ...meta }, { spec: { gatewayClassName: 'tutti', listeners } });
}

export function tlsRoute(name: string, spec: object, meta: Partial<Meta> = {}): TlsRoute {
  return made(tlsRouteKind, { name, ...meta }, { spec });
}

export function httpRoute(name: string, spec: object, meta: Partial<Meta> = {}): HttpRoute {
  return made(httpRouteKind, { name, ...meta }, { spec });
}

export function tcpRoute(name: string, spec: object, meta: Partial<Meta> = {}): TcpRoute {
  return made(tcpRouteKind, { name, ...meta }, { spec });
}

export function worldObjects(objects: Partial<WorldObjects>): WorldObjects {
  return {
    services: [],
    endpointSlices: [],
    pods: [],
    nodes: [],
    namespaces: [],
    gatewayClasses: [gatewayClass()],
    gateways: [],
    httpRoutes: [],
    tlsRoutes: [],
    tcpRoutes: [],
    tlsSecrets: [],
    ...objects,
  };
}
