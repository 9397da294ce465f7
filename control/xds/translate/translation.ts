import type { Snapshot } from '../resource.ts';
import { grpcSnapshot } from './grpc/grpc-view.ts';
import { type IngressView, ingressSnapshot, ingressView } from './ingress.ts';
import type { Memo } from './memo.ts';
import { indexMeshRoutes } from './mesh-routes.ts';
import { meshPorts } from './mesh-service.ts';
import { sidecarSnapshot } from './sidecar.ts';
import { type NamespaceView, namespaceView, type Pass } from './view.ts';
import { indexWorld, type World, type WorldObjects } from './world.ts';

/** What every proxy is to have, by one state of the world. */
export interface Translation {
  readonly world: World;
  readonly ingress: IngressView;
  /** Undefined while the pod or its place is not known; then the proxy keeps what it has. */
  sidecar(namespace: string, pod: string): Snapshot | undefined;
  ingressProxy(): Snapshot;
  /** For gRPC's own clients in a pod; undefined while the pod is not known. */
  grpcClient(namespace: string, pod: string): Snapshot | undefined;
}

// Every address of the node.
const INGRESS_ADDRESS = '0.0.0.0';

/**
 * Objects to Envoy resources: pure but for the memo, which only saves work. What did not change is the same object as in
 * the pass before.
 */
export function translate(objects: WorldObjects, trustDomain: string, memo: Memo): Translation {
  const world = indexWorld(objects, trustDomain);
  const ports = [...world.services.values()].flatMap((service) => meshPorts(service, world));
  const meshRoutes = indexMeshRoutes(world);
  const pass: Pass = { world, memo, meshRoutes, ports: new Map(ports.map((port) => [port.cluster, port])) };
  memo.retain((key) => world.pods.has(key));
  const views = new Map<string, NamespaceView>();
  const grpcClients = new Map<string, Snapshot>();
  const ingress = ingressView(pass);
  return {
    world,
    ingress,
    sidecar(namespace, name) {
      const key = `${namespace}/${name}`;
      const pod = world.pods.get(key);
      if (pod === undefined) return undefined;
      const view = views.get(namespace) ?? namespaceView(namespace, pass);
      views.set(namespace, view);
      return sidecarSnapshot(pod, view, memo.part(key), memo);
    },
    ingressProxy: () => ingressSnapshot(ingress, INGRESS_ADDRESS, pass),
    grpcClient(namespace, name) {
      if (!world.pods.has(`${namespace}/${name}`)) return undefined;
      const snapshot = grpcClients.get(namespace) ?? grpcSnapshot(namespace, pass);
      grpcClients.set(namespace, snapshot);
      return snapshot;
    },
  };
}
