import { configMapKind } from './config-map.ts';
import { deploymentKind } from './deployment.ts';
import { endpointSliceKind } from './endpoint-slice.ts';
import { eventKind } from './event.ts';
import { gatewayKind } from './gateway.ts';
import { gatewayClassKind } from './gateway-class.ts';
import { httpRouteKind } from './http-route.ts';
import { apiVersionOf, type Kind, type KubeObject } from './kind.ts';
import { leaseKind } from './lease.ts';
import { namespaceKind } from './namespace.ts';
import { nodeKind } from './node.ts';
import { podKind } from './pod.ts';
import { proxyKind } from './proxy.ts';
import { replicaSetKind } from './replica-set.ts';
import { secretKind } from './secret.ts';
import { serviceKind } from './service.ts';
import { serviceAccountKind } from './service-account.ts';
import { tcpRouteKind } from './tcp-route.ts';
import { tlsRouteKind } from './tls-route.ts';

/** Every kind that is served; what the API server, its discovery and the commands know of. */
export const kinds: readonly Kind[] = [
  anyKind(configMapKind),
  anyKind(eventKind),
  anyKind(namespaceKind),
  anyKind(nodeKind),
  anyKind(podKind),
  anyKind(secretKind),
  anyKind(serviceAccountKind),
  anyKind(serviceKind),
  anyKind(deploymentKind),
  anyKind(replicaSetKind),
  anyKind(leaseKind),
  anyKind(endpointSliceKind),
  anyKind(gatewayClassKind),
  anyKind(gatewayKind),
  anyKind(httpRouteKind),
  anyKind(tlsRouteKind),
  anyKind(tcpRouteKind),
  anyKind(proxyKind),
];

export function kindByResource(group: string, version: string, plural: string): Kind | undefined {
  return kinds.find((kind) => kind.group === group && kind.version === version && kind.plural === plural);
}

export function kindOf(apiVersion: string, name: string): Kind | undefined {
  return kinds.find((kind) => kind.kind === name && apiVersionOf(kind) === apiVersion);
}

/** By what people type: `po`, `pod`, `pods`, `Pod`, `deployments.apps`, `deploy.v1.apps`. The core group wins. */
export function findKind(name: string): Kind | undefined {
  const [word = '', ...rest] = name.toLowerCase().split('.');
  const suffix = rest.join('.');
  return kinds.find(
    (kind) =>
      [kind.plural, kind.singular, ...kind.shortNames].includes(word) &&
      (suffix === '' || suffix === kind.group || suffix === [kind.version, kind.group].filter(Boolean).join('.')),
  );
}

/** A kind gives its own objects to its own functions: the list holds them as kinds of some object. */
function anyKind<T extends KubeObject>(kind: Kind<T>): Kind {
  return kind as unknown as Kind;
}
