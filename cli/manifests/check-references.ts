import type { Deployment } from '../../api/kinds/deployment.ts';
import type { HttpRoute } from '../../api/kinds/http-route.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { ManifestProblem } from './problem.ts';
import { documentName, type ManifestDocument } from './read-manifests.ts';

/** Something that a document names. */
export interface Reference {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

interface Found extends Reference {
  readonly path: readonly (string | number)[];
  /** A route to nowhere answers 500 to everybody; a pod without its ConfigMap waits for it, as it does in Kubernetes. */
  readonly severity: 'error' | 'warning';
}

/** What the documents name that is neither among them nor, as `known` tells, on the server. Pure. */
export function checkReferences(
  documents: readonly ManifestDocument[],
  known: (reference: Reference) => boolean,
): ManifestProblem[] {
  const among = new Set(
    documents.map(({ kind, object }) =>
      keyOf({ kind: kind.kind, namespace: object.metadata.namespace ?? 'default', name: object.metadata.name }),
    ),
  );
  return documents.flatMap((document) =>
    referencesOf(document)
      .filter((reference) => !among.has(keyOf(reference)) && !known(reference))
      .map(({ kind, namespace, name, path, severity }) => ({
        severity,
        file: document.file,
        document: document.index,
        ...document.locate(path),
        subject: documentName(document),
        message: `names ${kind} "${name}", which is neither in the manifests nor in namespace ${namespace}`,
      })),
  );
}

/** Every reference of a document, known or not: what has to be looked up on the server. */
export function referencesOf({ kind, object }: ManifestDocument): Found[] {
  const namespace = object.metadata.namespace ?? 'default';
  switch (kind.kind) {
    case 'HTTPRoute':
      return routeReferences(object as HttpRoute, namespace);
    case 'Deployment':
    case 'ReplicaSet':
      return podReferences((object as Deployment).spec.template?.spec, namespace, ['spec', 'template', 'spec']);
    case 'Pod':
      return podReferences((object as Pod).spec, namespace, ['spec']);
    default:
      return [];
  }
}

function routeReferences({ spec }: HttpRoute, own: string): Found[] {
  const parents = (spec.parentRefs ?? []).map((parent, at): Found => {
    const path = ['spec', 'parentRefs', at, 'name'];
    return {
      kind: parent.kind ?? 'Gateway',
      namespace: parent.namespace ?? own,
      name: parent.name,
      path,
      severity: 'error',
    };
  });
  const backends = (spec.rules ?? []).flatMap((rule, ruleAt) =>
    (rule.backendRefs ?? []).map((backend, at): Found => {
      const path = ['spec', 'rules', ruleAt, 'backendRefs', at, 'name'];
      return {
        kind: backend.kind ?? 'Service',
        namespace: backend.namespace ?? own,
        name: backend.name,
        path,
        severity: 'error',
      };
    }),
  );
  return [...parents, ...backends];
}

type PodSpec = Pod['spec'];

function podReferences(spec: PodSpec | undefined, namespace: string, path: readonly (string | number)[]): Found[] {
  if (spec === undefined) return [];
  const found: Found[] = [];
  const add = (
    kind: string,
    name: string | undefined,
    inner: readonly (string | number)[],
    optional: boolean | undefined,
  ): void => {
    if (name !== undefined && name !== '' && optional !== true)
      found.push({ kind, namespace, name, path: [...path, ...inner], severity: 'warning' });
  };
  if (spec.serviceAccountName !== 'default')
    add('ServiceAccount', spec.serviceAccountName, ['serviceAccountName'], false);
  for (const [at, volume] of (spec.volumes ?? []).entries()) {
    add('ConfigMap', volume.configMap?.name, ['volumes', at, 'configMap', 'name'], volume.configMap?.optional);
    add('Secret', volume.secret?.secretName, ['volumes', at, 'secret', 'secretName'], volume.secret?.optional);
  }
  for (const list of ['containers', 'initContainers'] as const) {
    for (const [at, container] of (spec[list] ?? []).entries()) {
      for (const [envAt, env] of (container.env ?? []).entries()) {
        const place = [list, at, 'env', envAt, 'valueFrom'];
        add('ConfigMap', env.valueFrom?.configMapKeyRef?.name, place, env.valueFrom?.configMapKeyRef?.optional);
        add('Secret', env.valueFrom?.secretKeyRef?.name, place, env.valueFrom?.secretKeyRef?.optional);
      }
      for (const [envAt, source] of (container.envFrom ?? []).entries()) {
        const place = [list, at, 'envFrom', envAt];
        add('ConfigMap', source.configMapRef?.name, place, source.configMapRef?.optional);
        add('Secret', source.secretRef?.name, place, source.secretRef?.optional);
      }
    }
  }
  return found;
}

export function keyOf({ kind, namespace, name }: Reference): string {
  return `${kind}/${namespace}/${name}`;
}
