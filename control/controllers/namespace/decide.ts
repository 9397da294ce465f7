import type { Namespace } from '../../../api/kinds/namespace.ts';
import { setCondition } from '../../../api/meta/condition.ts';

/** Holds a namespace that is being deleted until what is in it is gone (corev1.FinalizerKubernetes). */
const CONTENT_FINALIZER = 'kubernetes';

/** The identity of pods that name none. */
export const DEFAULT_ACCOUNT = 'default';

/** What is left in a namespace, of one kind. */
export interface Remains {
  /** `pods`, `deployments.apps` */
  readonly resource: string;
  readonly count: number;
  /** Finalizers that hold some of them. */
  readonly finalizers: readonly string[];
}

export type NamespacePlan =
  | { readonly type: 'keep' }
  | { readonly type: 'create-account' }
  | { readonly type: 'wait'; readonly namespace: Namespace }
  | { readonly type: 'finish'; readonly namespace: Namespace };

/** A namespace that lives has its default ServiceAccount; one that ends, ends when nothing is left in it. */
export function decideNamespace(
  namespace: Namespace,
  { hasAccount, remains }: { readonly hasAccount: boolean; readonly remains: readonly Remains[] },
  now: string,
): NamespacePlan {
  if (namespace.metadata.deletionTimestamp === undefined) {
    return hasAccount ? { type: 'keep' } : { type: 'create-account' };
  }
  const { finalizers = [] } = namespace.spec;
  if (!finalizers.includes(CONTENT_FINALIZER)) return { type: 'keep' };
  if (remains.length > 0) return { type: 'wait', namespace: withRemains(namespace, remains, now) };
  const others = finalizers.filter((name) => name !== CONTENT_FINALIZER);
  return { type: 'finish', namespace: { ...namespace, spec: { ...namespace.spec, finalizers: others } } };
}

/** Says what is waited for (namespace_conditions.go): `kubectl describe namespace` shows it. */
function withRemains(namespace: Namespace, remains: readonly Remains[], now: string): Namespace {
  const left = remains.map(({ resource, count }) => `${resource} has ${count} resource instances`).join(', ');
  const held = remains.flatMap(({ finalizers, count }) =>
    finalizers.map((name) => `${name} in ${count} resource instances`),
  );
  const content = setCondition(
    namespace.status.conditions,
    {
      type: 'NamespaceContentRemaining',
      status: 'True',
      reason: 'SomeResourcesRemain',
      message: `Some resources are remaining: ${left}`,
    },
    now,
  );
  const conditions = setCondition(
    content,
    held.length === 0
      ? {
          type: 'NamespaceFinalizersRemaining',
          status: 'False',
          reason: 'ContentHasNoFinalizers',
          message: 'All content-preserving finalizers finished',
        }
      : {
          type: 'NamespaceFinalizersRemaining',
          status: 'True',
          reason: 'SomeFinalizersRemain',
          message: `Some content in the namespace has finalizers remaining: ${held.join(', ')}`,
        },
    now,
  );
  return { ...namespace, status: { ...namespace.status, conditions } };
}
