import type { Deployment } from '../../api/kinds/deployment.ts';
import type { HttpRouteRule } from '../../api/kinds/http-route.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { Service } from '../../api/kinds/service.ts';
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
  /** Of a Service, with the place where it is named. */
  readonly port?: { readonly number: number; readonly path: readonly (string | number)[] };
}

/** What the documents name that is neither among them nor, as `known` tells, on the server. Pure. */
export function checkReferences(
  documents: readonly ManifestDocument[],
  known: (reference: Reference) => boolean,
): ManifestProblem[] {
  const among = new Map(
    documents.map(({ kind, object }) => {
      const { namespace = 'default', name } = object.metadata;
      return [keyOf({ kind: kind.kind, namespace, name }), object] as const;
    }),
  );
  return documents.flatMap((document) =>
    referencesOf(document).flatMap((reference) => {
      const { kind, namespace, name, path, severity, port } = reference;
      const problem = (at: readonly (string | number)[], message: string): ManifestProblem => ({
        severity,
        file: document.file,
        document: document.index,
        ...document.locate(at),
        subject: documentName(document),
        message,
      });
      const named = among.get(keyOf(reference));
      if (named === undefined) {
        if (known(reference)) return [];
        return [
          problem(path, `names ${kind} "${name}", which is neither in the manifests nor in namespace ${namespace}`),
        ];
      }
      if (port === undefined || named.kind !== 'Service') return [];
      const ports = ((named as Service).spec.ports ?? []).map((each) => each.port);
      if (ports.includes(port.number)) return [];
      return [
        problem(port.path, `names port ${port.number} of Service "${name}", which has ${ports.join(', ') || 'none'}`),
      ];
    }),
  );
}

/** Every reference of a document, known or not: what has to be looked up on the server. */
export function referencesOf({ kind, object }: ManifestDocument): Found[] {
  const namespace = object.metadata.namespace ?? 'default';
  switch (kind.kind) {
    case 'HTTPRoute':
    case 'TLSRoute':
    case 'TCPRoute':
      // Its kind's schema has seen to it; what the three have in common is no kind of its own.
      return routeReferences(object as unknown as Routed, namespace);
    case 'Deployment':
    case 'ReplicaSet':
      return podReferences((object as Deployment).spec.template?.spec, namespace, ['spec', 'template', 'spec']);
    case 'Pod':
      return podReferences((object as Pod).spec, namespace, ['spec']);
    default:
      return [];
  }
}

/** As its author wrote it: no defaults filled in. */
interface RouteReference {
  readonly kind?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly port?: number | undefined;
}

/** What routes of all kinds have in common, and filters, which some have. */
interface Routed {
  readonly spec: {
    readonly parentRefs?: readonly RouteReference[] | undefined;
    readonly rules?: readonly {
      readonly backendRefs?: readonly RouteReference[] | undefined;
      readonly filters?: HttpRouteRule['filters'];
    }[];
  };
}

function routeReferences({ spec }: Routed, own: string): Found[] {
  const found = (
    { kind, namespace = own, name, port }: RouteReference,
    usualKind: string,
    path: readonly (string | number)[],
  ): Found => ({
    kind: kind ?? usualKind,
    namespace,
    name,
    path: [...path, 'name'],
    severity: 'error',
    ...(port === undefined ? {} : { port: { number: port, path: [...path, 'port'] } }),
  });
  const parents = (spec.parentRefs ?? []).map((parent, at) => found(parent, 'Gateway', ['spec', 'parentRefs', at]));
  const backends = (spec.rules ?? []).flatMap((rule, ruleAt) => {
    const path = ['spec', 'rules', ruleAt];
    const mirrors = (rule.filters ?? []).flatMap(({ requestMirror }, at) =>
      requestMirror === undefined
        ? []
        : [found(requestMirror.backendRef, 'Service', [...path, 'filters', at, 'requestMirror', 'backendRef'])],
    );
    return [
      ...(rule.backendRefs ?? []).map((backend, at) => found(backend, 'Service', [...path, 'backendRefs', at])),
      ...mirrors,
    ];
  });
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
