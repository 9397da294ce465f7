import { type Deployment, deploymentKind } from '../../../api/kinds/deployment.ts';
import { apiVersionOf, type Kind, type KubeObject } from '../../../api/kinds/kind.ts';
import { type Node, nodeKind } from '../../../api/kinds/node.ts';
import { type Pod, podKind } from '../../../api/kinds/pod.ts';
import { type ReplicaSet, replicaSetKind } from '../../../api/kinds/replica-set.ts';
import { type Service, serviceKind } from '../../../api/kinds/service.ts';
import type { ObjectMeta } from '../../../api/meta/object-meta.ts';
import { controllerReference } from '../owner.ts';

/* Objects as the API server would store them, for tests: what a test does not say is Kubernetes' default. */

export const LONG_AGO = '2029-12-31T00:00:00Z';

/** Metadata may be said in part; the rest goes through the kind's own schema. */
export interface Said {
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

/** An object with all defaults filled, with the name as its uid unless told. */
export function stored<T extends KubeObject>(kind: Kind<T>, name: string, said: Said): T {
  const metadata = {
    name,
    ...(kind.namespaced ? { namespace: 'default' } : {}),
    uid: `uid-${name}`,
    resourceVersion: '1',
    creationTimestamp: LONG_AGO,
    ...said.metadata,
  };
  return kind.schema.parse({ apiVersion: apiVersionOf(kind), kind: kind.kind, ...said, metadata });
}

export const CONTAINERS = [{ name: 'app', image: 'shop/web:v1' }];

export function deployment(name: string, said: Said = {}): Deployment {
  const labels = { app: name };
  return stored(deploymentKind, name, {
    metadata: { generation: 1, ...said.metadata },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: CONTAINERS } },
      ...said.spec,
    },
    ...(said.status === undefined ? {} : { status: said.status }),
  });
}

export function replicaSet(name: string, said: Said = {}): ReplicaSet {
  const labels = { app: name };
  return stored(replicaSetKind, name, {
    metadata: { generation: 1, ...said.metadata },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: CONTAINERS } },
      ...said.spec,
    },
    status: { observedGeneration: 1, ...said.status },
  });
}

export interface PodSaid extends Said {
  readonly owner?: ReplicaSet;
  /** When it became ready; not ready when missing. */
  readonly readySince?: string;
  readonly node?: string;
}

export function pod(name: string, { owner, readySince, node, ...said }: PodSaid = {}): Pod {
  const isReady = readySince !== undefined;
  return stored(podKind, name, {
    metadata: {
      ...(owner === undefined
        ? {}
        : {
            labels: owner.spec.template.metadata.labels ?? {},
            ownerReferences: [controllerReference(replicaSetKind, owner)],
          }),
      ...said.metadata,
    },
    spec: { containers: CONTAINERS, ...(node === undefined ? {} : { nodeName: node }), ...said.spec },
    status: {
      phase: isReady ? 'Running' : 'Pending',
      conditions: isReady ? [{ type: 'Ready', status: 'True', lastTransitionTime: readySince }] : [],
      ...said.status,
    },
  });
}

export function node(name: string, said: Said = {}): Node {
  return stored(nodeKind, name, {
    ...said,
    status: {
      allocatable: { cpu: '4', memory: '8Gi', pods: '110' },
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: LONG_AGO }],
      ...said.status,
    },
  });
}

export function service(name: string, said: Said = {}): Service {
  return stored(serviceKind, name, {
    ...said,
    spec: { clusterIP: '127.96.0.10', selector: { app: name }, ports: [{ port: 80 }], ...said.spec },
  });
}
