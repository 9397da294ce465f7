import type { Client } from '../../api/client/client.ts';
import { Informer } from '../../api/client/informer.ts';
import { endpointSliceKind } from '../../api/kinds/endpoint-slice.ts';
import { gatewayKind } from '../../api/kinds/gateway.ts';
import { gatewayClassKind } from '../../api/kinds/gateway-class.ts';
import { httpRouteKind } from '../../api/kinds/http-route.ts';
import type { Kind, KubeObject } from '../../api/kinds/kind.ts';
import { namespaceKind } from '../../api/kinds/namespace.ts';
import { nodeKind } from '../../api/kinds/node.ts';
import { podKind } from '../../api/kinds/pod.ts';
import { secretKind } from '../../api/kinds/secret.ts';
import { serviceKind } from '../../api/kinds/service.ts';
import { tcpRouteKind } from '../../api/kinds/tcp-route.ts';
import { tlsRouteKind } from '../../api/kinds/tls-route.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import type { WorldObjects } from './translate/world.ts';

export interface WatchWorldOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly onChange: (kind: string) => void;
}

export interface WorldWatch {
  /** Resolves when every kind has been listed. */
  readonly synced: Promise<void>;
  objects(): WorldObjects;
  close(): Promise<void>;
}

/** Follows every kind that the translation reads. */
export function watchWorld(options: WatchWorldOptions): WorldWatch {
  const { onChange, ...rest } = options;
  const informers: { readonly synced: Promise<void>; close(): Promise<void> }[] = [];
  const follow = <T extends KubeObject>(kind: Kind<T>, fieldSelector?: string): Informer<T> => {
    const changed = (): void => onChange(kind.kind);
    const handlers = { onAdd: changed, onUpdate: changed, onDelete: changed };
    const informer = new Informer(
      { ...rest, kind, ...(fieldSelector === undefined ? {} : { fieldSelector }) },
      handlers,
    );
    informers.push(informer);
    return informer;
  };
  const services = follow(serviceKind);
  const endpointSlices = follow(endpointSliceKind);
  const pods = follow(podKind);
  const nodes = follow(nodeKind);
  const namespaces = follow(namespaceKind);
  const gatewayClasses = follow(gatewayClassKind);
  const gateways = follow(gatewayKind);
  const httpRoutes = follow(httpRouteKind);
  const tlsRoutes = follow(tlsRouteKind);
  const tcpRoutes = follow(tcpRouteKind);
  const tlsSecrets = follow(secretKind, 'type=kubernetes.io/tls');
  return {
    synced: Promise.all(informers.map(({ synced }) => synced)).then(() => undefined),
    objects: () => ({
      services: services.list(),
      endpointSlices: endpointSlices.list(),
      pods: pods.list(),
      nodes: nodes.list(),
      namespaces: namespaces.list(),
      gatewayClasses: gatewayClasses.list(),
      gateways: gateways.list(),
      httpRoutes: httpRoutes.list(),
      tlsRoutes: tlsRoutes.list(),
      tcpRoutes: tcpRoutes.list(),
      tlsSecrets: tlsSecrets.list(),
    }),
    close: async () => {
      await Promise.all(informers.map((informer) => informer.close()));
    },
  };
}
